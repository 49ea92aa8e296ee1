//! What is wrong with the text of a CIF.
//!
//! The outline tells this report what it meets, in the order of the text. The report waits where a
//! mistake shows only later (names without values before a run of stray values: a forgotten
//! `loop_`), so that one cause gives one problem.

use std::collections::HashMap;

use tree_sitter::Node;

use super::arity;
use super::{CifVersion, Item, Loop, Name, Value, ValueKind};
use crate::problem::{Problem, ProblemKind};
use crate::text::{Span, TextEdit};
use crate::value::Spanned;

pub(super) struct Report<'s> {
    source: &'s str,
    version: CifVersion,
    problems: Vec<Problem>,
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
    broken_table: bool,
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
            problems: Vec::new(),
            blocks: HashMap::new(),
            frames: HashMap::new(),
            names: HashMap::new(),
            frame_names: None,
            missing: Vec::new(),
            last: None,
            behind_field: false,
            suspect: None,
            out_of_step: false,
            broken_table: false,
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

    pub(super) fn item(&mut self, item: &Item) {
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
        let broken = std::mem::take(&mut self.broken_table);
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

    /// The loop that is being read holds a string or text field without an end, which may have
    /// taken any number of values.
    pub(super) fn broken_table(&mut self) {
        self.broken_table = true;
    }

    /// Values that belong to no name.
    pub(super) fn stray(&mut self, span: Span, values: &[Value]) {
        if std::mem::take(&mut self.behind_field) && self.lose_step() {
            return;
        }
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
            self.forgotten_loop(name, span, n);
            return;
        }
        self.settle();
        self.add(Problem {
            kind: ProblemKind::StrayValue,
            span,
            message: format!(
                "{n} {what} too many: `{}` takes one value; one with spaces in it must be quoted",
                name.span.text(self.source)
            ),
            related: vec![(name.span, "the name that has its value already".into())],
            fix: quote(self.source, whole, value.kind)
                .map(|edit| ("Quote the whole value".into(), vec![edit])),
        });
    }

    /// Names without values, one with, and more values: `loop_` is missing in front.
    fn forgotten_loop(&mut self, last: Name, stray: Span, n: usize) {
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
                let message = format!("the string has no closing `{quote}` on its line");
                self.push(ProblemKind::Unterminated, value.span, message);
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

    fn field(&mut self, span: Span, unterminated: bool) {
        if self.suspect.is_none()
            && let Some(at) = name_inside(self.source, span)
        {
            self.suspect = Some((span, at));
        }
        let glued = || {
            let next = self.source[span.end..].chars().next();
            !next.is_none_or(|c| matches!(c, ' ' | '\t' | '\n' | '\r' | '_' | '#'))
        };
        if unterminated {
            if !self.lose_step() {
                self.never_ends(span, None);
            }
        } else if glued() {
            // A semicolon that closes stands alone; this one begins the next text field.
            let closing = span.end - 1;
            self.never_ends(span, name_inside(self.source, span));
            if let Some(problem) = self.problems.last_mut() {
                problem
                    .related
                    .push((Span::new(closing, span.end), "the next text field begins".into()));
            }
            self.out_of_step = true;
        }
    }

    /// Text fields open and close in the wrong order from the first one that swallowed data names.
    /// Whether there is such a one; what followed it is not reported.
    fn lose_step(&mut self) -> bool {
        if self.out_of_step {
            return true;
        }
        let Some((span, at)) = self.suspect else { return false };
        self.problems.retain(|p| p.span.start < span.start);
        self.missing.clear();
        self.last = None;
        self.never_ends(span, Some(at));
        self.out_of_step = true;
        true
    }

    /// A text field without an end; `before` is where its end seems to be missing.
    fn never_ends(&mut self, span: Span, before: Option<usize>) {
        let opening = Span::new(span.start, span.start + 1);
        self.add(Problem {
            kind: ProblemKind::Unterminated,
            span: opening,
            message:
                "the text field that begins here never ends: a `;` at the beginning of a line \
                      must close it"
                    .into(),
            related: before
                .map(|at| (Span::at(at), "the end seems to be missing before this line".into()))
                .into_iter()
                .collect(),
            fix: before.map(|at| ("Insert `;`".into(), vec![TextEdit::insert(at, ";\n")])),
        });
    }

    /// A list or table of CIF 2.0: everything in it must be closed, and tables have keys.
    pub(super) fn compound(&mut self, node: Node<'_>) {
        let mut cursor = node.walk();
        let mut reported_open = false;
        loop {
            let node = cursor.node();
            let span: Span = node.byte_range().into();
            match node.kind() {
                kind @ ("list" | "table") if !reported_open => {
                    let (opening, closing) = if kind == "list" { ("[", "]") } else { ("{", "}") };
                    let last = u32::try_from(node.child_count()).unwrap_or(u32::MAX) as usize;
                    if node.child(last - 1).is_none_or(|child| child.kind() != closing) {
                        reported_open = true;
                        self.push(
                            ProblemKind::Unexpected,
                            Span::new(span.start, span.start + 1),
                            format!("this `{opening}` is never closed by `{closing}`"),
                        );
                    }
                }
                "table_entry" if node.child_count() == 2 => self.push(
                    ProblemKind::MissingValue,
                    span,
                    "this key has no value; `?` says that it is unknown",
                ),
                _ => {}
            }
            if !cursor.goto_first_child() {
                while !cursor.goto_next_sibling() {
                    if !cursor.goto_parent() {
                        return;
                    }
                }
            }
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
            return self.problems;
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
        self.problems.sort_by_key(|p| p.span);
        self.problems
    }

    fn characters(&mut self) {
        let is_control = |b: &u8| (*b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r')) || *b == 0x7f;
        let bytes = self.source.as_bytes();
        let Some(first) = bytes.iter().position(|b| is_control(b)) else { return };
        let run = bytes[first..].iter().take_while(|b| is_control(b)).count();
        let others = bytes[first + run..].iter().filter(|b| is_control(b)).count();
        let mut message =
            format!("control character U+{:04X}, which no CIF may hold", bytes[first]);
        if others > 0 {
            message += &format!(" ({others} more further on)");
        }
        self.push(ProblemKind::Unexpected, Span::new(first, first + run), message);
    }

    fn no_break_space(&mut self) {
        let spaces = std::mem::take(&mut self.no_break_spaces);
        let Some(&first) = spaces.first() else { return };
        self.add(Problem {
            kind: ProblemKind::Unexpected,
            span: first,
            message: "a no-break space (U+00A0), which divides no words in a CIF".into(),
            related: Vec::new(),
            fix: Some((
                "Replace by a space".into(),
                spaces.iter().map(|&span| TextEdit::replace(span, " ")).collect(),
            )),
        });
    }

    fn long_lines(&mut self) {
        const LIMIT: usize = 2048;
        let mut first = None;
        let mut others = 0;
        let mut start = 0;
        for line in self.source.split(['\n', '\r']) {
            if line.len() > LIMIT
                && let Some((at, _)) = line.char_indices().nth(LIMIT)
            {
                match first {
                    None => first = Some(Span::new(start + at, start + line.len())),
                    Some(_) => others += 1,
                }
            }
            start += line.len() + 1;
        }
        let Some(span) = first else { return };
        let mut message = format!("the line is longer than the {LIMIT} characters a CIF allows");
        if others > 0 {
            message += &format!(" ({others} more such lines further on)");
        }
        self.push(ProblemKind::TooLong, span, message);
    }
}

pub(super) fn plural(n: usize, noun: &str) -> String {
    if n == 1 { noun.to_owned() } else { format!("{noun}s") }
}

/// Quotes a text that stands on one line, if there is a quote it does not hold.
fn quote(source: &str, span: Span, kind: ValueKind) -> Option<TextEdit> {
    let text = span.text(source);
    if kind != ValueKind::Bare || text.contains(['\n', '\r']) {
        return None;
    }
    let quote = ['\'', '"'].into_iter().find(|&q| !text.contains(q))?;
    Some(TextEdit::replace(span, format!("{quote}{text}{quote}")))
}

/// The span with its line break where nothing else stands on its lines.
fn line_of(source: &str, span: Span) -> Span {
    let is_blank = |c: char| matches!(c, ' ' | '\t');
    let head = source[..span.start].trim_end_matches(is_blank);
    let tail = source[span.end..].trim_start_matches(is_blank);
    let begins = head.is_empty() || head.ends_with(['\n', '\r']);
    let width = match tail.as_bytes() {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    };
    if begins && (width > 0 || tail.is_empty()) {
        Span::new(head.len(), source.len() - tail.len() + width)
    } else {
        span
    }
}

/// The part of a span on its first line.
fn first_line(source: &str, span: Span) -> Span {
    let len = span.text(source).find(['\n', '\r']).unwrap_or(span.len());
    Span::new(span.start, span.start + len)
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
