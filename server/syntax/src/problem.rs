//! What is wrong with the text itself: one problem per cause.

use crate::text::{Span, TextEdit};

/// One cause of broken syntax, with the place and the cure.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// What it is.
    pub kind: ProblemKind,
    /// Where the cause is (not where a parser gave up).
    pub span: Span,
    /// One sentence, no trailing dot, saying what is wrong and what was expected.
    pub message: String,
    /// Other places that explain it: (span, what is there).
    pub related: Vec<(Span, String)>,
    /// The one right mend, where there is one: (title, edits).
    pub fix: Option<(String, Vec<TextEdit>)>,
}

/// Kinds of syntax problem; checks give each a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProblemKind {
    /// A quoted string that does not end on its line, a text field or triple quote that never ends.
    Unterminated,
    /// Text before the first data block, or an empty file.
    NoBlock,
    /// A data name without a value.
    MissingValue,
    /// Values that belong to no data name: one problem for the whole run.
    StrayValue,
    /// A loop without names or without values.
    EmptyLoop,
    /// The number of values in a loop is no multiple of the number of names; the message names the row
    /// that breaks.
    LoopArity,
    /// The same data name twice in a block (case-insensitive), or twice in a loop, or two blocks of one name.
    Duplicate,
    /// A reserved word (`stop_`, `global_`), a save frame that never ends, a bracket out of place, a
    /// control character.
    Unexpected,
    /// A line, name or block code longer than CIF allows (2048, 75, 75).
    TooLong,
    /// A number was needed here and this is none, or it is NaN, infinite or out of range.
    BadNumber,
    /// POSCAR: the file ends before the line that should stand here.
    MissingLine,
    /// POSCAR: a line with too few fields, or with fields of the wrong kind.
    BadLine,
    /// POSCAR: more or fewer rows of atoms than the counts say.
    CountMismatch,
}

/// Problems as they are found. A file that is wrong throughout gets as many as anybody will read, not
/// one for each of a million lines.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: Vec<Problem>,
    unlisted: usize,
}

impl Problems {
    /// More than this are counted only.
    pub(crate) const LIMIT: usize = 1000;

    pub(crate) fn push(&mut self, problem: Problem) {
        if self.found.len() < Self::LIMIT {
            self.found.push(problem);
        } else {
            self.unlisted += 1;
        }
    }

    /// Forgets what was found at or behind a place.
    pub(crate) fn forget_from(&mut self, offset: usize) {
        self.found.retain(|p| p.span.start < offset);
    }

    /// Whether something was found at or behind a place.
    pub(crate) fn any_from(&self, offset: usize) -> bool {
        self.found.iter().any(|p| p.span.start >= offset)
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// All in order of place; the last says how many are not listed.
    pub(crate) fn into_sorted(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|p| p.span);
        if self.unlisted > 0
            && let Some(last) = self.found.last_mut()
        {
            last.message += &format!(" ({} more problems are not listed)", self.unlisted);
        }
        self.found
    }
}
