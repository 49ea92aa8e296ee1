//! The syntax tree of a text that goes on changing: parsed when somebody needs it, from the newest tree there is.

use ropey::Rope;
use tree_sitter::{InputEdit, Parser, Point, Tree};

use super::Language;
use crate::text::Span;

/// A tree, and what has become of its text since.
#[derive(Debug, Clone, Default)]
pub(super) struct Growth {
    /// The newest tree and the text it is of.
    newest: Option<(Rope, Tree)>,
    /// How many edits of the text are known to `newest`.
    known: usize,
    /// The edits behind them, in order.
    since: Vec<Change>,
}

impl Growth {
    /// The text has changed: these bytes became as many as `length`.
    pub(super) fn changed(&mut self, span: Span, length: usize) {
        let Span { start, end } = span;
        self.since.push(Change { start, old_end: end, new_end: start + length });
    }

    /// The tree of `text`, which is also in `rope`.
    pub(super) fn tree(&mut self, language: Language, rope: &Rope, text: &str) -> &Tree {
        self.known += self.since.len();
        let change = self.since.drain(..).reduce(Change::then);
        let tree = match (self.newest.take(), change) {
            (Some((_, tree)), None) => tree,
            (Some((old, mut tree)), Some(change)) => {
                tree.edit(&change.input_edit(&old, rope));
                parse(language, text, Some(&tree))
            }
            (None, _) => parse(language, text, None),
        };
        &self.newest.insert((rope.clone(), tree)).1
    }

    /// Forgets the tree: the next one is parsed from nothing.
    pub(super) fn forget(&mut self) {
        *self = Self { newest: None, known: self.known + self.since.len(), since: Vec::new() };
    }

    /// Puts the tree of an earlier clone in place of an older one.
    pub(super) fn adopt(&mut self, read: &mut Self) {
        let newer = read.known > self.known;
        if newer || (read.known == self.known && self.newest.is_none()) {
            self.since.drain(..read.known - self.known);
            self.known = read.known;
            std::mem::swap(&mut self.newest, &mut read.newest);
        }
    }
}

fn parse(language: Language, text: &str, old: Option<&Tree>) -> Tree {
    let grammar = match language {
        Language::Cif => tree_sitter_cif::LANGUAGE,
        Language::Poscar => tree_sitter_poscar::LANGUAGE,
    };
    let mut parser = Parser::new();
    parser
        .set_language(&grammar.into())
        .expect("the committed parsers are of an ABI that the library reads");
    parser.parse(text, old).expect("a parser with a language and without a time limit gives a tree")
}

/// A stretch of a text that became another one: bytes `start..old_end` are now `start..new_end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    start: usize,
    old_end: usize,
    new_end: usize,
}

impl Change {
    /// This change and the next as one, which covers both and what lies between them.
    fn then(self, next: Self) -> Self {
        let end = self.new_end.max(next.old_end);
        Self {
            start: self.start.min(next.start),
            old_end: self.old_end + (end - self.new_end),
            new_end: next.new_end + (end - next.old_end),
        }
    }

    fn input_edit(self, old: &Rope, new: &Rope) -> InputEdit {
        InputEdit {
            start_byte: self.start,
            old_end_byte: self.old_end,
            new_end_byte: self.new_end,
            start_position: point_at(old, self.start),
            old_end_position: point_at(old, self.old_end),
            new_end_position: point_at(new, self.new_end),
        }
    }
}

/// Row and column as tree-sitter counts them: only `\n` ends a row. (The rope's lines also end at a
/// lone `\r`.)
fn point_at(rope: &Rope, byte: usize) -> Point {
    let mut row = 0;
    let mut row_start = 0;
    let mut offset = 0;
    for chunk in rope.chunks() {
        let chunk = &chunk.as_bytes()[..chunk.len().min(byte - offset)];
        let breaks = chunk.iter().filter(|&&b| b == b'\n').count();
        if breaks > 0 {
            row += breaks;
            row_start = offset + chunk.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        }
        offset += chunk.len();
        if offset == byte {
            break;
        }
    }
    Point { row, column: byte - row_start }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn two_changes_are_one(text in "[a-z]{8}", edits in prop::collection::vec((0usize..9, 0usize..9, "[A-Z]{0,3}"), 1..6)) {
            let mut now = text.clone();
            let mut whole: Option<Change> = None;
            for (a, b, new) in edits {
                let (a, b) = (a.min(now.len()), b.min(now.len()));
                let (start, old_end) = (a.min(b), a.max(b));
                now.replace_range(start..old_end, &new);
                let change = Change { start, old_end, new_end: start + new.len() };
                whole = Some(whole.map_or(change, |whole| whole.then(change)));
            }
            let Change { start, old_end, new_end } = whole.unwrap();
            let mut again = text;
            again.replace_range(start..old_end, &now[start..new_end]);
            prop_assert_eq!(again, now);
        }
    }
}
