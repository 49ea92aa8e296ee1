//! What is wrong with a row of three numbers.

use super::fields::Line;
use super::read::Reader;
use crate::mistyped::mistyped_fortran_number;
use crate::problem::{Problem, ProblemKind};
use crate::text::TextEdit;

impl Reader<'_> {
    /// Says that a comma divides numbers.
    pub(super) fn decimal_comma(&mut self, line: Line<'_>) {
        let Some(span) = line.decimal_comma() else { return };
        let point = span.text(self.source).replacen(',', ".", 1);
        self.problems.push(Problem {
            kind: ProblemKind::BadNumber,
            span,
            message: format!(
                "`{}` is two numbers to VASP: the decimal sign must be a point",
                span.text(self.source)
            ),
            related: Vec::new(),
            fix: Some((format!("Write {point}"), vec![TextEdit::replace(span, point)])),
        });
    }

    /// Says which of three numbers is none, or that there are fewer.
    pub(super) fn no_vector(&mut self, line: Line<'_>, what: &str) {
        let mut words = line.words().take(3);
        if let Some(bad) = words.find(|field| field.number().is_none()) {
            let message = if bad.text.bytes().all(|b| b == b'*') {
                format!("`{}` stands for a number that did not fit its columns", bad.text)
            } else {
                format!("`{}` is no number that VASP can read; {what} takes three", bad.text)
            };
            let mistyped = mistyped_fortran_number(bad.text);
            let why = mistyped.as_ref().map_or(String::new(), |m| format!(": {}", m.why));
            let meant = mistyped.and_then(|m| m.meant);
            self.problems.push(Problem {
                kind: ProblemKind::BadNumber,
                span: bad.span,
                message: message + &why,
                related: Vec::new(),
                fix: meant.map(|meant| {
                    (format!("Write {meant}"), vec![TextEdit::replace(bad.span, meant)])
                }),
            });
        } else {
            let n = line.words().count();
            let message = format!("{what} takes three numbers; here are {n}");
            self.push(ProblemKind::BadLine, line.trimmed(), message);
        }
    }
}
