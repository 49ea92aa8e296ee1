//! Names of blocks, frames and items: each may stand once, and an item has a value.

use std::collections::HashMap;

use super::Report;
use super::mend::line_of;
use crate::cif::{CifVersion, Name, Value};
use crate::problem::{Problem, ProblemKind};
use crate::text::{Span, TextEdit};
use crate::value::Spanned;

impl Report<'_> {
    /// The header of a block or frame.
    pub(in crate::cif) fn heading(&mut self, code: &Spanned<String>, is_frame: bool) {
        self.settle();
        let what = if is_frame { "save frame" } else { "data block" };
        let seen = if is_frame {
            self.frame_names = Some(HashMap::new());
            &mut self.frames
        } else {
            self.any_block = true;
            self.frames.clear();
            self.names.clear();
            self.frame_names = None;
            &mut self.blocks
        };
        if let Some(first) = seen.insert(code.value.to_lowercase(), code.span) {
            seen.insert(code.value.to_lowercase(), first);
            self.add(Problem {
                kind: ProblemKind::Duplicate,
                span: code.span,
                message: format!("a second {what} with the name `{}`", code.value),
                related: vec![(first, format!("the first {what} of this name"))],
                fix: None,
            });
        }
        self.length(code.span, &code.value, what);
    }

    pub(in crate::cif) fn end_of_frame(&mut self, header: Span, closed: bool) {
        self.settle();
        self.frame_names = None;
        if !closed {
            self.push(
                ProblemKind::Unexpected,
                header,
                "the save frame never ends: a line with `save_` must close it",
            );
        }
    }

    /// Reports the names that still wait for a value.
    pub(super) fn settle(&mut self) {
        self.last = None;
        self.behind_field = false;
        for name in std::mem::take(&mut self.missing) {
            let written = name.span.text(self.source);
            self.add(Problem {
                kind: ProblemKind::MissingValue,
                span: name.span,
                message: format!("`{written}` has no value; `?` says that it is unknown"),
                related: Vec::new(),
                fix: Some((
                    "Insert `?` for an unknown value".into(),
                    vec![TextEdit::insert(name.span.end, " ?")],
                )),
            });
        }
    }

    /// A name may stand once in a block or frame.
    pub(super) fn unique(&mut self, name: &Name, value: Option<Value>) {
        self.length(name.span, name.span.text(self.source), "data name");
        if name.value == "_" {
            self.push(ProblemKind::Unexpected, name.span, "`_` alone is no data name");
            return;
        }
        let seen = self.frame_names.as_mut().unwrap_or(&mut self.names);
        let Some(&(first, first_value)) = seen.get(&name.value) else {
            seen.insert(name.value.clone(), (name.span, value));
            return;
        };
        let same = match (first_value, value) {
            (Some(a), Some(b)) => a.text(self.source) == b.text(self.source),
            _ => false,
        };
        let fix = value.filter(|_| same).map(|value| {
            let edit = TextEdit::delete(line_of(self.source, name.span.cover(value.span)));
            ("Remove the repeated item".into(), vec![edit])
        });
        self.add(Problem {
            kind: ProblemKind::Duplicate,
            span: name.span,
            message: format!(
                "`{}` stands a second time in this block (names are the same in upper and lower \
                 case)",
                name.span.text(self.source)
            ),
            related: vec![(first, "the first time".into())],
            fix,
        });
    }

    /// CIF 1.1 allows names and block codes of 75 characters.
    fn length(&mut self, span: Span, text: &str, what: &str) {
        const LIMIT: usize = 75;
        if self.version == CifVersion::V1 && text.len() > LIMIT {
            let n = text.chars().count();
            if n > LIMIT {
                self.push(
                    ProblemKind::TooLong,
                    span,
                    format!("a {what} of {n} characters; CIF 1.1 allows {LIMIT}"),
                );
            }
        }
    }
}
