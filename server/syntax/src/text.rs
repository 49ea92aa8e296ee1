//! Spans, edits, and bytes to text and back.

use std::borrow::Cow;

/// A range of bytes in the document's UTF-8 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// From start (inclusive) to end (exclusive).
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end, "span {start}..{end} runs backwards");
        Self { start, end }
    }

    /// An empty span, for insertions.
    #[must_use]
    pub fn at(offset: usize) -> Self {
        Self { start: offset, end: offset }
    }

    /// Number of bytes.
    #[must_use]
    pub fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether the span holds no byte.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether `offset` is inside, or just behind the last byte (where a cursor stands after typing).
    #[must_use]
    pub fn touches(self, offset: usize) -> bool {
        (self.start..=self.end).contains(&offset)
    }

    /// The smallest span that holds both.
    #[must_use]
    pub fn cover(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The text under the span.
    #[must_use]
    pub fn text(self, source: &str) -> &str {
        &source[self.start..self.end]
    }
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Self::new(range.start, range.end)
    }
}

/// Replace the bytes of `span` by `text`. A list of edits refers to the text before any of them and
/// does not overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    /// What goes.
    pub span: Span,
    /// What comes.
    pub text: String,
}

impl TextEdit {
    /// Replace `span` by `text`.
    #[must_use]
    pub fn replace(span: Span, text: impl Into<String>) -> Self {
        Self { span, text: text.into() }
    }

    /// Insert `text` before the byte at `offset`.
    #[must_use]
    pub fn insert(offset: usize, text: impl Into<String>) -> Self {
        Self { span: Span::at(offset), text: text.into() }
    }

    /// Remove `span`.
    #[must_use]
    pub fn delete(span: Span) -> Self {
        Self { span, text: String::new() }
    }
}

/// The text after all edits. Edits may come in any order; insertions at one place keep theirs.
///
/// # Panics
/// When edits overlap or leave the text: that is a bug in whoever made them.
#[must_use]
pub fn apply_edits(source: &str, edits: &[TextEdit]) -> String {
    let mut sorted: Vec<&TextEdit> = edits.iter().collect();
    sorted.sort_by_key(|e| (e.span.start, e.span.end));
    let mut out = String::with_capacity(source.len());
    let mut done = 0;
    for edit in sorted {
        assert!(edit.span.start >= done, "edits overlap at byte {}", edit.span.start);
        out.push_str(&source[done..edit.span.start]);
        out.push_str(&edit.text);
        done = edit.span.end;
    }
    out.push_str(&source[done..]);
    out
}

/// How the bytes of a file stood for text, so that writing it back changes nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, the usual case and all of ASCII.
    Utf8,
    /// UTF-8 behind a byte-order mark. The mark stays in the text as U+FEFF.
    Utf8Bom,
    /// Not UTF-8: every byte is taken as its Latin-1 character.
    Latin1,
}

/// Bytes as text. Never fails: bytes that are no UTF-8 are read as Latin-1, which
/// [`encode`] gives back byte for byte.
#[must_use]
pub fn decode(bytes: &[u8]) -> (Cow<'_, str>, Encoding) {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.starts_with('\u{feff}') => (text.into(), Encoding::Utf8Bom),
        Ok(text) => (text.into(), Encoding::Utf8),
        Err(_) => {
            (bytes.iter().map(|b| char::from(*b)).collect::<String>().into(), Encoding::Latin1)
        }
    }
}

/// Text as bytes in the encoding it came in. A Latin-1 file that gained a character outside Latin-1
/// is written as UTF-8.
#[must_use]
pub fn encode(text: &str, encoding: Encoding) -> Vec<u8> {
    if encoding == Encoding::Latin1 {
        let narrow: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
        if let Some(bytes) = narrow {
            return bytes;
        }
    }
    text.as_bytes().to_vec()
}

/// Whether a byte is a control character that no line of text needs.
pub(crate) fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_refer_to_the_text_before_all_of_them() {
        let edits = [
            TextEdit::replace(Span::new(4, 5), "FIVE"),
            TextEdit::insert(0, "> "),
            TextEdit::delete(Span::new(1, 3)),
        ];
        assert_eq!(apply_edits("abcdefg", &edits), "> adFIVEfg");
    }

    #[test]
    fn any_bytes_survive_the_way_to_text_and_back() {
        let all: Vec<u8> = (0..=255).collect();
        for bytes in [&b"plain"[..], b"\xef\xbb\xbfbom", &all, b"", b"caf\xe9"] {
            let (text, encoding) = decode(bytes);
            assert_eq!(encode(&text, encoding), bytes);
        }
        assert_eq!(decode(b"caf\xe9").1, Encoding::Latin1);
    }
}
