//! Keeping columns of numbers in line while their texts change.

use crate::text::{Span, TextEdit};

/// How the numbers of a column are lined up over its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alignment {
    edge: Edge,
    /// Whether what follows the column is lined up too, so that the widths of the numbers must be kept.
    keeps_width: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    /// The numbers begin at the same place of their lines.
    Left,
    /// Their decimal points stand one below the other.
    Point,
    /// Neither, or there is only one.
    None,
}

impl Alignment {
    /// For words that keep their left edge and the place of what follows.
    pub(super) const LEFT: Self = Self { edge: Edge::Left, keeps_width: true };

    /// How a column of words is aligned: where all begin and end at the same places, they begin there.
    pub(super) fn of_words(text: &str, column: &[Span]) -> Self {
        let of = Self::of(text, column);
        let long = column.first().map_or(0, |span| span.text(text).len());
        let alike = column.iter().all(|span| span.text(text).len() == long);
        if of.edge == Edge::Point && alike { Self { edge: Edge::Left, ..of } } else { of }
    }

    /// How a column is aligned.
    pub(super) fn of(text: &str, column: &[Span]) -> Self {
        let edge = edge(text, column);
        let next: Vec<Span> = column.iter().filter_map(|span| next_word(text, *span)).collect();
        Self { edge, keeps_width: edge != Edge::None && self::edge(text, &next) != Edge::None }
    }
}

fn edge(text: &str, column: &[Span]) -> Edge {
    if column.len() < 2 {
        return Edge::None;
    }
    let line_start = |at: usize| {
        // No farther back than twice the longest line of a CIF: a text without line breaks is not in columns.
        let from = at.saturating_sub(4096);
        let breaks = |b: &u8| matches!(b, b'\n' | b'\r');
        text.as_bytes()[from..at].iter().rposition(breaks).map_or(from, |i| from + i + 1)
    };
    let place = |s: &Span| (s.start - line_start(s.start), point(s.text(text)));
    let mut places = column.iter().map(place);
    let Some((start, width)) = places.next() else { return Edge::None };
    let (mut left, mut points) = (true, true);
    for (s, w) in places {
        left &= s == start;
        points &= s + w == start + width;
    }
    match (points, left) {
        (true, _) => Edge::Point,
        (false, true) => Edge::Left,
        (false, false) => Edge::None,
    }
}

/// The word behind a span on the same line.
fn next_word(text: &str, span: Span) -> Option<Span> {
    let rest = &text[span.end..];
    let begin = rest.find(|c| !matches!(c, ' ' | '\t'))?;
    let end = rest[begin..].find([' ', '\t', '\n', '\r']).map_or(rest.len(), |i| begin + i);
    (end > begin).then(|| Span::new(span.end + begin, span.end + end))
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
    let (before, behind) = match alignment.edge {
        Edge::None => return TextEdit::replace(span, new),
        Edge::Left => (0, grow(new.len(), old.len())),
        Edge::Point => {
            let before = grow(point(&new), point(old));
            (before, grow(new.len(), old.len()) - before)
        }
    };
    let Span { mut start, mut end } = span;
    let mut out = new;
    let bytes = text.as_bytes();
    let gap_before = bytes[free.min(start)..start].iter().rev().take_while(|b| **b == b' ').count();
    let gap_behind = bytes[end..].iter().take_while(|b| **b == b' ').count();
    if before > 0 {
        // All blanks may go only where the line begins.
        let line_begins =
            start - gap_before == 0 || matches!(bytes[start - gap_before - 1], b'\n' | b'\r');
        let spare = gap_before.saturating_sub(usize::from(!line_begins));
        start -= spare.min(before as usize);
    } else if gap_before > 0 {
        out.insert_str(0, &" ".repeat(before.unsigned_abs()));
    }
    if alignment.keeps_width && bytes.get(end) == Some(&b' ') {
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
        let alignment = Alignment::of(text, &spans);
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
