//! What a value of a CIF says.

use std::borrow::Cow;

use super::{Value, ValueKind};
use crate::value::{Number, parse_cif_number};

impl Value {
    /// The content without delimiters.
    ///
    /// Text fields are given unfolded: the line-folding protocol (`;\`, International Tables G,
    /// section 2.2.7.4.10) and the text-prefix protocol of CIF 2.0 are undone. A value that is not
    /// terminated gives what is there.
    #[must_use]
    pub fn text<'a>(&self, source: &'a str) -> Cow<'a, str> {
        let written = self.span.text(source);
        match self.kind {
            ValueKind::Bare | ValueKind::List | ValueKind::Table => written.into(),
            ValueKind::Quoted => strip(written, 1).into(),
            ValueKind::TripleQuoted => strip(written, 3).into(),
            ValueKind::TextField => unfold(field_content(written)),
        }
    }

    /// The number it is, if it is one (bare or quoted).
    #[must_use]
    pub fn number(&self, source: &str) -> Option<Number> {
        match self.kind {
            ValueKind::Bare => parse_cif_number(self.span.text(source)),
            ValueKind::Quoted => parse_cif_number(self.text(source).trim()),
            _ => None,
        }
    }
}

/// Without the delimiter of `n` bytes in front and, where it is there, behind.
fn strip(written: &str, n: usize) -> &str {
    let (delimiter, content) = written.split_at(n);
    content.strip_suffix(delimiter).unwrap_or(content)
}

/// What stands between the semicolons, without the line break that belongs to the closing one.
fn field_content(written: &str) -> &str {
    let content = &written[1..];
    ["\r\n;", "\n;", "\r;"]
        .into_iter()
        .find_map(|closing| content.strip_suffix(closing))
        .unwrap_or(content)
}

/// Undoes prefixing and folding, which the first line announces.
fn unfold(content: &str) -> Cow<'_, str> {
    let (head, rest) = split_line(content);
    let head = head.trim_end_matches([' ', '\t']);
    let Some(prefix) = head.strip_suffix('\\') else { return content.into() };
    // `;\` folds, `;PREFIX\` prefixes, `;PREFIX\\` does both.
    let (prefix, folded) = match prefix.strip_suffix('\\') {
        Some(prefix) => (prefix, true),
        None => (prefix, prefix.is_empty()),
    };
    let mut lines = Lines(rest);
    let well_prefixed = lines.by_ref().all(|(line, _)| line.starts_with(prefix));
    let Some(rest) = rest.filter(|_| well_prefixed) else { return content.into() };
    let mut out = String::with_capacity(rest.len());
    for (line, end) in Lines(Some(rest)) {
        let line = &line[prefix.len()..];
        match line.trim_end_matches([' ', '\t']).strip_suffix('\\') {
            Some(part) if folded => out.push_str(part),
            _ => {
                out.push_str(line);
                out.push_str(end);
            }
        }
    }
    out.into()
}

/// The first line, and what comes behind its line break if there is one.
fn split_line(text: &str) -> (&str, Option<&str>) {
    match text.find(['\n', '\r']) {
        Some(at) => {
            let width = if text[at..].starts_with("\r\n") { 2 } else { 1 };
            (&text[..at], Some(&text[at + width..]))
        }
        None => (text, None),
    }
}

/// Lines with their line breaks.
struct Lines<'a>(Option<&'a str>);

impl<'a> Iterator for Lines<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.0?;
        let (line, rest) = split_line(text);
        self.0 = rest;
        Some((line, &text[line.len()..text.len() - rest.map_or(0, str::len)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Span;

    fn text(kind: ValueKind, written: &str) -> String {
        Value { span: Span::new(0, written.len()), kind }.text(written).into_owned()
    }

    #[test]
    fn delimiters_are_no_content() {
        assert_eq!(text(ValueKind::Quoted, "'O'Neil's salt'"), "O'Neil's salt");
        assert_eq!(text(ValueKind::Quoted, "\"\""), "");
        assert_eq!(text(ValueKind::TripleQuoted, "'''a\n'b'''"), "a\n'b");
        assert_eq!(text(ValueKind::TextField, ";a\nb\n;"), "a\nb");
        assert_eq!(text(ValueKind::TextField, ";\r\na\r\n;"), "\r\na");
        assert_eq!(text(ValueKind::TextField, ";\n;"), "");
    }

    #[test]
    fn what_does_not_end_is_given_as_far_as_it_goes() {
        assert_eq!(text(ValueKind::Quoted, "'abc def"), "abc def");
        assert_eq!(text(ValueKind::Quoted, "'"), "");
        assert_eq!(text(ValueKind::TripleQuoted, "'''abc''"), "abc''");
        assert_eq!(text(ValueKind::TextField, ";abc\ndef"), "abc\ndef");
        assert_eq!(text(ValueKind::TextField, ";"), "");
    }

    #[test]
    fn folded_and_prefixed_text_is_put_together() {
        assert_eq!(text(ValueKind::TextField, ";\\\none\\\ntwo\nthree\n;"), "onetwo\nthree");
        assert_eq!(text(ValueKind::TextField, ";>\\\n>one\n>;two\n;"), "one\n;two");
        assert_eq!(text(ValueKind::TextField, ";>\\\\\n>one\\\n> two\n;"), "one two");
        // Not announced properly: left alone.
        assert_eq!(text(ValueKind::TextField, ";>\\\none\n;"), ">\\\none");
    }
}
