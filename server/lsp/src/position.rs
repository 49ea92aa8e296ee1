//! Byte offsets ⇄ LSP positions, in the encoding that client and server agreed on.
//!
//! Everything here is total: positions and offsets outside the text, or inside a character, are moved to the nearest place
//! before them that exists.

use cellwright_syntax::Span;
use ropey::Rope;
use tower_lsp::lsp_types::{Position, PositionEncodingKind, Range};

/// What a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units: what every client speaks, and VS Code speaks alone.
    Utf16,
    /// Characters.
    Utf32,
}

impl Encoding {
    /// The best of what the client offers: bytes are what we count in, characters cost less than UTF-16.
    pub(crate) fn negotiate(offered: Option<&[PositionEncodingKind]>) -> Self {
        let offers = |kind| offered.is_some_and(|kinds| kinds.contains(&kind));
        if offers(PositionEncodingKind::UTF8) {
            Self::Utf8
        } else if offers(PositionEncodingKind::UTF32) {
            Self::Utf32
        } else {
            Self::Utf16
        }
    }

    /// Its name in the protocol.
    pub(crate) fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
            Self::Utf32 => PositionEncodingKind::UTF32,
        }
    }
}

/// The byte offset of a position. A line beyond the last is the end of the text, a column beyond the end of the line is the end of
/// the line before its break.
pub(crate) fn to_offset(rope: &Rope, position: Position, encoding: Encoding) -> usize {
    let line = position.line as usize;
    if line >= rope.len_lines() {
        return rope.len_bytes();
    }
    let start = rope.line_to_char(line);
    let text = rope.line(line);
    let length = text.len_chars() - break_length(text);
    let column = position.character as usize;
    let column = match encoding {
        Encoding::Utf8 => text.byte_to_char(column.min(text.len_bytes())),
        Encoding::Utf16 => text.utf16_cu_to_char(column.min(text.len_utf16_cu())),
        Encoding::Utf32 => column,
    };
    rope.char_to_byte(start + column.min(length))
}

/// The position of a byte offset.
pub(crate) fn to_position(rope: &Rope, offset: usize, encoding: Encoding) -> Position {
    let char = rope.byte_to_char(offset.min(rope.len_bytes()));
    let line = rope.char_to_line(char);
    let start = rope.line_to_char(line);
    let column = match encoding {
        Encoding::Utf8 => rope.char_to_byte(char) - rope.char_to_byte(start),
        Encoding::Utf16 => rope.char_to_utf16_cu(char) - rope.char_to_utf16_cu(start),
        Encoding::Utf32 => char - start,
    };
    // A text of 2³² lines does not fit in the memory of a language server.
    Position::new(line as u32, column as u32)
}

/// The span of a range; one that runs backwards is turned round.
pub(crate) fn to_span(rope: &Rope, range: Range, encoding: Encoding) -> Span {
    let (a, b) = (to_offset(rope, range.start, encoding), to_offset(rope, range.end, encoding));
    Span::new(a.min(b), a.max(b))
}

/// The range of a span.
pub(crate) fn to_range(rope: &Rope, span: Span, encoding: Encoding) -> Range {
    Range::new(to_position(rope, span.start, encoding), to_position(rope, span.end, encoding))
}

