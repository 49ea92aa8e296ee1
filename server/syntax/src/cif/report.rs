//! What is wrong with the text of a CIF.
//!
//! The outline tells this report what it meets, in the order of the text. The report waits where a
//! mistake shows only later (names without values before a run of stray values: a forgotten
//! `loop_`), so that one cause gives one problem.

mod characters;
mod compound;
mod fields;
mod mend;

use std::collections::HashMap;

use mend::{close_quote, detached_uncertainty, first_line, line_of, quote};

use super::arity;
use super::{CifVersion, Item, Loop, Name, Value, ValueKind};
use crate::problem::{Problem, ProblemKind, Problems};
use crate::text::{Span, TextEdit};
use crate::value::Spanned;

pub(super) struct Report<'s> {
    source: &'s str,
    version: CifVersion,
    problems: Problems,
    /// Block codes seen, in lower case.
    blocks: HashMap<String, Span>,
    /// Frame codes of the current block.
    frames: HashMap<String, Span>,
    /// Names of the current block and, while one is open, of the current frame.
    names: HashMap<String, (Span, Option<Value>)>,
    frame_names: Option<HashMap<String, (Span, Option<Value>)>>,
    /// Names without a value that directly precede `last`, or the next item while `last` is empty.
    missing: Vec<Name>,
    /// The last item with a value, if nothing but its value came behind it.
    last: Option<(Name, Value)>,
    /// Whether the construct before ended with a text field.
    behind_field: bool,
    /// The first text field that holds what looks like a data name, and where that stands.
    suspect: Option<(Span, usize)>,
    /// Whether text fields open where they should close: nothing from here on means anything.
    out_of_step: bool,
    /// Whether an item is being read, not a loop or a run of stray values.
    in_item: bool,
    /// Whether the construct being read holds something without an end, which may have taken any
    /// number of values.
    broken: bool,
    has_no_break_space: bool,
    no_break_spaces: Vec<Span>,
    any_block: bool,
    any_content: bool,
    prologue: Option<(Span, bool)>,
}

impl<'s> Report<'s> {
    pub(super) fn new(source: &'s str, version: CifVersion) -> Self {
        Self {
            source,
            version,
            problems: Problems::default(),
            blocks: HashMap::new(),
            frames: HashMap::new(),
            names: HashMap::new(),
            frame_names: None,
            missing: Vec::new(),
            last: None,
            behind_field: false,
            suspect: None,
            out_of_step: false,
            in_item: false,
            broken: false,
            has_no_break_space: source.contains('\u{a0}'),
            no_break_spaces: Vec::new(),
            any_block: false,
            any_content: false,
            prologue: None,
        }
    }

    fn push(&mut self, kind: ProblemKind, span: Span, message: impl Into<String>) {
        self.add(Problem { kind, span, message: message.into(), related: Vec::new(), fix: None });
    }

    fn add(&mut self, problem: Problem) {
        if !self.out_of_step {
            self.problems.push(problem);
        }
    }

    pub(super) fn before_first_block(&mut self, span: Span, kind: &str) {
        self.prologue.get_or_insert((span, matches!(kind, "item" | "loop")));
    }

    /// The header of a block or frame.
    pub(super) fn heading(&mut self, code: &Spanned<String>, is_frame: bool) {
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

    pub(super) fn end_of_frame(&mut self, header: Span, closed: bool) {
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

    pub(super) fn item_begins(&mut self) {
        self.in_item = true;
    }

    pub(super) fn item(&mut self, item: &Item) {
        self.in_item = false;
        self.broken = false;
        self.any_content = true;
        self.behind_field = item.value.is_some_and(|v| v.kind == ValueKind::TextField);
        if self.last.is_some() {
            self.settle();
        }
        self.unique(&item.name, item.value);
        match item.value {
            Some(value) => self.last = Some((item.name.clone(), value)),
            None => self.missing.push(item.name.clone()),
        }
    }

    pub(super) fn table(&mut self, table: &Loop) {
        self.any_content = true;
        self.settle();
        self.behind_field = table.values.last().is_some_and(|v| v.kind == ValueKind::TextField);
        for name in &table.names {
            self.unique(name, None);
        }
        let broken = std::mem::take(&mut self.broken);
        if table.names.is_empty() {
            let message = if table.values.is_empty() {
                "`loop_` is followed by data names and their values; here are none"
            } else {
                "the loop has values but no data names: they must stand between `loop_` and the \
                 values"
            };
            self.push(ProblemKind::EmptyLoop, table.keyword, message);
        } else if table.values.is_empty() {
            let n = table.names.len();
            let message = format!("the loop has {n} {} but no values", plural(n, "name"));
            self.push(ProblemKind::EmptyLoop, table.keyword, message);
        } else if !broken && let Some(problem) = arity::check(self.source, table) {
            self.add(problem);
        }
    }

    /// Values that belong to no name.
    pub(super) fn stray(&mut self, span: Span, values: &[Value]) {
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

    pub(super) fn unexpected(&mut self, span: Span) {
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

    /// Reports the names that still wait for a value.
    fn settle(&mut self) {
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
    fn unique(&mut self, name: &Name, value: Option<Value>) {
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

    /// Any bare word.
    pub(super) fn word(&mut self, span: Span) {
        if self.has_no_break_space {
            let word = span.text(self.source);
            self.no_break_spaces.extend(
                word.match_indices('\u{a0}')
                    .map(|(at, space)| Span::new(span.start + at, span.start + at + space.len())),
            );
        }
    }

    pub(super) fn bare_value(&mut self, span: Span) {
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
    pub(super) fn delimited(&mut self, value: Value, unterminated: bool) {
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

    pub(super) fn finish(mut self) -> Vec<Problem> {
        self.settle();
        self.out_of_step = false;
        if !self.any_block && !self.any_content {
            // Whatever this is, it is no CIF: its details say nothing.
            self.problems.clear();
            let span = self.prologue.map_or(Span::at(0), |(span, _)| first_line(self.source, span));
            self.push(
                ProblemKind::NoBlock,
                span,
                "no data block: a CIF begins with `data_` and a name",
            );
            return self.problems.into_sorted();
        }
        if let Some((span, holds_data)) = self.prologue {
            let span = first_line(self.source, span);
            let edit = TextEdit::insert(span.start, "data_unnamed\n");
            self.add(Problem {
                kind: ProblemKind::NoBlock,
                span,
                message: "text before the first data block: `data_` and a name must precede".into(),
                related: Vec::new(),
                fix: holds_data.then(|| ("Insert a block header".into(), vec![edit])),
            });
        }
        self.characters();
        self.no_break_space();
        self.long_lines();
        self.problems.into_sorted()
    }
}

pub(super) fn plural(n: usize, noun: &str) -> String {
    if n == 1 { noun.to_owned() } else { format!("{noun}s") }
}
