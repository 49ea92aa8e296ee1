//! Keeping columns of numbers in line while their texts change.

use crate::text::{Span, TextEdit};

/// How the numbers of a column are lined up over its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alignment {
    /// They begin at the same place of their lines.
    Left,
    /// Their decimal points stand one below the other.
    Point,
    /// Neither, or there is only one.
    None,
}

/// How a column is aligned.
pub(super) fn alignment(text: &str, column: &[Span]) -> Alignment {
    if column.len() < 2 {
        return Alignment::None;
    }
    let line_start = |at: usize| text[..at].rfind(['\n', '\r']).map_or(0, |i| i + 1);
    let place = |s: &Span| (s.start - line_start(s.start), point(s.text(text)));
    let mut places = column.iter().map(place);
    let Some((start, width)) = places.next() else { return Alignment::None };
    let (mut left, mut points) = (true, true);
    for (s, w) in places {
        left &= s == start;
        points &= s + w == start + width;
    }
    match (points, left) {
        (true, _) => Alignment::Point,
        (false, true) => Alignment::Left,
        (false, false) => Alignment::None,
    }
}

/// Replaces a number, giving or taking blanks beside it so that its column stays in line. At least one blank
/// stays between two values; blanks before `free` belong to the edit before.
pub(super) fn replace(
    text: &str,
    span: Span,
    new: String,
    alignment: Alignment,
    free: usize,
) -> TextEdit {
    let old = span.text(text);
    let grow = |new: usize, old: usize| new as isize - old as isize;
    let (before, behind) = match alignment {
        Alignment::None => return TextEdit::replace(span, new),
        Alignment::Left => (0, grow(new.len(), old.len())),
        Alignment::Point => {
            let before = grow(point(&new), point(old));
            (before, grow(new.len(), old.len()) - before)
        }
    };
    let Span { mut start, mut end } = span;
    let mut out = new;
    let blank = |b: Option<&u8>| b.is_some_and(|b| *b == b' ');
    let bytes = text.as_bytes();
    let gap_before = bytes[free.min(start)..start].iter().rev().take_while(|b| **b == b' ').count();
    let gap_behind = bytes[end..].iter().take_while(|b| **b == b' ').count();
    if before > 0 {
        // All blanks may go only where the line begins.
        let line_begins = start - gap_before == 0
            || matches!(bytes[start - gap_before - 1], b'\n' | b'\r');
        let spare = gap_before.saturating_sub(usize::from(!line_begins));
        start -= spare.min(before as usize);
    } else if gap_before > 0 {
        out.insert_str(0, &" ".repeat(before.unsigned_abs()));
    }
    // Behind the last value of a line there is nothing to keep in line.
    let more = bytes.get(end + gap_behind).is_some_and(|b| !matches!(b, b'\n' | b'\r'));
    if more && blank(bytes.get(end)) {
        if behind > 0 {
            end += (gap_behind - 1).min(behind as usize);
        } else {
            out.push_str(&" ".repeat(behind.unsigned_abs()));
        }
    }
    TextEdit::replace(Span::new(start, end), out)
}

/// Bytes before the decimal point, or all where there is none (an uncertainty belongs behind).
fn point(number: &str) -> usize {
    number.find(['.', '(']).unwrap_or(number.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::apply_edits;

    /// Replaces the words `old` of the second column.
    fn change(text: &str, news: &[(&str, &str)]) -> String {
        let spans: Vec<Span> = text
            .lines()
            .map(|l| {
                let word = l.split_whitespace().nth(1).unwrap();
                let at = word.as_ptr() as usize - text.as_ptr() as usize;
                Span::new(at, at + word.len())
            })
            .collect();
        let alignment = alignment(text, &spans);
        let edit = |(old, new): &(&str, &str)| {
            let span = *spans.iter().find(|s| s.text(text) == *old).unwrap();
            replace(text, span, (*new).to_owned(), alignment, 0)
        };
        apply_edits(text, &news.iter().map(edit).collect::<Vec<_>>())
    }

    #[test]
    fn points_stay_below_each_other() {
        let text = "A   0.125(3)  x\nB  -0.250     y\n";
        let got = change(text, &[("0.125(3)", "-0.125"), ("-0.250", "0.250")]);
        assert_eq!(got, "A  -0.125     x\nB   0.250     y\n");
    }

    #[test]
    fn left_edges_stay_below_each_other() {
        let text = "A 0.125(3) x\nB -0.25    y\n";
        let got = change(text, &[("0.125(3)", "-0.1250"), ("-0.25", "0.2500")]);
        assert_eq!(got, "A -0.1250  x\nB 0.2500   y\n");
    }

    #[test]
    fn values_never_run_together() {
        let text = "A 0.5 1\nB 0.2 2\n";
        assert_eq!(change(text, &[("0.5", "-10.5000")]), "A -10.5000 1\nB 0.2 2\n");
        assert_eq!(change("A 0.5\nBB 0.25\n", &[("0.5", "0.5000")]), "A 0.5000\nBB 0.25\n");
    }
}
