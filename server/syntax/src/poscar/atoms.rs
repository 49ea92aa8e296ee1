//! The rows of the atoms: as many as the counts say.

use super::AtomRow;
use super::fields::Line;
use super::read::Reader;
use crate::problem::{Problem, ProblemKind};
use crate::text::{Span, TextEdit};

impl Reader<'_> {
    pub(super) fn atoms(&mut self) {
        let total: u64 = self.file.counts.iter().map(|count| u64::from(count.value)).sum();
        let mut group = 0;
        // Rows of this group and those before.
        let mut group_end = self.file.counts.first().map_or(0, |count| u64::from(count.value));
        let first_line = self.at;
        let mut rows = 0;
        let mut flags_missing = false;
        let mut names_in_front = Vec::new();
        while rows < total {
            let Some(&line) = self.lines.get(self.at) else { break };
            let mut fields = line.words();
            if fields.next().is_none_or(|f| f.number().is_none())
                && fields.next().is_none_or(|f| f.number().is_none())
            {
                break;
            }
            while rows >= group_end {
                group += 1;
                group_end += u64::from(self.file.counts[group].value);
            }
            self.at += 1;
            rows += 1;
            let Some(coordinates) = line.vector() else {
                match name_in_front(line) {
                    Some(edits) => names_in_front.push((line, edits)),
                    None => self.no_vector(line, "a row of an atom"),
                }
                continue;
            };
            self.decimal_comma(line);
            let mut end = coordinates[2].span.end;
            let mut flags = None;
            if self.file.selective.is_some() {
                let mut read = line.words().skip(3).map_while(|field| field.flag());
                if let (Some(a), Some(b), Some(c)) = (read.next(), read.next(), read.next()) {
                    end = c.span.end;
                    flags = Some([a, b, c]);
                } else if !std::mem::replace(&mut flags_missing, true) {
                    let message = "selective dynamics needs three flags, T or F, behind the \
                                   coordinates of every atom";
                    self.push(ProblemKind::BadLine, line.trimmed(), message);
                }
            }
            let trailing = line.behind(end);
            self.file.atoms.push(AtomRow { span: line.span, coordinates, flags, group, trailing });
        }
        self.names_in_front(names_in_front);
        self.surplus();
        let extra = self.file.extra_rows.len() as u64;
        if rows < total || extra > 0 {
            self.wrong_number(rows, total, first_line, extra);
        }
    }

    /// Rows as XYZ files have them: one mistake, however many they are.
    fn names_in_front(&mut self, rows: Vec<(Line<'_>, [TextEdit; 2])>) {
        let Some((first, _)) = rows.first() else { return };
        let what = if rows.len() == 1 {
            "its name".to_owned()
        } else {
            format!("the names of {} atoms", rows.len())
        };
        self.problems.push(Problem {
            kind: ProblemKind::BadLine,
            span: first.trimmed(),
            message: format!(
                "the coordinates must come first: VASP cannot read {what} in front of them"
            ),
            related: Vec::new(),
            fix: Some((
                "Put the names behind the coordinates".into(),
                rows.into_iter().flat_map(|(_, edits)| edits).collect(),
            )),
        });
    }

    /// Rows behind the last atom that no blank line divides from it.
    fn surplus(&mut self) {
        while let Some(line) = self.lines.get(self.at).filter(|line| line.vector().is_some()) {
            self.file.extra_rows.push(line.span);
            self.at += 1;
        }
    }

    fn wrong_number(&mut self, rows: u64, total: u64, first_line: usize, extra: u64) {
        let counts = &self.file.counts;
        let counts_span = counts[0].span.cover(counts[counts.len() - 1].span);
        let lines = &self.lines[first_line..self.at];
        let span = match self.file.extra_rows.as_slice() {
            [first, .., last] => first.cover(*last),
            [only] => *only,
            // The last row, or the line before the first one that is missing.
            [] => lines.last().or(self.lines.get(first_line - 1)).map_or(counts_span, |l| l.span),
        };
        let found = rows + extra;
        let rows_word = if found == 1 { "row" } else { "rows" };
        // With one species there is one way to mend the counts.
        let fix = match counts.as_slice() {
            [only] if found > 0 => Some((
                format!("Change the count to {found}"),
                vec![TextEdit::replace(only.span, found.to_string())],
            )),
            _ => None,
        };
        self.problems.push(Problem {
            kind: ProblemKind::CountMismatch,
            span,
            message: format!("{found} {rows_word} of atoms where the counts add up to {total}"),
            related: vec![(counts_span, format!("the counts: {total} atoms"))],
            fix,
        });
    }
}

/// Edits that put the name in front of three numbers behind them.
fn name_in_front(line: Line<'_>) -> Option<[TextEdit; 2]> {
    let mut words = line.words();
    let name = words.next().filter(|f| f.text.starts_with(|c: char| c.is_ascii_alphabetic()))?;
    let numbers: Vec<_> = words.map_while(|field| field.number()).take(3).collect();
    let [first, _, last] = numbers.as_slice() else { return None };
    Some([
        TextEdit::delete(Span::new(name.span.start, first.span.start)),
        TextEdit::insert(last.span.end, format!(" {}", name.text)),
    ])
}
