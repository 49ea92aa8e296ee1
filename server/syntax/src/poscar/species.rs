//! The species and how many atoms each has.

use cellwright_crystal::Element;

use super::fields::{Field, Line};
use super::read::Reader;
use crate::problem::{Problem, ProblemKind};
use crate::text::{Span, TextEdit};
use crate::value::Spanned;

impl<'s> Reader<'s> {
    pub(super) fn species_and_counts(&mut self) -> Option<()> {
        let mut line = self.need("the species names or the numbers of atoms")?;
        let is_integer = |field: Field<'_>| field.text.bytes().all(|b| b.is_ascii_digit());
        if line.words().next().is_none_or(|field| field.number().is_none()) {
            for field in line.words() {
                // VASP 6.4.2 and later write the POTCAR's hash behind a slash.
                let len = field.text.find('/').unwrap_or(field.text.len());
                if len > 0 {
                    let span = Span::new(field.span.start, field.span.start + len);
                    let value = field.text[..len].to_owned();
                    self.file.species.push(Spanned { value, span });
                }
            }
            line = self.need("the numbers of atoms")?;
        }
        line = self.species_below(line).unwrap_or(line);
        for field in line.words() {
            match field.text.parse() {
                Ok(value) if is_integer(field) => {
                    self.file.counts.push(Spanned { value, span: field.span });
                }
                // What stands behind the last count is not read.
                _ if self.file.counts.len() >= self.file.species.len().max(1)
                    && field.number().is_none() =>
                {
                    break;
                }
                _ => {
                    let message = format!("`{}` is no number of atoms", field.text);
                    self.push(ProblemKind::BadNumber, field.span, message);
                    break;
                }
            }
        }
        self.wrapped_counts(line);
        let (species, counts) = (self.file.species.len(), self.file.counts.len());
        if species > 0 && counts > 0 && species != counts {
            let numbers = if counts == 1 { "number" } else { "numbers" };
            let message = format!("{species} species, but {counts} {numbers} of atoms");
            self.push(ProblemKind::BadLine, line.trimmed(), message);
        }
        (counts > 0).then_some(())
    }

    /// Species that stand below the counts: as many symbols of elements, and behind them the line of the mode.
    fn species_below(&mut self, counts: Line<'s>) -> Option<Line<'s>> {
        let is_word = |field: Option<Field<'_>>| field.is_some_and(|f| f.number().is_none());
        let names = *self.lines.get(self.at)?;
        let elements = names.words().all(|f| Element::from_symbol(f.text).is_some());
        let fits = self.file.species.is_empty()
            && counts.words().next().is_some_and(|field| field.number().is_some())
            && names.words().count() == counts.words().count()
            && elements
            && is_word(self.lines.get(self.at + 1)?.words().next());
        if !fits {
            return None;
        }
        self.at += 1;
        for field in names.words() {
            let name = Spanned { value: field.text.to_owned(), span: field.span };
            self.file.species.push(name);
        }
        let swap = |a: Line<'_>, b: Line<'_>| TextEdit::replace(a.span, b.text);
        self.problems.push(Problem {
            kind: ProblemKind::BadLine,
            span: names.trimmed(),
            message: "the species must stand above the numbers of atoms".into(),
            related: vec![(counts.trimmed(), "the numbers of atoms".into())],
            fix: Some((
                "Exchange the two lines".into(),
                vec![swap(counts, names), swap(names, counts)],
            )),
        });
        Some(counts)
    }

    /// Counts that go on below: lines with nothing but counts, until there is one for each species.
    fn wrapped_counts(&mut self, first: Line<'s>) {
        let species = self.file.species.len();
        let start = self.at;
        let mut more = Vec::new();
        while self.file.counts.len() + more.len() < species {
            let Some(line) = self.lines.get(self.at).filter(|line| !line.is_blank()) else { break };
            let counts: Option<Vec<Spanned<u32>>> = line
                .words()
                .map(|f| Some(Spanned { value: f.text.parse().ok()?, span: f.span }))
                .collect();
            let Some(counts) = counts else { break };
            more.extend(counts);
            self.at += 1;
        }
        if more.is_empty() || self.file.counts.len() + more.len() != species {
            self.at = start;
            return;
        }
        self.file.counts.extend(more);
        let last = self.lines[self.at - 1];
        let breaks = (start..self.at).map(|i| {
            TextEdit::replace(Span::new(self.lines[i - 1].span.end, self.lines[i].span.start), " ")
        });
        self.problems.push(Problem {
            kind: ProblemKind::BadLine,
            span: first.trimmed().cover(last.trimmed()),
            message: "the numbers of atoms must stand on one line: VASP reads no other".into(),
            related: Vec::new(),
            fix: Some(("Join the lines".into(), breaks.collect())),
        });
    }
}
