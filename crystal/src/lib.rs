//! What a crystal is: elements, composition, lattice and its reduction, structure, other cells of it,
//! neighbours, symmetry, charge balance and matching, and how predictions are judged. This crate knows no
//! text, no files and no tensors.
//!
//! Conventions, everywhere: the lattice matrix has the lattice vectors as **rows** (Å); Cartesian
//! positions are `x = f · L` with `f` fractional row vectors; angles at the surface are in degrees.

#[cfg(test)]
mod arbitrary;
pub mod cells;
pub mod charge;
pub mod composition;
pub mod element;
pub mod fingerprint;
pub mod formula;
#[cfg(test)]
mod invariance;
pub mod lattice;
pub mod matching;
pub mod metrics;
pub mod neighbors;
pub mod reduction;
pub mod structure;
pub mod symmetry;

pub use composition::Composition;
pub use element::Element;
pub use formula::{FormulaError, FormulaErrorKind};
pub use lattice::{Lattice, LatticeError};
pub use structure::{Site, Structure};
