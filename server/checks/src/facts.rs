//! What several rules need to know, found once: which parts of a reading may be relied on, and which
//! atoms are close. This is what keeps one cause to one finding.

use cellwright_syntax::cif::{Block, Loop};
use cellwright_syntax::reading::{Obstacle, ObstacleKind};
use cellwright_syntax::{File, Parsed, Problem, ProblemKind, Reading, Span};

use crate::Tolerances;
use crate::contacts::{self, Contacts, SAME_PLACE};
use crate::radians;

/// Facts of a whole file.
#[derive(Debug)]
pub(crate) struct Facts {
    /// One for each of [`Parsed::readings`].
    pub(crate) readings: Vec<ReadingFacts>,
    /// Where the text is wrong.
    pub(crate) disturbed: Disturbed,
}

/// The places of the syntax problems that let values slip or vanish; in order, without overlaps.
#[derive(Debug)]
pub(crate) struct Disturbed(Vec<Span>);

impl Disturbed {
    fn new(problems: &[Problem]) -> Self {
        let mut spans: Vec<Span> = Vec::new();
        for problem in problems.iter().filter(|p| p.kind != ProblemKind::TooLong) {
            spans.push(problem.span);
            // The values of a table without `loop_` are read as what they are not.
            if problem.kind == ProblemKind::StrayValue {
                spans.extend(problem.related.iter().map(|r| r.0));
            }
        }
        spans.sort();
        let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
        for span in spans {
            match merged.last_mut() {
                Some(last) if span.start <= last.end => *last = last.cover(span),
                _ => merged.push(span),
            }
        }
        Self(merged)
    }

    /// Whether one of the places touches a span.
    pub(crate) fn touches(&self, span: Span) -> bool {
        let next = self.0.partition_point(|s| s.end < span.start);
        self.0.get(next).is_some_and(|s| s.start <= span.end)
    }
}

/// Facts of one reading.
#[derive(Debug)]
pub(crate) struct ReadingFacts {
    /// Whether the cell is the one that was meant: its angles are not in radians.
    pub(crate) cell: bool,
    /// Whether the list of operations was read as it stands in the text.
    pub(crate) operations: bool,
    /// Whether, besides, every operation of the list could be understood.
    pub(crate) operations_readable: bool,
    /// Whether the atoms that were placed stand where the file puts them.
    pub(crate) geometry: bool,
    /// Whether, besides, no atom is missing and every species is known: what formula and charge need.
    pub(crate) composition: bool,
    /// Which atoms are too close; nothing where `geometry` is false.
    pub(crate) contacts: Contacts,
}

impl Facts {
    pub(crate) fn new(parsed: &Parsed, tolerances: &Tolerances) -> Self {
        let disturbed = Disturbed::new(&parsed.problems);
        let readings = parsed.readings.iter();
        let readings = readings.map(|r| ReadingFacts::new(parsed, r, &disturbed, tolerances));
        Self { readings: readings.collect(), disturbed }
    }
}

impl ReadingFacts {
    fn new(
        parsed: &Parsed,
        reading: &Reading,
        disturbed: &Disturbed,
        tolerances: &Tolerances,
    ) -> Self {
        let (operations, atoms) = match &parsed.file {
            File::Cif(cif) => match cif.blocks.get(reading.block) {
                Some(block) => intact_loops(disturbed, block),
                None => (false, false),
            },
            File::Poscar(_) => (true, disturbed.0.is_empty()),
        };
        // A POSCAR has no columns that could slip: rows that were read stand where they say.
        let cell = radians::in_degrees(reading).is_none();
        let geometry = cell && operations && (atoms || matches!(parsed.file, File::Poscar(_)));
        let complete = !reading.sites.iter().any(|s| s.masked || s.occupancy < 0.0);
        let expanded = !reading.obstacles.iter().any(|o| match o.kind {
            ObstacleKind::Operation
            | ObstacleKind::TooManyAtoms
            | ObstacleKind::Coordinate
            | ObstacleKind::Species
            | ObstacleKind::Occupancy
            | ObstacleKind::Rows => true,
            // An unknown symbol matters only where no list of operations stands beside it.
            ObstacleKind::SpaceGroup => reading.symmetry.operations.len() <= 1,
        });
        let contacts =
            if geometry { contacts::find(reading, tolerances) } else { Contacts::default() };
        let unreadable = |o: &Obstacle| o.kind == ObstacleKind::Operation;
        // The same atom twice, or two for one on a special position, is one fault; what it does to the formula
        // is its consequence.
        let twice = matches!(&contacts, Contacts::Listed(list) if list.iter().any(|c| {
            let same = reading.sites[c.a].element == reading.sites[c.b].element;
            let limit = if c.a == c.b { tolerances.distance_error } else { SAME_PLACE };
            c.meet && same && c.distance < limit
        }));
        Self {
            cell,
            operations,
            operations_readable: operations && !reading.obstacles.iter().any(unreadable),
            geometry,
            composition: geometry
                && atoms
                && complete
                && expanded
                && !twice
                && reading.structure.is_some(),
            contacts,
        }
    }
}

/// Whether the loops of operations and of atom sites are free of syntax problems that shift or swallow
/// their values.
fn intact_loops(disturbed: &Disturbed, block: &Block) -> (bool, bool) {
    let intact = |table: Option<&Loop>| table.is_none_or(|table| !disturbed.touches(table.span));
    let operations = block.loops.iter().find(|l| {
        l.names.iter().any(|n| n.value.ends_with("_as_xyz") || n.value.ends_with("operation_xyz"))
    });
    let atoms = block.loops.iter().find(|l| {
        l.names.iter().any(|n| {
            matches!(
                n.value.as_str(),
                "_atom_site_label"
                    | "_atom_site.label"
                    | "_atom_site.id"
                    | "_atom_site_fract_x"
                    | "_atom_site.fract_x"
                    | "_atom_site.cartn_x"
                    | "_atom_site_cartn_x"
            )
        })
    });
    (intact(operations), intact(atoms))
}
