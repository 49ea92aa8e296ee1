//! From text to crystal: the asymmetric unit as the file states it, expanded to the whole cell, with
//! a source map from every atom to its text.

use cellwright_crystal::symmetry::{Operation, Setting};
use cellwright_crystal::{Element, Lattice, LatticeError, Structure};
use nalgebra::Vector3;

use crate::document::File;
use crate::text::Span;
use crate::value::{Number, Spanned};

mod cell;
mod cif;
pub(crate) mod expand;
pub(crate) mod frame;
pub(crate) mod names;
mod origin;
pub(crate) mod poscar;
mod poscar_species;
mod settings;
pub(crate) mod sites;
mod species;
pub(crate) mod symmetry;

/// What one block (or one POSCAR) says about a crystal.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Block code, or the comment line of a POSCAR.
    pub name: String,
    /// Index into [`crate::cif::CifFile::blocks`]; 0 for a POSCAR.
    pub block: usize,
    /// Where a lens for this crystal stands: the `data_` header or the comment line.
    pub header: Span,
    /// The whole block.
    pub span: Span,
    /// The cell as written.
    pub cell: Option<Cell>,
    /// The lattice, or why there is none; `None` where the file states no cell at all.
    pub lattice: Option<Result<Lattice, LatticeError>>,
    /// Symmetry as declared and as used.
    pub symmetry: Symmetry,
    /// The rows of the file: the asymmetric unit of a CIF, every atom of a POSCAR.
    pub sites: Vec<AtomSite>,
    /// The whole cell; `None` without a lattice or without a site that has coordinates.
    pub structure: Option<Structure>,
    /// For each site of `structure` where it comes from.
    pub origins: Vec<Origin>,
    /// What kept sites or operations out of `structure`.
    pub obstacles: Vec<Obstacle>,
}

/// The cell as written.
// There is one in a reading, so its size does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone)]
pub enum Cell {
    /// Lengths and angles of a CIF; `None` where a value is missing or no number.
    Parameters {
        /// a, b, c (Å).
        lengths: [Option<Spanned<Number>>; 3],
        /// α, β, γ (degrees).
        angles: [Option<Spanned<Number>>; 3],
    },
    /// Vectors of a POSCAR: the span of lines 3 to 5.
    Vectors(Span),
}

/// Where the operations of a reading come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationSource {
    /// The `xyz` list.
    Xyz,
    /// The Hall symbol.
    Hall,
    /// The Hermann–Mauguin symbol.
    HermannMauguin,
    /// The International Tables number.
    Number,
    /// Nothing is declared: P 1.
    Nothing,
}

/// Declared symmetry. The `xyz` list wins; then Hall, Hermann–Mauguin, number.
#[derive(Debug, Clone)]
pub struct Symmetry {
    /// Operations that were applied; identity first. Never empty.
    pub operations: Vec<Operation>,
    /// Where they come from.
    pub source: OperationSource,
    /// One span per operation when they come from the `xyz` list, in the list's order (see `operations` order: identity is
    /// moved to the front together with its span).
    pub operation_spans: Vec<Span>,
    /// Hermann–Mauguin symbol as written.
    pub hm: Option<Spanned<String>>,
    /// Hall symbol as written.
    pub hall: Option<Spanned<String>>,
    /// International Tables number as written.
    pub number: Option<Spanned<u16>>,
    /// The tabulated setting with exactly these operations, if any. A symbol beside an `xyz` list that says
    /// something else does not count here.
    pub setting: Option<Setting>,
}

/// One row of atoms.
#[derive(Debug, Clone)]
pub struct AtomSite {
    /// Label as written (`Fe1`); for a POSCAR the species and a running number.
    pub label: String,
    /// Where the label stands (POSCAR: the whole row).
    pub label_span: Span,
    /// Where the type symbol stands, if there is one (POSCAR: the species name of line 6).
    pub symbol_span: Option<Span>,
    /// The element; `None` if it is masked or unknown.
    pub element: Option<Element>,
    /// Whether the file asks for the species (`?`, `X`).
    pub masked: bool,
    /// The species text the element was read from.
    pub species: String,
    /// Declared oxidation number (`Fe3+` or `_atom_type_oxidation_number`).
    pub oxidation: Option<f64>,
    /// Fractional coordinates; `None` if one is missing or no number.
    pub frac: Option<Vector3<f64>>,
    /// Where the three coordinates stand (Cartesian in a Cartesian POSCAR).
    pub coordinate_spans: [Option<Span>; 3],
    /// Digits behind the point of each coordinate as written.
    pub decimals: [u8; 3],
    /// Occupancy, 1 where nothing is said.
    pub occupancy: f64,
    /// Where it stands.
    pub occupancy_span: Option<Span>,
    /// `_atom_site_disorder_assembly` and `_group`, where given.
    pub disorder: Option<(String, String)>,
    /// The whole row.
    pub row: Span,
    /// How many atoms of the cell the row stands for: 0 when it could not be placed, and for dummy sites
    /// (`_atom_site_calc_flag dum`), vacancies and further models, which are no atoms of the crystal.
    pub multiplicity: u32,
}

/// Where an atom of the cell comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Index into [`Reading::sites`].
    pub site: usize,
    /// Index into [`Symmetry::operations`]: the operation that makes this atom from its row.
    pub operation: usize,
}

/// Something that kept the reading from being complete.
#[derive(Debug, Clone, PartialEq)]
pub struct Obstacle {
    /// Where.
    pub span: Span,
    /// What it is.
    pub kind: ObstacleKind,
    /// One sentence, no trailing dot.
    pub message: String,
}

/// Kinds of [`Obstacle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObstacleKind {
    /// An operation of the list could not be read.
    Operation,
    /// A symbol or number names no space group.
    SpaceGroup,
    /// A coordinate is missing or no number.
    Coordinate,
    /// A species is neither an element nor a mask. Its site is in the structure all the same, without an element,
    /// so that nothing computes with a part of the cell as if it were the whole.
    Species,
    /// An occupancy is no number.
    Occupancy,
    /// Expansion would give more atoms than can be held.
    TooManyAtoms,
    /// Rows of atoms are missing, incomplete or too many: a problem of the text says so.
    Rows,
}

/// The readings of a typed view: one for each block that describes a crystal, exactly one for a POSCAR.
pub(crate) fn read(text: &str, file: &File) -> Vec<Reading> {
    match file {
        File::Cif(file) => cif::read(text, file),
        File::Poscar(file) => vec![poscar::read(text, file)],
    }
}
