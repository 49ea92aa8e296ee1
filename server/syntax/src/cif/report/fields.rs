//! Text fields that do not end where they should.
//!
//! A forgotten semicolon turns everything below it inside out: text becomes values and values become
//! text. The report looks for the field that swallowed data names, blames that one, and is silent
//! about the rest.

use super::Report;
use crate::problem::{Problem, ProblemKind};
use crate::text::{Span, TextEdit};

impl Report<'_> {
    pub(super) fn field(&mut self, span: Span, unterminated: bool) {
        if self.out_of_step {
            return;
        }
        let name = name_inside(self.source, span);
        if unterminated {
            // Earlier trouble behind a field that holds names: that one took what followed.
            let trouble = self.suspect.is_some_and(|(span, _)| self.problems.any_from(span.start));
            if !(trouble && self.lose_step()) {
                self.never_ends(span, name, None);
            }
        } else if self.begins_another(span) {
            let next = Span::new(span.end - 1, span.end);
            self.never_ends(span, name, Some(next));
            self.out_of_step = true;
        }
        if self.suspect.is_none() {
            self.suspect = name.map(|at| (span, at));
        }
    }

    /// Whether the closing semicolon is glued to a word: one that closes stands alone, so this one
    /// begins the next text field.
    fn begins_another(&self, span: Span) -> bool {
        let next = self.source[span.end..].chars().next();
        !next.is_none_or(|c| matches!(c, ' ' | '\t' | '\n' | '\r' | '_' | '#' | ']' | '}'))
    }

    /// A run of stray values begins. Behind a text field they are the inside of the next one.
    pub(in crate::cif) fn stray_begins(&mut self) {
        if self.behind_field {
            self.lose_step();
        }
    }

    /// Text fields open and close in the wrong order from the first one that swallowed data names.
    /// Whether there is such a one; what followed it is not reported.
    fn lose_step(&mut self) -> bool {
        if self.out_of_step {
            return true;
        }
        let Some((span, name)) = self.suspect else { return false };
        self.problems.forget_from(span.start);
        self.missing.clear();
        self.last = None;
        self.never_ends(span, Some(name), None);
        self.out_of_step = true;
        true
    }

    /// A text field without an end. It should end before the data name at `name`, if it holds one;
    /// `next` is where the next field begins, if that is known.
    fn never_ends(&mut self, span: Span, name: Option<usize>, next: Option<Span>) {
        let message = "the text field that begins here never ends: a `;` at the beginning of a line \
                       must close it";
        let here = |at| (Span::at(at), "the end seems to be missing before this line".to_owned());
        let next = next.map(|span| (span, "the next text field begins".to_owned()));
        let line_break = if self.source.ends_with(['\n', '\r']) { "" } else { "\n" };
        let (title, edit) = match name {
            Some(at) => ("Insert `;`", Some(TextEdit::insert(at, ";\n"))),
            None if span.end == self.source.len() => (
                "Close the text field at the end of the file",
                Some(TextEdit::insert(span.end, format!("{line_break};\n"))),
            ),
            None => ("", None),
        };
        self.add(Problem {
            kind: ProblemKind::Unterminated,
            span: Span::new(span.start, span.start + 1),
            message: message.into(),
            related: name.map(here).into_iter().chain(next).collect(),
            fix: edit.map(|edit| (title.to_owned(), vec![edit])),
        });
    }
}

/// Where a line of a text field begins that looks like a data name, a loop or a block.
fn name_inside(source: &str, field: Span) -> Option<usize> {
    let mut at = field.start;
    for line in field.text(source).split_inclusive(['\n', '\r']) {
        let starts =
            |word: &str| line.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
        let name =
            line.starts_with('_') && line[1..].starts_with(|c: char| c.is_ascii_alphabetic());
        if at > field.start && (name || starts("loop_") || starts("data_")) {
            return Some(at);
        }
        at += line.len();
    }
    None
}
