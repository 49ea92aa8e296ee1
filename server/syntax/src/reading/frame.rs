//! The frame that Cartesian coordinates of a CIF refer to.

use cellwright_crystal::Lattice;
use nalgebra::{Matrix3, Vector3};

use super::names::Names;

/// How Cartesian coordinates of a CIF become fractional ones: `f = M x + v` on column vectors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frame {
    matrix: Matrix3<f64>,
    shift: Vector3<f64>,
}

impl Frame {
    /// The matrix the block states (`_atom_sites.fract_transf_matrix[i][j]` of mmCIF, `_atom_sites_fract_tran_matrix_ij` or
    /// `_atom_sites_Cartn_tran_matrix_ij` of the core dictionary), otherwise the convention of the Protein Data Bank: a along x,
    /// b in the xy plane.
    pub(crate) fn read(text: &str, names: &Names, lattice: &Lattice) -> Self {
        let number = |name: String| Some(names.value(text, &name)?.number(text)?.value);
        let matrix = |name: &dyn Fn(usize, usize) -> String| {
            let mut m = Matrix3::zeros();
            for (i, j) in (0..9).map(|k| (k / 3, k % 3)) {
                m[(i, j)] = number(name(i + 1, j + 1))?;
            }
            m.try_inverse().map(|inverse| (m, inverse))
        };
        let vector = |name: &dyn Fn(usize) -> String| {
            Vector3::from_fn(|i, _| number(name(i + 1)).unwrap_or(0.0))
        };
        let declared = matrix(&|i, j| format!("_atom_sites_fract_transf_matrix[{i}][{j}]"))
            .map(|(m, _)| (m, vector(&|i| format!("_atom_sites_fract_transf_vector[{i}]"))))
            .or_else(|| {
                let (m, _) = matrix(&|i, j| format!("_atom_sites_fract_tran_matrix_{i}{j}"))?;
                Some((m, vector(&|i| format!("_atom_sites_fract_tran_vector_{i}"))))
            })
            .or_else(|| {
                let (_, m) = matrix(&|i, j| format!("_atom_sites_cartn_tran_matrix_{i}{j}"))?;
                Some((m, -m * vector(&|i| format!("_atom_sites_cartn_tran_vector_{i}"))))
            });
        match declared {
            Some((matrix, shift)) => Self { matrix, shift },
            None => Self { matrix: pdb_matrix(lattice), shift: Vector3::zeros() },
        }
    }

    /// Whether it is the convention for this lattice and nothing else.
    pub(crate) fn is_conventional(&self, lattice: &Lattice) -> bool {
        let difference = self.matrix - pdb_matrix(lattice);
        self.shift.norm() < 1e-4 && difference.amax() < 1e-4 * self.matrix.amax()
    }

    /// The same frame for a lattice that was strained a little: the convention follows the lattice.
    pub(crate) fn conventional(lattice: &Lattice) -> Self {
        Self { matrix: pdb_matrix(lattice), shift: Vector3::zeros() }
    }

    /// Cartesian to fractional.
    pub(crate) fn fractional(&self, cart: &Vector3<f64>) -> Vector3<f64> {
        self.matrix * cart + self.shift
    }

    /// Fractional to Cartesian; `None` where the stated matrix has no inverse.
    pub(crate) fn cartesian(&self, frac: &Vector3<f64>) -> Option<Vector3<f64>> {
        Some(self.matrix.try_inverse()? * (frac - self.shift))
    }
}

/// From Å in the frame with a along x and b in the xy plane to fractions.
fn pdb_matrix(lattice: &Lattice) -> Matrix3<f64> {
    // Gram–Schmidt on the rows: L = R Q with R lower triangular; R is the lattice in the new frame.
    let (a, b, c) = (lattice.vector(0), lattice.vector(1), lattice.vector(2));
    let x = a.normalize();
    let y = (b - x * b.dot(&x)).normalize();
    let z = x.cross(&y);
    let rows = Matrix3::new(
        a.norm(),
        0.0,
        0.0,
        b.dot(&x),
        b.dot(&y),
        0.0,
        c.dot(&x),
        c.dot(&y),
        c.dot(&z),
    );
    rows.transpose().try_inverse().unwrap_or_else(Matrix3::zeros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_convention_puts_a_along_x() {
        let lattice = Lattice::from_parameters([5.0, 6.0, 7.0], [80.0, 95.0, 110.0]).unwrap();
        let frame = Frame::conventional(&lattice);
        let a = frame.cartesian(&Vector3::new(1.0, 0.0, 0.0)).unwrap();
        assert!((a - Vector3::new(5.0, 0.0, 0.0)).norm() < 1e-12);
        let b = frame.cartesian(&Vector3::new(0.0, 1.0, 0.0)).unwrap();
        assert!(b.z.abs() < 1e-12 && (b.norm() - 6.0).abs() < 1e-12);
        let c = frame.cartesian(&Vector3::new(0.0, 0.0, 1.0)).unwrap();
        assert!((b.angle(&c).to_degrees() - 80.0).abs() < 1e-9 && c.z > 0.0);
        let f = Vector3::new(0.1, -0.2, 0.7);
        assert!((frame.fractional(&frame.cartesian(&f).unwrap()) - f).norm() < 1e-12);
        assert!(frame.is_conventional(&lattice));
    }
}
