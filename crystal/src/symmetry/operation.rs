//! One symmetry operation: x' = W x + w on fractional column vectors.

use std::fmt;
use std::str::FromStr;

use nalgebra::{Matrix3, Vector3};

/// A symmetry operation of a space group in some setting: `x' = W x + w` in fractional coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Operation {
    /// Rotation part W.
    pub rotation: Matrix3<i32>,
    /// Translation part w, each component in [0, 1); fractions of 24 are held exactly rounded.
    pub translation: Vector3<f64>,
}

/// Why a text is no symmetry operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// Not three comma-separated expressions.
    #[error("a symmetry operation has three parts, this has {0}")]
    Parts(usize),
    /// A character or number that no xyz expression holds; the byte offset is inside the text.
    #[error("'{text}' cannot stand at column {offset} of a symmetry operation")]
    Unexpected {
        /// What was found.
        text: String,
        /// Byte offset in the operation's text.
        offset: usize,
    },
    /// The rotation part maps the lattice onto no lattice: its determinant is not ±1.
    #[error("the rotation part has determinant {0}, not ±1")]
    Determinant(i32),
}

impl Operation {
    /// The identity.
    #[must_use]
    pub fn identity() -> Self {
        Self { rotation: Matrix3::identity(), translation: Vector3::zeros() }
    }

    /// The image of a position (fractional, not wrapped).
    #[must_use]
    pub fn apply(&self, frac: &Vector3<f64>) -> Vector3<f64> {
        self.rotation.cast::<f64>() * frac + self.translation
    }

    /// `self` after `other`, translation wrapped into the cell.
    #[must_use]
    pub fn compose(&self, other: &Self) -> Self {
        todo!()
    }

    /// Equal modulo lattice translations, translations within `tolerance`.
    #[must_use]
    pub fn same(&self, other: &Self, tolerance: f64) -> bool {
        todo!()
    }
}

/// Reads `x,y,z` notation as International Tables and real files write it: `1/2+x`, `x+.5`, `-X`,
/// `-1*x`, spaces, tabs, surrounding quotes not included.
impl FromStr for Operation {
    type Err = OperationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        todo!()
    }
}

/// Canonical notation, letters first: `-x+1/2,y,-z+1/4`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}
