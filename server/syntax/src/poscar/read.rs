//! From lines to the parts of a POSCAR. The format is that of the VASP wiki, page POSCAR.

use super::PoscarFile;
use super::fields::{Line, lines};
use super::tail;
use crate::problem::{Problem, ProblemKind, Problems};
use crate::text::{Span, TextEdit, is_control};
use crate::value::{Number, Spanned};

/// The typed view of a text, and what is wrong with it.
pub(crate) fn read(source: &str) -> (PoscarFile, Vec<Problem>) {
    let mut reader = Reader {
        source,
        lines: lines(source),
        at: 0,
        file: PoscarFile::default(),
        problems: Problems::default(),
    };
    reader.file();
    reader.characters();
    (reader.file, reader.problems.into_sorted())
}

pub(super) struct Reader<'s> {
    pub(super) source: &'s str,
    pub(super) lines: Vec<Line<'s>>,
    /// The next line.
    pub(super) at: usize,
    pub(super) file: PoscarFile,
    pub(super) problems: Problems,
}

impl<'s> Reader<'s> {
    pub(super) fn push(&mut self, kind: ProblemKind, span: Span, message: impl Into<String>) {
        let message = message.into();
        self.problems.push(Problem { kind, span, message, related: Vec::new(), fix: None });
    }

    fn file(&mut self) {
        if self.source.trim_start_matches('\u{feff}').trim().is_empty() {
            let message = "the file is empty: a POSCAR begins with a comment line, the scale and \
                           three lattice vectors";
            self.push(ProblemKind::MissingLine, Span::at(0), message);
            return;
        }
        self.leading_blank_lines();
        if let Some(line) = self.lines.get(self.at).copied() {
            let span = Span::new(line.span.start + bom_width(line.text), line.span.end);
            let value = span.text(self.source).trim().to_owned();
            self.file.comment = Some(Spanned { value, span });
            self.at += 1;
        }
        // Each step gives up where the line it needs is not there: one problem, not one for each.
        let _ = self.header();
        self.rest();
    }

    /// The comment line may be empty. Where the line behind it is no scale, but the one behind the
    /// first line with text is, the empty lines are too many.
    fn leading_blank_lines(&mut self) {
        let is_scale = |line: &Line<'_>| line.words().next().is_some_and(|f| f.number().is_some());
        let Some(first) = self.lines.iter().position(|line| !line.is_blank()) else { return };
        let shifted = first > 0
            && !self.lines.get(1).is_some_and(is_scale)
            && self.lines.get(first + 1).is_some_and(is_scale);
        if shifted {
            let span = Span::new(0, self.lines[first].span.start);
            let lines = if first == 1 { "line" } else { "lines" };
            self.problems.push(Problem {
                kind: ProblemKind::BadLine,
                span: Span::at(0),
                message: format!(
                    "{first} empty {lines} before the comment line: VASP counts lines"
                ),
                related: Vec::new(),
                fix: Some((format!("Remove the empty {lines}"), vec![TextEdit::delete(span)])),
            });
            self.at = first;
        }
    }

    /// The next line that is not blank. Blank lines in the header shift everything for VASP.
    pub(super) fn need(&mut self, what: &str) -> Option<Line<'s>> {
        let first = self.at;
        while self.lines.get(self.at).is_some_and(Line::is_blank) {
            self.at += 1;
        }
        let Some(&line) = self.lines.get(self.at) else {
            let end = self.source.trim_end().len();
            self.push(
                ProblemKind::MissingLine,
                Span::at(end),
                format!("the file ends where {what} should follow"),
            );
            return None;
        };
        if self.at > first {
            let span = Span::new(self.lines[first].span.start, line.span.start);
            let n = self.at - first;
            let blank = if n == 1 { "an empty line" } else { "empty lines" };
            self.problems.push(Problem {
                kind: ProblemKind::BadLine,
                span: self.lines[first].span,
                message: format!("{blank} where {what} should stand: VASP counts lines"),
                related: Vec::new(),
                fix: Some((format!("Remove {blank}"), vec![TextEdit::delete(span)])),
            });
        }
        self.at += 1;
        Some(line)
    }

    /// What stands behind the atoms, or behind the line where reading had to stop.
    fn rest(&mut self) {
        let Some(&line) = self.lines.get(self.at) else { return };
        let span = Span::new(line.span.start, self.source.len());
        if span.text(self.source).trim().is_empty() {
            return;
        }
        self.file.tail = Some(span);
        if !self.file.atoms.is_empty() {
            tail::read(self);
        }
    }

    fn characters(&mut self) {
        let bytes = self.source.as_bytes();
        let Some(first) = bytes.iter().position(|&b| is_control(b)) else { return };
        let run = bytes[first..].iter().take_while(|&&b| is_control(b)).count();
        let message = format!("control character U+{:04X}", bytes[first]);
        self.push(ProblemKind::Unexpected, Span::new(first, first + run), message);
    }
}

fn bom_width(text: &str) -> usize {
    if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
}

/// A row of three numbers.
pub(super) type Row = [Spanned<Number>; 3];
