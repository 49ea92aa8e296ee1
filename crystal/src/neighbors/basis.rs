//! A short, nearly orthogonal basis of a lattice, so that the work of a search follows the volume of
//! its sphere and not the shape in which the cell was written.

use nalgebra::{Matrix3, Vector3};

use crate::Lattice;

/// Whole-number change of basis: entries beyond this would no longer multiply exactly in an `f64`.
const LARGEST_ENTRY: f64 = 1e7;

/// A reduced basis of the same lattice. With `U` of whole numbers and determinant ±1, the rows of
/// `matrix` are `U L`.
#[derive(Debug, Clone)]
pub(super) struct Basis {
    /// The reduced row vectors (Å).
    pub(super) matrix: Matrix3<f64>,
    /// Uᵀ: takes a lattice translation from the reduced to the given basis (column vectors).
    pub(super) to_given: Matrix3<f64>,
    /// U⁻ᵀ: takes fractional coordinates from the given to the reduced basis (column vectors).
    pub(super) to_reduced: Matrix3<f64>,
    /// Set when the next step would leave exact arithmetic.
    stuck: bool,
}

impl Basis {
    /// Reduces until no vector gets shorter by adding whole multiples of one other or ± both others.
    /// `None` for a cell so sheared that the change of basis leaves exact arithmetic.
    pub(super) fn reduced(lattice: &Lattice) -> Option<Self> {
        let mut basis = Self {
            matrix: *lattice.matrix(),
            to_given: Matrix3::identity(),
            to_reduced: Matrix3::identity(),
            stuck: false,
        };
        while (basis.shorten_by_one() || basis.shorten_by_both()) && !basis.stuck {}
        (!basis.stuck).then_some(basis)
    }

    /// Distances between opposite faces (Å).
    pub(super) fn heights(&self) -> [f64; 3] {
        let volume = self.matrix.determinant().abs();
        [0, 1, 2].map(|i| {
            let (u, v) = (self.vector((i + 1) % 3), self.vector((i + 2) % 3));
            volume / u.cross(&v).norm()
        })
    }

    fn vector(&self, i: usize) -> Vector3<f64> {
        self.matrix.row(i).transpose()
    }

    fn shorten_by_one(&mut self) -> bool {
        let mut any = false;
        for (i, j) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
            let (u, v) = (self.vector(i), self.vector(j));
            let factor = -(u.dot(&v) / v.norm_squared()).round();
            any |= factor != 0.0 && self.add(i, &[(j, factor)]);
        }
        any
    }

    fn shorten_by_both(&mut self) -> bool {
        for i in 0..3 {
            let (j, k) = ((i + 1) % 3, (i + 2) % 3);
            for (a, b) in [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)] {
                if self.add(i, &[(j, a), (k, b)]) {
                    return true;
                }
            }
        }
        false
    }

    /// Adds multiples of other vectors to vector `i` if that makes it shorter by more than rounding
    /// (which also bounds the number of steps).
    fn add(&mut self, i: usize, terms: &[(usize, f64)]) -> bool {
        let mut next = self.clone();
        for &(j, factor) in terms {
            let row = next.matrix.row(i) + next.matrix.row(j) * factor;
            next.matrix.set_row(i, &row);
            let column = next.to_given.column(i) + next.to_given.column(j) * factor;
            next.to_given.set_column(i, &column);
            let row = next.to_reduced.row(j) - next.to_reduced.row(i) * factor;
            next.to_reduced.set_row(j, &row);
        }
        let shorter = next.vector(i).norm_squared() < self.vector(i).norm_squared() * (1.0 - 1e-9);
        let exact =
            next.to_given.amax() <= LARGEST_ENTRY && next.to_reduced.amax() <= LARGEST_ENTRY;
        if shorter && exact {
            *self = next;
        } else if shorter {
            self.stuck = true;
        }
        shorter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheared_cube_is_a_cube_again() {
        let cube = Matrix3::identity() * 4.0;
        for shear in [1.0, 7.0, 1000.0] {
            let u = Matrix3::new(1.0, shear, 0.0, 0.0, 1.0, 3.0, 0.0, 0.0, 1.0);
            let basis = Basis::reduced(&Lattice::from_rows(u * cube).unwrap()).unwrap();
            for height in basis.heights() {
                assert!((height - 4.0).abs() < 1e-9, "{height}");
            }
            // Both changes of basis undo each other and give back the rows.
            assert_eq!(basis.to_given * basis.to_reduced, Matrix3::identity());
            let again = basis.to_given.transpose() * u * cube;
            assert!((again - basis.matrix).amax() < 1e-9);
        }
    }

    #[test]
    fn a_hopeless_cell_is_given_up_at_once() {
        for shear in [9e7, 9e8] {
            let rows = Matrix3::new(3.0, 0.0, 0.0, 3.0 * shear, 3.0, 0.0, 0.0, 0.0, 3.0);
            assert!(Basis::reduced(&Lattice::from_rows(rows).unwrap()).is_none());
        }
    }
}
