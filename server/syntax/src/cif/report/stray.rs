//! Values and words where nothing takes them.

use super::mend::{detached_uncertainty, quote};
use super::{Report, plural};
use crate::cif::{Name, Value};
use crate::problem::{Problem, ProblemKind};
use crate::text::{Span, TextEdit};

impl Report<'_> {
    /// Values that belong to no name.
    pub(in crate::cif) fn stray(&mut self, span: Span, values: &[Value]) {
        self.behind_field = false;
        self.broken = false;
        let n = values.len();
        let what = plural(n, "value");
        let Some((name, value)) = self.last.take() else {
            self.settle();
            let message = format!(
                "{n} {what} without a data name: a name, or a loop with names, must precede"
            );
            self.push(ProblemKind::StrayValue, span, message);
            return;
        };
        if value.span.end == span.start {
            // The white space that is missing between them is reported.
            self.settle();
            return;
        }
        let whole = value.span.cover(span);
        let one_line = !name.span.cover(span).text(self.source).contains(['\n', '\r']);
        if !self.missing.is_empty() && !one_line {
            self.forgotten_loop(&name, span, n);
            return;
        }
        self.settle();
        let uncertainty = detached_uncertainty(self.source, value.span, span);
        let cure = match uncertainty {
            Some(_) => "a standard uncertainty follows its number without a space",
            None => "one with spaces in it must be quoted",
        };
        self.add(Problem {
            kind: ProblemKind::StrayValue,
            span,
            message: format!(
                "{n} {what} too many: `{}` takes one value; {cure}",
                name.span.text(self.source)
            ),
            related: vec![(name.span, "the name that has its value already".into())],
            fix: uncertainty.or_else(|| {
                quote(self.source, whole, value.kind)
                    .map(|edit| ("Quote the whole value".into(), vec![edit]))
            }),
        });
    }

    /// Names without values, one with, and more values: `loop_` is missing in front.
    fn forgotten_loop(&mut self, last: &Name, stray: Span, n: usize) {
        let names = std::mem::take(&mut self.missing);
        let first = names[0].span;
        let columns = names.len() + 1;
        let fits = (n + 1).is_multiple_of(columns);
        self.add(Problem {
            kind: ProblemKind::StrayValue,
            span: first.cover(last.span),
            message: format!(
                "{columns} data names followed by {} values: `loop_` must stand in front of the \
                 names of a table",
                n + 1
            ),
            related: vec![(stray, "values that belong to no name".into())],
            fix: fits
                .then(|| ("Insert `loop_`".into(), vec![TextEdit::insert(first.start, "loop_\n")])),
        });
    }

    pub(in crate::cif) fn unexpected(&mut self, span: Span) {
        self.settle();
        let word = span.text(self.source);
        let message = match word.to_ascii_lowercase().as_str() {
            "stop_" => "`stop_` is reserved and ends nothing in a CIF: loops end by themselves",
            "global_" => "`global_` is reserved: a CIF has no global blocks",
            "save_" => "`save_` closes a save frame, and none is open here",
            "]" => "this `]` closes nothing",
            _ => "this `}` closes nothing",
        };
        let fix =
            word.ends_with('_').then(|| (format!("Remove `{word}`"), vec![TextEdit::delete(span)]));
        self.add(Problem {
            kind: ProblemKind::Unexpected,
            span,
            message: message.into(),
            related: Vec::new(),
            fix,
        });
    }
}
