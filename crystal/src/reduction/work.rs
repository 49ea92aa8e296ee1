//! A basis on its way to being reduced.

use nalgebra::{Matrix3, Vector3};

use super::{Reduced, ReductionError};
use crate::Lattice;

/// Largest entry of a change of basis. Reduced vectors are sums of this many given ones; with 16 digits
/// each they keep nine.
const LARGEST_ENTRY: i64 = 10_000_000;

/// The given vectors and the change of basis so far. The reduced vectors are worked out afresh from the
/// exact whole numbers at each step, so that rounding does not add up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work {
    given: Matrix3<f64>,
    transform: Matrix3<i64>,
    rows: Matrix3<f64>,
}

impl Work {
    pub(super) fn new(lattice: &Lattice) -> Self {
        let given = *lattice.matrix();
        Self { given, transform: Matrix3::identity(), rows: given }
    }

    /// Lattice vector `i` (Å).
    pub(super) fn vector(&self, i: usize) -> Vector3<f64> {
        self.rows.row(i).transpose()
    }

    /// Replaces the basis by `step · basis`. The entries of a step stay below [`LARGEST_ENTRY`], so the
    /// product cannot overflow.
    pub(super) fn apply(&mut self, step: &Matrix3<i64>) -> Result<(), ReductionError> {
        self.transform = step * self.transform;
        if self.transform.iter().any(|x| x.abs() > LARGEST_ENTRY) {
            return Err(ReductionError::TooSkewed);
        }
        self.rows = self.transform.map(|x| x as f64) * self.given;
        Ok(())
    }

    /// Adds `factor` times vector `j` to vector `i`.
    fn add(&mut self, i: usize, j: usize, factor: f64) -> Result<(), ReductionError> {
        if factor.abs() > LARGEST_ENTRY as f64 {
            return Err(ReductionError::TooSkewed);
        }
        let mut step = Matrix3::identity();
        step[(i, j)] = factor as i64;
        self.apply(&step)
    }

    /// Takes whole multiples of one vector from another for as long as that makes it shorter (the
    /// reduction of Lagrange and Gauss, pair by pair): every skew, however large, goes in few steps.
    pub(super) fn shorten_pairs(&mut self) -> Result<(), ReductionError> {
        let mut any = true;
        while any {
            any = false;
            for (i, j) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
                let (u, v) = (self.vector(i), self.vector(j));
                let factor = -(u.dot(&v) / v.norm_squared()).round();
                // By more than rounding, which also bounds the number of steps.
                let gain = (u + v * factor).norm_squared() < u.norm_squared() * (1.0 - 1e-9);
                if factor != 0.0 && gain {
                    self.add(i, j, factor)?;
                    any = true;
                }
            }
        }
        Ok(())
    }

    pub(super) fn finish(&self) -> Result<Reduced, ReductionError> {
        let lattice = Lattice::from_rows(self.rows).map_err(|_| ReductionError::TooSkewed)?;
        Ok(Reduced { lattice, transform: self.transform.map(|x| x as i32) })
    }
}
