//! Byte offsets as lines and columns.

use cellwright_syntax::text::Encoding;
use serde::Serialize;

/// A place for people and programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Position {
    /// Line, from 1. Lines end at `\n`, `\r\n` or `\r`.
    pub(crate) line: usize,
    /// Character of the line, from 1.
    pub(crate) column: usize,
    /// Byte of the file, from 0.
    pub(crate) byte: usize,
}

/// Where the lines of a text start.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
    encoding: Encoding,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str, encoding: Encoding) -> Self {
        let bytes = text.as_bytes();
        let ends = (0..bytes.len()).filter(|&i| {
            bytes[i] == b'\n' || (bytes[i] == b'\r' && bytes.get(i + 1) != Some(&b'\n'))
        });
        let starts = std::iter::once(0).chain(ends.map(|i| i + 1)).collect();
        Self { text, starts, encoding }
    }

    /// Index (from 0) of the line that holds a byte.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset) - 1
    }

    /// A line without its line break.
    pub(crate) fn line(&self, index: usize) -> &'a str {
        let end = self.starts.get(index + 1).copied().unwrap_or(self.text.len());
        self.text[self.starts[index]..end].trim_end_matches(['\n', '\r'])
    }

    /// Where a line starts.
    pub(crate) fn start(&self, index: usize) -> usize {
        self.starts[index]
    }

    pub(crate) fn position(&self, offset: usize) -> Position {
        let line = self.line_of(offset);
        let column = self.text[self.starts[line]..offset].chars().count() + 1;
        let byte = match self.encoding {
            // One character was one byte before it was decoded.
            Encoding::Latin1 => self.text[..offset].chars().count(),
            Encoding::Utf8 | Encoding::Utf8Bom => offset,
        };
        Position { line: line + 1, column, byte }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_break_counts_once() {
        let lines = Lines::new("a\nb\r\nc\rd", Encoding::Utf8);
        let got: Vec<_> = (0..4).map(|i| lines.line(i)).collect();
        assert_eq!(got, ["a", "b", "c", "d"]);
        assert_eq!(lines.position(8), Position { line: 4, column: 2, byte: 8 });
    }

    #[test]
    fn columns_count_characters_and_bytes_count_the_bytes_of_the_file() {
        let text = "µ_é x";
        let end = text.len();
        let utf8 = Lines::new(text, Encoding::Utf8).position(end);
        assert_eq!((utf8.column, utf8.byte), (6, 7));
        let latin1 = Lines::new(text, Encoding::Latin1).position(end);
        assert_eq!((latin1.column, latin1.byte), (6, 5));
    }
}
