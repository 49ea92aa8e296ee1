//! The lines above the atoms but for those that name and count them: scale, lattice vectors, mode.

use super::Mode;
use super::fields::Line;
use super::read::Reader;
use crate::problem::{Problem, ProblemKind};
use crate::text::{Span, TextEdit};
use crate::value::Spanned;

/// Atoms are written within the cell or one next to it; a larger number is a length in Å.
const LARGEST_FRACTION: f64 = 2.0;

impl<'s> Reader<'s> {
    pub(super) fn header(&mut self) -> Option<()> {
        let line = self.need("the scale (one number, or three)")?;
        self.scale(line);
        self.lattice()?;
        self.species_and_counts()?;
        let mut line = self.need("`Direct` or `Cartesian`")?;
        let first = |line: Line<'_>| line.text.trim_start().chars().next();
        if matches!(first(line), Some('s' | 'S')) {
            self.file.selective = Some(line.trimmed());
            line = self.need("`Direct` or `Cartesian`")?;
        }
        if line.vector().is_some() {
            self.at -= 1;
            self.no_mode(line);
        } else {
            let value = match first(line) {
                Some('c' | 'C' | 'k' | 'K') => Mode::Cartesian,
                _ => Mode::Direct,
            };
            self.file.mode = Some(Spanned { value, span: line.trimmed() });
        }
        self.atoms();
        Some(())
    }

    /// The mode line was forgotten: this row is an atom's. Numbers that are no fractions leave it open what they are.
    fn no_mode(&mut self, row: Line<'s>) {
        let rows = self.lines[self.at..].iter().map_while(Line::vector);
        let fractions = rows.flatten().all(|number| number.value.value.abs() <= LARGEST_FRACTION);
        let mut message = "`Direct` or `Cartesian` should stand before the first atom".to_owned();
        let mut fix = None;
        if fractions {
            let place = Span::at(row.span.start);
            self.file.mode = Some(Spanned { value: Mode::Direct, span: place });
            message += "; the rows are read as direct coordinates";
            let edit = TextEdit::insert(place.start, "Direct\n");
            fix = Some(("Insert `Direct`".into(), vec![edit]));
        } else {
            message += "; these are no fractions, so the atoms have no positions";
        }
        let (kind, span, related) = (ProblemKind::BadLine, row.trimmed(), Vec::new());
        self.problems.push(Problem { kind, span, message, related, fix });
    }

    /// Where the second line is a lattice vector, and so are the two below and not the third, the scale was
    /// forgotten.
    fn is_vector_for_scale(&self) -> bool {
        let vector =
            |n: usize| self.lines.get(self.at - 1 + n).is_some_and(|l| l.vector().is_some());
        (0..3).all(vector) && !vector(3)
    }

    fn scale(&mut self, line: Line<'s>) {
        if self.is_vector_for_scale() {
            self.at -= 1;
            self.problems.push(Problem {
                kind: ProblemKind::MissingLine,
                span: line.trimmed(),
                message:
                    "the scale (one number, or three) must stand above the first lattice vector"
                        .into(),
                related: Vec::new(),
                fix: Some((
                    "Insert a scale of 1.0".into(),
                    vec![TextEdit::insert(line.span.start, "1.0\n")],
                )),
            });
            return;
        }
        let numbers: Vec<_> = line.words().map_while(|field| field.number()).take(3).collect();
        match numbers.as_slice() {
            [] => {
                let span = line.words().next().map_or(line.trimmed(), |field| field.span);
                let message = "the scale should stand here: one number, or three";
                self.push(ProblemKind::BadNumber, span, message);
            }
            [_, _] => {
                let message = "the scale is one number, or three: here are two";
                self.push(ProblemKind::BadLine, line.trimmed(), message);
                self.file.scale = numbers[..1].to_vec();
            }
            numbers => {
                if let Some(zero) = numbers.iter().find(|n| n.value.value == 0.0) {
                    self.push(ProblemKind::BadNumber, zero.span, "the scale must not be zero");
                } else if let [_, _, _] = numbers
                    && let Some(bad) = numbers.iter().find(|n| n.value.value < 0.0)
                {
                    let message = "three scales must all be positive";
                    self.push(ProblemKind::BadNumber, bad.span, message);
                }
                self.file.scale = numbers.to_vec();
            }
        }
    }

    fn lattice(&mut self) -> Option<()> {
        let mut vectors = Vec::with_capacity(3);
        for name in ["first", "second", "third"] {
            let line = self.need(&format!("the {name} lattice vector (three numbers)"))?;
            if let Some(vector) = line.vector() {
                self.decimal_comma(line);
                vectors.push(vector);
            } else {
                self.no_vector(line, &format!("the {name} lattice vector"));
            }
        }
        if vectors.len() == 3 {
            self.file.lattice = vectors;
        }
        Some(())
    }
}
