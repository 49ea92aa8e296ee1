//! Structures in other cells, and edits of whole structures: supercells, standard cells, strain, order,
//! substitution, duplicates.
//!
//! A change of cell gives a [`Recast`]: the new structure, the new lattice vectors in terms of the given
//! ones, and for each new site the given one. Edits inside a cell change the structure in place and say
//! what they did.

mod asymmetric;
mod duplicates;
mod hermite;
mod sites;
mod standard;
mod strain;
mod substitute;
mod supercell;

use nalgebra::{Matrix3, Vector3};

use crate::{LatticeError, Structure};

pub use asymmetric::{Asymmetric, asymmetric};
pub use duplicates::{Duplicate, remove_duplicates};
pub use sites::{Order, sort, translate, wrap};
pub use standard::{Standard, standard};
pub use strain::{strain, voigt};
pub use substitute::{SubstituteError, Substitution, substitute, substitute_sites};
pub use supercell::{MOST_SITES, supercell};

/// A structure in another cell, and how it follows from the given one.
///
/// `new lattice = transform · given lattice` with the lattice vectors as rows, and
/// `f_given = transformᵀ · f_new + origin` for fractional coordinates as columns, up to translations of the
/// crystal.
#[derive(Debug, Clone, PartialEq)]
pub struct Recast {
    /// The structure in the new cell. Its orientation in space is that of the given one.
    pub structure: Structure,
    /// Rows: the new lattice vectors in terms of the given ones.
    pub transform: Matrix3<f64>,
    /// Where the new origin lies in the given cell (fractional).
    pub origin: Vector3<f64>,
    /// For each new site the given site that it is a copy of.
    pub sites: Vec<usize>,
}

/// Why a structure cannot be put into another cell.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum CellError {
    /// The rows of the matrix lie in a plane.
    #[error("the matrix of the supercell has determinant 0: its rows span no cell")]
    Singular,
    /// More sites than [`MOST_SITES`].
    #[error("the supercell would hold {0} sites: more than can be listed")]
    TooMany(u128),
    /// The new vectors span no lattice.
    #[error(transparent)]
    Lattice(#[from] LatticeError),
}

#[cfg(test)]
mod tests;
