//! Single values: bare words and what stands between delimiters.

use super::Report;
use super::mend::{close_quote, quote};
use crate::cif::{CifVersion, Value, ValueKind};
use crate::problem::{Problem, ProblemKind};
use crate::text::{Span, TextEdit};

impl Report<'_> {
    /// Any bare word.
    pub(in crate::cif) fn word(&mut self, span: Span) {
        if self.has_no_break_space {
            let word = span.text(self.source);
            self.no_break_spaces.extend(
                word.match_indices('\u{a0}')
                    .map(|(at, space)| Span::new(span.start + at, span.start + at + space.len())),
            );
        }
    }

    pub(in crate::cif) fn bare_value(&mut self, span: Span) {
        self.word(span);
        let first = self.source.as_bytes()[span.start];
        let reserved = match self.version {
            CifVersion::V1 => matches!(first, b'[' | b']' | b'$'),
            CifVersion::V2 => first == b'$',
        };
        if reserved {
            let first = char::from(first);
            self.add(Problem {
                kind: ProblemKind::Unexpected,
                span,
                message: format!("a value that begins with `{first}` must be quoted"),
                related: Vec::new(),
                fix: quote(self.source, span, ValueKind::Bare)
                    .map(|edit| ("Quote the value".into(), vec![edit])),
            });
        }
    }

    /// A value in delimiters.
    pub(in crate::cif) fn delimited(&mut self, value: Value, unterminated: bool) {
        self.broken |= unterminated;
        match value.kind {
            ValueKind::TextField => return self.field(value.span, unterminated),
            ValueKind::Bare => return,
            ValueKind::TripleQuoted if unterminated => {
                let opening = Span::new(value.span.start, value.span.start + 3);
                let quotes = opening.text(self.source);
                let message = format!("the string that begins here has no closing `{quotes}`");
                self.push(ProblemKind::Unterminated, opening, message);
                return;
            }
            ValueKind::Quoted if unterminated => {
                let quote = &self.source[value.span.start..=value.span.start];
                self.add(Problem {
                    kind: ProblemKind::Unterminated,
                    span: value.span,
                    message: format!("the string has no closing `{quote}` on its line"),
                    related: Vec::new(),
                    fix: close_quote(self.source, value.span, !self.in_item),
                });
                return;
            }
            _ => {}
        }
        let next = self.source[value.span.end..].chars().next();
        let spaced = next.is_none_or(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
        if !spaced && !matches!(next, Some(']' | '}' | ':')) {
            self.add(Problem {
                kind: ProblemKind::Unexpected,
                span: Span::at(value.span.end),
                message: "white space must stand between two values".into(),
                related: Vec::new(),
                fix: Some(("Insert a space".into(), vec![TextEdit::insert(value.span.end, " ")])),
            });
        }
    }
}
