//! A short, nearly orthogonal basis of a lattice, so that the work of a search follows the volume of
//! its sphere and not the shape in which the cell was written.

use nalgebra::{Matrix3, Vector3};

use crate::Lattice;
use crate::reduction::delaunay;

/// Relative tolerance of the reduction: which of nearly equal vectors are taken does not matter here.
const TOLERANCE: f64 = 1e-5;

/// Whole-number change of basis: entries beyond this would no longer multiply exactly in an `f64`.
const LARGEST_ENTRY: f64 = 1e7;

/// A reduced basis of the same lattice. With `U` of whole numbers and determinant 1, the rows of
/// `matrix` are `U L`.
#[derive(Debug, Clone)]
pub(super) struct Basis {
    /// The reduced row vectors (Å).
    pub(super) matrix: Matrix3<f64>,
    /// Uᵀ: takes a lattice translation from the reduced to the given basis (column vectors).
    pub(super) to_given: Matrix3<f64>,
    /// U⁻ᵀ: takes fractional coordinates from the given to the reduced basis (column vectors).
    pub(super) to_reduced: Matrix3<f64>,
}

impl Basis {
    /// The three shortest vectors that span the lattice. `None` for a cell so sheared that the change of
    /// basis leaves exact arithmetic.
    pub(super) fn reduced(lattice: &Lattice) -> Option<Self> {
        let reduced = delaunay(lattice, TOLERANCE).ok()?;
        let transform = reduced.transform.map(f64::from);
        // The determinant is 1, so the inverse is the adjugate: its columns are cross products of the rows,
        // exact for entries as large as these may be.
        let [a, b, c] = [0, 1, 2].map(|i| transform.row(i).transpose());
        let to_reduced =
            Matrix3::from_columns(&[b.cross(&c), c.cross(&a), a.cross(&b)]).transpose();
        let exact = to_reduced.amax() <= LARGEST_ENTRY;
        let matrix = *reduced.lattice.matrix();
        exact.then(|| Self { matrix, to_given: transform.transpose(), to_reduced })
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
