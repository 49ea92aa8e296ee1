//! Space-group detection, through moyo.

use super::Operation;
use crate::Structure;

/// What symmetry a structure has at a given tolerance.
#[derive(Debug, Clone)]
pub struct Detected {
    /// International Tables number.
    pub number: u16,
    /// Hall number of the setting found.
    pub hall_number: u16,
    /// Short Hermann–Mauguin symbol, spaced.
    pub hm: String,
    /// Operations in the input cell.
    pub operations: Vec<Operation>,
    /// Wyckoff letter of each site.
    pub wyckoffs: Vec<char>,
    /// For each site the lowest index of a site it is equivalent to.
    pub equivalent: Vec<usize>,
    /// Site-symmetry symbols as International Tables write them.
    pub site_symmetry: Vec<String>,
    /// Pearson symbol, for example `cF8`.
    pub pearson: String,
}

/// Why no symmetry could be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SymmetryError {
    /// There is nothing to look at.
    #[error("the cell holds no atoms")]
    Empty,
    /// moyo found no group; often overlapping atoms or a tolerance near an interatomic distance.
    #[error("no space group found: {0}")]
    NotFound(String),
}

/// Finds the space group of a structure. Sites of different species, charges or occupancies are different; masked sites are a
/// species of their own; sites that share a position count as one site of a mixed kind.
///
/// `symprec` is in Å (0.01 is usual).
///
/// # Errors
/// See [`SymmetryError`].
pub fn detect(structure: &Structure, symprec: f64) -> Result<Detected, SymmetryError> {
    todo!()
}
