//! Lines and the fields on them.

use crate::text::Span;
use crate::value::{Number, Spanned, parse_fortran_number};

/// A line without its line break.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'s> {
    pub(super) span: Span,
    pub(super) text: &'s str,
}

/// All lines; one more than there are line breaks, unless nothing stands behind the last.
pub(super) fn lines(source: &str) -> Vec<Line<'_>> {
    let bytes = source.as_bytes();
    let mut lines = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at < bytes.len() {
        if matches!(bytes[at], b'\n' | b'\r') {
            lines.push(Line { span: Span::new(start, at), text: &source[start..at] });
            at += usize::from(bytes[at..].starts_with(b"\r\n"));
            start = at + 1;
        }
        at += 1;
    }
    if start < bytes.len() {
        lines.push(Line { span: Span::new(start, bytes.len()), text: &source[start..] });
    }
    lines
}

/// A word of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'s> {
    pub(super) span: Span,
    pub(super) text: &'s str,
}

impl Field<'_> {
    pub(super) fn number(&self) -> Option<Spanned<Number>> {
        let value = parse_fortran_number(self.text)?;
        Some(Spanned { value, span: self.span })
    }

    /// A logical as Fortran reads it: `T`, `F`, `.TRUE.`, `.f`, by the first letter.
    pub(super) fn flag(&self) -> Option<Spanned<bool>> {
        let letters = self.text.strip_prefix('.').unwrap_or(self.text);
        let value = match letters.chars().next()? {
            'T' | 't' => true,
            'F' | 'f' => false,
            _ => return None,
        };
        Some(Spanned { value, span: self.span })
    }
}

impl<'s> Line<'s> {
    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// All words. VASP separates by blanks; commas do the same in Fortran's list-directed reading.
    pub(super) fn fields(&self) -> impl Iterator<Item = Field<'s>> + use<'s> {
        let start = self.span.start;
        let base = self.text.as_ptr() as usize;
        self.text.split([' ', '\t', ',']).filter(|word| !word.is_empty()).map(move |text| {
            let at = start + (text.as_ptr() as usize - base);
            Field { span: Span::new(at, at + text.len()), text }
        })
    }

    /// The words in front of a remark (`!` or `#`).
    pub(super) fn words(&self) -> impl Iterator<Item = Field<'s>> + use<'s> {
        let end = self.text.find(['!', '#']).unwrap_or(self.text.len());
        let span = Span::new(self.span.start, self.span.start + end);
        Line { span, text: &self.text[..end] }.fields()
    }

    /// The first three words, if they are numbers.
    pub(super) fn vector(&self) -> Option<[Spanned<Number>; 3]> {
        let mut numbers = self.words().map_while(|field| field.number());
        Some([numbers.next()?, numbers.next()?, numbers.next()?])
    }

    /// A decimal comma, which makes two numbers of one: the word it stands in, where the line holds more
    /// numbers than three.
    pub(super) fn decimal_comma(&self) -> Option<Span> {
        if !self.text.contains(',') || self.words().map_while(|f| f.number()).count() <= 3 {
            return None;
        }
        let base = self.text.as_ptr() as usize;
        let word = self.text.split([' ', '\t']).find(|word| {
            let Some((whole, digits)) = word.split_once(',') else { return false };
            let whole = whole.trim_start_matches(['-', '+']);
            [whole, digits].iter().all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
        })?;
        let at = self.span.start + (word.as_ptr() as usize - base);
        Some(Span::new(at, at + word.len()))
    }

    /// The line without blanks around.
    pub(super) fn trimmed(&self) -> Span {
        let start = self.span.start + (self.text.len() - self.text.trim_start().len());
        let len = self.text.trim().len();
        Span::new(start, start + len)
    }

    /// What stands behind the byte at `end`, without blanks around; `None` if nothing does.
    pub(super) fn behind(&self, end: usize) -> Option<Span> {
        let span = Span::new(end, self.span.end);
        let rest = Line { span, text: &self.text[end - self.span.start..] }.trimmed();
        (!rest.is_empty()).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_break_ends_a_line() {
        let texts: Vec<&str> = lines("a\nb\r\nc\rd\r\r\ne").iter().map(|l| l.text).collect();
        assert_eq!(texts, ["a", "b", "c", "d", "", "e"]);
        assert_eq!(lines("a\n").len(), 1);
        assert_eq!(lines("").len(), 0);
    }

    #[test]
    fn words_stand_where_they_stand() {
        let source = "x\n  1.0\t2 , 3 Fe ! 4";
        let line = lines(source)[1];
        let words: Vec<&str> = line.words().map(|f| f.span.text(source)).collect();
        assert_eq!(words, ["1.0", "2", "3", "Fe"]);
        assert_eq!(line.behind(13).map(|s| s.text(source)), Some("Fe ! 4"));
    }
}
