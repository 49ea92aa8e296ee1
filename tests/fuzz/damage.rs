//! What happens to a file.

use std::ops::Range;

use cellwright_syntax::{Span, TextEdit};
use proptest::prelude::*;

/// What people and programs put where it does not belong.
const WORDS: [&str; 56] = [
    "",
    " ",
    "\n",
    "\r",
    "\r\n",
    "\t",
    "0",
    "1",
    "-1",
    "2",
    "0.5",
    "1/3",
    "90",
    "180",
    "360",
    "1.5708",
    "1e308",
    "-1e308",
    "1e-308",
    "NaN",
    "inf",
    "1.2(3)",
    "1,5",
    "99999999999999999999",
    "4294967295",
    "?",
    ".",
    "'",
    "\"",
    ";",
    "\n;\n",
    "'''",
    "\"\"\"",
    "[",
    "{",
    "loop_\n",
    "data_",
    "save_x",
    "#",
    "# cellwright: allow x\n",
    "_cell_length_a 0",
    "_atom_site_fract_x",
    "x,y,z",
    "-y,x-y,z+1/3",
    "F d -3 m :1",
    "P 1",
    "Fe3+",
    "D",
    "Xx",
    "T F T",
    "Selective dynamics\n",
    "Cartesian\n",
    "\u{2212}",
    "\u{feff}",
    "é",
    "\0",
];

/// One damage; numbers are taken modulo what there is.
#[derive(Debug, Clone)]
pub(crate) enum Damage {
    /// Replaces so many bytes by a word.
    Insert(usize, usize, usize),
    /// Writes a word over another.
    Word(usize, usize),
    /// Deletes a line.
    DeleteLine(usize),
    /// Writes a line again, so many times.
    Repeat(usize, usize),
    /// Moves a line to another place.
    Move(usize, usize),
    /// Cuts the file.
    Cut(usize),
}

/// Some damages.
pub(crate) fn damages(count: Range<usize>) -> impl Strategy<Value = Vec<Damage>> {
    let n = any::<usize>;
    let damage = prop_oneof![
        4 => (n(), 0..12_usize, 0..WORDS.len()).prop_map(|(at, len, w)| Damage::Insert(at, len, w)),
        6 => (n(), 0..WORDS.len()).prop_map(|(at, w)| Damage::Word(at, w)),
        2 => n().prop_map(Damage::DeleteLine),
        1 => (n(), 1..4_usize).prop_map(|(at, times)| Damage::Repeat(at, times)),
        2 => (n(), n()).prop_map(|(from, to)| Damage::Move(from, to)),
        1 => n().prop_map(Damage::Cut),
    ];
    prop::collection::vec(damage, count)
}

impl Damage {
    /// Does it.
    pub(crate) fn apply(&self, text: &mut String) {
        for edit in self.edits(text) {
            text.replace_range(edit.span.start..edit.span.end, &edit.text);
        }
    }

    /// Edits that do it, each made for the text after those before it.
    pub(crate) fn edits(&self, text: &str) -> Vec<TextEdit> {
        let boundary = |at: usize| text.floor_char_boundary(at % (text.len() + 1));
        match *self {
            Self::Insert(at, len, word) => {
                let (start, end) = (boundary(at), text.floor_char_boundary(boundary(at) + len));
                vec![TextEdit::replace(Span::new(start, end.max(start)), WORDS[word])]
            }
            Self::Word(at, word) => {
                let spans: Vec<Span> = words(text);
                match spans.get(at % spans.len().max(1)) {
                    Some(span) => vec![TextEdit::replace(*span, WORDS[word])],
                    None => vec![TextEdit::insert(0, WORDS[word])],
                }
            }
            Self::DeleteLine(at) => vec![TextEdit::delete(line(text, boundary(at)))],
            Self::Repeat(at, times) => {
                let line = line(text, boundary(at));
                vec![TextEdit::insert(line.end, line.text(text).repeat(times))]
            }
            Self::Move(from, to) => {
                let line = line(text, boundary(from));
                let rest = [&text[..line.start], &text[line.end..]].concat();
                let to = rest.floor_char_boundary(to % (rest.len() + 1));
                let to = rest[..to].rfind('\n').map_or(0, |at| at + 1);
                vec![TextEdit::delete(line), TextEdit::insert(to, line.text(text))]
            }
            Self::Cut(at) => vec![TextEdit::delete(Span::new(boundary(at), text.len()))],
        }
    }
}

fn line(text: &str, at: usize) -> Span {
    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let end = text[at..].find('\n').map_or(text.len(), |n| at + n + 1);
    Span::new(start, end)
}

fn words(text: &str) -> Vec<Span> {
    let start = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    text.split_whitespace().map(|w| Span::new(start(w), start(w) + w.len())).collect()
}
