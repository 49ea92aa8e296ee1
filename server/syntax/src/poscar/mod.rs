//! The typed view of a POSCAR / CONTCAR (VASP 4, 5 and 6). Line-counted: the counts decide what a
//! line means.

mod atoms;
mod fields;
mod header;
mod read;
mod species;
mod tail;
mod vector;

pub(crate) use read::read;

use crate::text::Span;
use crate::value::{Number, Spanned};

/// A whole file. Parts that are missing are `None` or empty; a problem says so.
#[derive(Debug, Clone, Default)]
pub struct PoscarFile {
    /// Line 1, free text.
    pub comment: Option<Spanned<String>>,
    /// Line 2: one number (negative: the wanted volume) or three (all positive).
    pub scale: Vec<Spanned<Number>>,
    /// Lines 3 to 5 as written, before scaling; complete or empty.
    pub lattice: Vec<[Spanned<Number>; 3]>,
    /// Species names of line 6 (VASP 5 and later); each without its `/hash`.
    pub species: Vec<Spanned<String>>,
    /// Counts.
    pub counts: Vec<Spanned<u32>>,
    /// The `Selective dynamics` line.
    pub selective: Option<Span>,
    /// The coordinate mode line. Where it is missing and the rows hold fractions: `Direct`, with an empty span in front
    /// of the first row.
    pub mode: Option<Spanned<Mode>>,
    /// Rows of atoms that are really there, at most as many as the counts say.
    pub atoms: Vec<AtomRow>,
    /// Rows after the atoms that look like atoms but are beyond the counts.
    pub extra_rows: Vec<Span>,
    /// Everything after the atoms (velocities, lattice velocities, predictor–corrector), verbatim.
    pub tail: Option<Span>,
    /// Velocities, one a row, where the section is there.
    pub velocities: Vec<[Spanned<Number>; 3]>,
}

/// Coordinate mode, decided by the first letter (c, C, k, K: Cartesian).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Fractional.
    Direct,
    /// Å times the scale.
    Cartesian,
}

/// One row of the coordinates section.
#[derive(Debug, Clone)]
pub struct AtomRow {
    /// The whole line without its line break.
    pub span: Span,
    /// The three numbers as written.
    pub coordinates: [Spanned<Number>; 3],
    /// `T`/`F` flags under selective dynamics.
    pub flags: Option<[Spanned<bool>; 3]>,
    /// Index into the counts: which species group the row belongs to.
    pub group: usize,
    /// The rest of the line, which VASP ignores (often the element's name).
    pub trailing: Option<Span>,
}
