//! Characters and lines that no CIF may hold.

use super::Report;
use crate::problem::{Problem, ProblemKind};
use crate::text::{Span, TextEdit, is_control};

impl Report<'_> {
    pub(super) fn characters(&mut self) {
        let bytes = self.source.as_bytes();
        let Some(first) = bytes.iter().position(|&b| is_control(b)) else { return };
        let run = bytes[first..].iter().take_while(|&&b| is_control(b)).count();
        let others = bytes[first + run..].iter().filter(|&&b| is_control(b)).count();
        let mut message =
            format!("control character U+{:04X}, which no CIF may hold", bytes[first]);
        if others > 0 {
            message += &format!(" ({others} more further on)");
        }
        self.push(ProblemKind::Unexpected, Span::new(first, first + run), message);
    }

    pub(super) fn no_break_space(&mut self) {
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

    pub(super) fn long_lines(&mut self) {
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
