//! The frame that Cartesian coordinates of a CIF refer to.

use cellwright_crystal::Lattice;
use nalgebra::{Matrix3, Vector3};

use super::names::Names;

/// How Cartesian coordinates of a CIF become fractional ones: `f = M x + v` on column vectors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frame {
    matrix: Matrix3<f64>,
    shift: Vector3<f64>,
    stated: Option<Stated>,
}

/// Which matrix the block states.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stated {
    /// `_atom_sites.fract_transf_matrix[i][j]` of mmCIF.
    Transf,
    /// `_atom_sites_fract_tran_matrix_ij` of the core dictionary.
    Fractional,
    /// `_atom_sites_Cartn_tran_matrix_ij` of the core dictionary: the inverse.
    Cartesian,
}

impl Stated {
    /// Names of the matrix element (from 0), in the spelling of [`Names`].
    fn matrix(self, i: usize, j: usize) -> String {
        let (i, j) = (i + 1, j + 1);
        match self {
            Self::Transf => format!("_atom_sites_fract_transf_matrix[{i}][{j}]"),
            Self::Fractional => format!("_atom_sites_fract_tran_matrix_{i}{j}"),
            Self::Cartesian => format!("_atom_sites_cartn_tran_matrix_{i}{j}"),
        }
    }

    fn vector(self, i: usize) -> String {
        let i = i + 1;
        match self {
            Self::Transf => format!("_atom_sites_fract_transf_vector[{i}]"),
            Self::Fractional => format!("_atom_sites_fract_tran_vector_{i}"),
            Self::Cartesian => format!("_atom_sites_cartn_tran_vector_{i}"),
        }
    }
}

impl Frame {
    /// The frame the block states, otherwise the convention of the Protein Data Bank: a along x, b in the
    /// xy plane.
    pub(crate) fn read(text: &str, names: &Names, lattice: &Lattice) -> Self {
        let number = |name: String| Some(names.value(text, &name)?.number(text)?.value);
        let stated = [Stated::Transf, Stated::Fractional, Stated::Cartesian];
        let found = stated.into_iter().find_map(|stated| {
            let mut matrix = Matrix3::zeros();
            for (i, j) in (0..9).map(|k| (k / 3, k % 3)) {
                matrix[(i, j)] = number(stated.matrix(i, j))?;
            }
            let inverse = matrix.try_inverse()?;
            let shift = Vector3::from_fn(|i, _| number(stated.vector(i)).unwrap_or(0.0));
            Some(match stated {
                Stated::Cartesian => {
                    Self { matrix: inverse, shift: -inverse * shift, stated: Some(stated) }
                }
                _ => Self { matrix, shift, stated: Some(stated) },
            })
        });
        let convention =
            || Self { matrix: conventional(lattice), shift: Vector3::zeros(), stated: None };
        found.unwrap_or_else(convention)
    }

    /// The frame after a change of the cell: turned against the convention as before.
    pub(crate) fn follow(&self, old: &Lattice, new: &Lattice) -> Self {
        // M = C R with the conventional C of the old cell and the turn R of the axes.
        let axes = conventional(old).try_inverse().map(|inverse| inverse * self.matrix);
        let matrix = axes.map_or(self.matrix, |axes| conventional(new) * axes);
        Self { matrix, ..*self }
    }

    /// The numbers of a stated matrix: name and value.
    pub(crate) fn stated(&self) -> Vec<(String, f64)> {
        let Some(stated) = self.stated else { return Vec::new() };
        let matrix = match stated {
            Stated::Cartesian => self.matrix.try_inverse().unwrap_or_else(Matrix3::zeros),
            _ => self.matrix,
        };
        let elements = (0..9).map(|k| (k / 3, k % 3));
        elements.map(|(i, j)| (stated.matrix(i, j), matrix[(i, j)])).collect()
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
fn conventional(lattice: &Lattice) -> Matrix3<f64> {
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
        let convention =
            |l| Frame { matrix: conventional(l), shift: Vector3::zeros(), stated: None };
        let frame = convention(&lattice);
        let a = frame.cartesian(&Vector3::new(1.0, 0.0, 0.0)).unwrap();
        assert!((a - Vector3::new(5.0, 0.0, 0.0)).norm() < 1e-12);
        let b = frame.cartesian(&Vector3::new(0.0, 1.0, 0.0)).unwrap();
        assert!(b.z.abs() < 1e-12 && (b.norm() - 6.0).abs() < 1e-12);
        let c = frame.cartesian(&Vector3::new(0.0, 0.0, 1.0)).unwrap();
        assert!((b.angle(&c).to_degrees() - 80.0).abs() < 1e-9 && c.z > 0.0);
        let f = Vector3::new(0.1, -0.2, 0.7);
        assert!((frame.fractional(&frame.cartesian(&f).unwrap()) - f).norm() < 1e-12);
        let longer = Lattice::from_parameters([5.1, 6.0, 7.2], [81.0, 95.0, 109.0]).unwrap();
        let followed = frame.follow(&lattice, &longer);
        assert!((followed.matrix - conventional(&longer)).amax() < 1e-12);
    }
}
