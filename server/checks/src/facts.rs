//! What several rules need to know, found once: which parts of a reading may be relied on, and which
//! atoms are close. This is what keeps one cause to one finding.

use cellwright_syntax::cif::{Block, Loop};
use cellwright_syntax::reading::{Obstacle, ObstacleKind};
use cellwright_syntax::{File, Parsed, Problem, ProblemKind, Reading, Span};

use crate::Tolerances;
use crate::contacts::{self, Contacts};

/// Facts of a whole file.
#[derive(Debug)]
pub(crate) struct Facts {
    /// One for each of [`Parsed::readings`].
    pub(crate) readings: Vec<ReadingFacts>,
}

/// Facts of one reading.
#[derive(Debug)]
pub(crate) struct ReadingFacts {
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
        let readings = parsed.readings.iter().map(|r| ReadingFacts::new(parsed, r, tolerances));
        Self { readings: readings.collect() }
    }
}

impl ReadingFacts {
    fn new(parsed: &Parsed, reading: &Reading, tolerances: &Tolerances) -> Self {
        let (operations, atoms) = match &parsed.file {
            File::Cif(cif) => match cif.blocks.get(reading.block) {
                Some(block) => intact_loops(&parsed.problems, block),
                None => (false, false),
            },
            File::Poscar(_) => (true, parsed.problems.iter().all(|p| is_harmless(p.kind))),
        };
        // A POSCAR has no columns that could slip: rows that were read stand where they say.
        let geometry = operations && (atoms || matches!(parsed.file, File::Poscar(_)));
        let complete = !reading.sites.iter().any(|s| s.masked || s.occupancy < 0.0);
        let expanded = !reading.obstacles.iter().any(|o| match o.kind {
            ObstacleKind::Operation
            | ObstacleKind::TooManyAtoms
            | ObstacleKind::Coordinate
            | ObstacleKind::Species
            | ObstacleKind::Occupancy => true,
            // An unknown symbol matters only where no list of operations stands beside it.
            ObstacleKind::SpaceGroup => reading.symmetry.operations.len() <= 1,
        });
        let contacts =
            if geometry { contacts::find(reading, tolerances) } else { Contacts::default() };
        let unreadable = |o: &Obstacle| o.kind == ObstacleKind::Operation;
        Self {
            operations,
            operations_readable: operations && !reading.obstacles.iter().any(unreadable),
            geometry,
            composition: geometry && atoms && complete && expanded && reading.structure.is_some(),
            contacts,
        }
    }
}

/// Whether the loops of operations and of atom sites are free of syntax problems that shift or swallow
/// their values.
fn intact_loops(problems: &[Problem], block: &Block) -> (bool, bool) {
    let intact = |table: Option<&Loop>| {
        let Some(table) = table else { return true };
        !problems.iter().any(|p| !is_harmless(p.kind) && touch(p.span, table.span))
    };
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

/// Whether values stay where they belong in spite of such a problem.
fn is_harmless(kind: ProblemKind) -> bool {
    matches!(kind, ProblemKind::TooLong | ProblemKind::BadNumber)
}

fn touch(a: Span, b: Span) -> bool {
    a.start <= b.end && b.start <= a.end
}
