//! Reduced bases of a lattice, each with the change of basis in whole numbers that leads to it.
//!
//! Everywhere `reduced = transform · given`: row `i` of the transform says how many of each given
//! lattice vector make the reduced vector `i`. Fractional coordinates follow as columns,
//! `f_reduced = transform⁻ᵀ · f_given`. The determinant is +1, so the handedness of the given vectors is
//! kept, and the orientation in space too: the crystal does not turn.

mod delaunay;
mod niggli;
mod work;

use nalgebra::Matrix3;

use crate::Lattice;

pub use delaunay::delaunay;
pub use niggli::niggli;

/// A reduced basis of a lattice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reduced {
    /// The reduced vectors (Å), in the orientation of the given ones.
    pub lattice: Lattice,
    /// Rows: the reduced vectors in terms of the given ones. The determinant is +1.
    pub transform: Matrix3<i32>,
}

/// Why a lattice could not be reduced.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum ReductionError {
    /// The tolerance is negative, not finite or so large that every lattice is alike.
    #[error("{0} is no relative tolerance between 0 and 0.1")]
    Tolerance(f64),
    /// The change of basis needs numbers beyond ten million: the given vectors no longer hold the digits
    /// that the reduced ones would need.
    #[error("the cell is so skewed that its shortest lattice vectors cannot be worked out")]
    TooSkewed,
    /// The steps repeat; the tolerance is too small for the digits of the lattice.
    #[error("the reduction came to no end within {0} steps: the tolerance is too small")]
    NoEnd(usize),
}

#[cfg(test)]
mod tests;