/// Characters in the line break at the end of a line: `\r\n`, `\n`, `\r` or none.
fn break_length(line: ropey::RopeSlice<'_>) -> usize {
    let mut last = line.chars_at(line.len_chars()).reversed();
    match last.next() {
        Some('\n') if last.next() == Some('\r') => 2,
        Some('\n' | '\r') => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

    fn at(line: u32, character: u32) -> Position {
        Position::new(line, character)
    }

    #[test]
    fn the_best_offer_is_taken() {
        use PositionEncodingKind as Kind;
        let both = [Kind::UTF16, Kind::UTF8];
        assert_eq!(Encoding::negotiate(Some(&both)), Encoding::Utf8);
        assert_eq!(Encoding::negotiate(Some(&[Kind::UTF16, Kind::UTF32])), Encoding::Utf32);
        assert_eq!(Encoding::negotiate(Some(&[])), Encoding::Utf16);
        assert_eq!(Encoding::negotiate(None), Encoding::Utf16);
    }

    #[test]
    fn columns_count_what_was_agreed_on() {
        let rope = Rope::from_str("é😀x");
        for (encoding, column) in ALL.into_iter().zip([6, 3, 2]) {
            assert_eq!(to_position(&rope, 6, encoding), at(0, column));
            assert_eq!(to_offset(&rope, at(0, column), encoding), 6);
        }
    }

    #[test]
    fn only_the_three_line_breaks_of_the_protocol_break_lines() {
        let rope = Rope::from_str("a\r\nb\rc\nd\u{2028}e\u{b}f");
        let starts: Vec<_> = (0..4).map(|l| to_offset(&rope, at(l, 0), Encoding::Utf16)).collect();
        assert_eq!(starts, [0, 3, 5, 7]);
        assert_eq!(to_position(&rope, rope.len_bytes(), Encoding::Utf16), at(3, 5));
    }

    #[test]
    fn what_lies_outside_is_moved_inside() {
        let rope = Rope::from_str("ab\r\ncd");
        for encoding in ALL {
            assert_eq!(to_offset(&rope, at(0, 99), encoding), 2, "before the break");
            assert_eq!(to_offset(&rope, at(7, 0), encoding), 6);
            assert_eq!(to_offset(&rope, at(u32::MAX, u32::MAX), encoding), 6);
            assert_eq!(to_position(&rope, usize::MAX, encoding), at(1, 2));
        }
        // Half a surrogate pair, and a byte inside a character.
        let rope = Rope::from_str("😀");
        assert_eq!(to_offset(&rope, at(0, 1), Encoding::Utf16), 0);
        assert_eq!(to_offset(&rope, at(0, 2), Encoding::Utf8), 0);
        let backwards = Range::new(at(0, 2), at(0, 0));
        assert_eq!(to_span(&rope, backwards, Encoding::Utf16), Span::new(0, 4));
    }

    proptest! {
        #[test]
        fn every_character_boundary_comes_back(text in "[a-z é漢😀\u{2028}\u{feff}\r\n]{0,40}") {
            let rope = Rope::from_str(&text);
            for encoding in ALL {
                for (offset, _) in text.char_indices().chain([(text.len(), ' ')]) {
                    // Between \r and \n there is no position of its own.
                    let inside_break = text[..offset].ends_with('\r') && text[offset..].starts_with('\n');
                    let expected = if inside_break { offset - 1 } else { offset };
                    let position = to_position(&rope, offset, encoding);
                    prop_assert_eq!(to_offset(&rope, position, encoding), expected);
                }
            }
        }

        #[test]
        fn columns_agree_with_the_standard_library(text in "[a é漢😀\r\n]{0,30}") {
            let rope = Rope::from_str(&text);
            for (offset, _) in text.char_indices() {
                let start = to_offset(&rope, at(to_position(&rope, offset, Encoding::Utf8).line, 0), Encoding::Utf8);
                let line = &text[start..offset];
                let counts = [line.len(), line.encode_utf16().count(), line.chars().count()];
                for (encoding, count) in ALL.into_iter().zip(counts) {
                    prop_assert_eq!(to_position(&rope, offset, encoding).character as usize, count);
                }
            }
        }

        #[test]
        fn no_position_is_a_panic(text in "\\PC{0,20}", line in 0u32..30, character in 0u32..60) {
            let rope = Rope::from_str(&text);
            for encoding in ALL {
                let offset = to_offset(&rope, at(line, character), encoding);
                prop_assert!(text.is_char_boundary(offset));
            }
        }
    }
}
