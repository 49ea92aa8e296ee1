//! From lines to the parts of a POSCAR. The format is that of the VASP wiki, page POSCAR.

use cellwright_crystal::Element;

use super::fields::{Field, Line, lines};
use super::tail;
use super::{AtomRow, Mode, PoscarFile};
use crate::mistyped::mistyped_fortran_number;
use crate::problem::{Problem, ProblemKind, Problems};
use crate::text::{Span, TextEdit, is_control};
use crate::value::{Number, Spanned};

/// Atoms are written within the cell or one next to it; a larger number is a length in Å.
const LARGEST_FRACTION: f64 = 2.0;

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
    problems: Problems,
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

    fn header(&mut self) -> Option<()> {
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

    /// The next line that is not blank. Blank lines in the header shift everything for VASP.
    fn need(&mut self, what: &str) -> Option<Line<'s>> {
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

    /// Says that a comma divides numbers.
    fn decimal_comma(&mut self, line: Line<'_>) {
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

    fn species_and_counts(&mut self) -> Option<()> {
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

    fn atoms(&mut self) {
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

fn bom_width(text: &str) -> usize {
    if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
}

/// A row of three numbers.
pub(super) type Row = [Spanned<Number>; 3];
