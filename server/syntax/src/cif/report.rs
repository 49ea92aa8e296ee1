//! What is wrong with the text of a CIF.
//!
//! The outline tells this report what it meets, in the order of the text. The report waits where a
//! mistake shows only later (names without values before a run of stray values: a forgotten
//! `loop_`), so that one cause gives one problem.

mod characters;
mod compound;
mod fields;
mod mend;
mod names;
mod stray;
mod values;

use std::collections::HashMap;

use mend::first_line;

use super::arity;
use super::{CifVersion, Item, Loop, Name, Value, ValueKind};
use crate::composition_line::comment::asks;
use crate::problem::{Problem, ProblemKind, Problems};
use crate::text::{Span, TextEdit};

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

    /// `comments` are all of the file.
    pub(super) fn finish(mut self, comments: &[Span]) -> Vec<Problem> {
        self.settle();
        self.out_of_step = false;
        if !self.any_block && !self.any_content {
            // Whatever this is, it is no CIF: its details say nothing.
            self.problems.clear();
            // But a file that only asks for a structure is meant to be so: the answer brings the block.
            let asks = comments.iter().any(|comment| asks(comment.text(self.source)));
            if asks && self.prologue.is_none() {
                return Vec::new();
            }
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
