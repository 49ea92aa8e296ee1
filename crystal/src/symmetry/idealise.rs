//! A lattice and a structure with exactly the symmetry that they nearly have.

use nalgebra::{Matrix3, SymmetricEigen, Vector3};

use super::{Operation, PermutationError, SitePermutation, site_permutations};
use crate::{Lattice, Structure};

/// Why a structure cannot be given a symmetry.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum IdealiseError {
    /// It is too far from having it.
    #[error(transparent)]
    Permutation(#[from] PermutationError),
    /// The operations leave no lattice as it is.
    #[error("no lattice has these operations")]
    Lattice,
}

/// The lattice nearest to this one that has the rotations of a group: `L S` with the symmetric strain S of
/// `L S² Lᵀ = (1/n) Σ Wᵀ G W`, the mean of the metric tensor over the operations. The lattice is strained, not
/// turned. `None` where the operations are those of no lattice.
#[must_use]
pub fn symmetric_lattice(lattice: &Lattice, operations: &[Operation]) -> Option<Lattice> {
    if operations.is_empty() {
        return Some(*lattice);
    }
    let metric = lattice.metric();
    let turned = operations.iter().map(|op| {
        let w = op.rotation.cast::<f64>();
        w.transpose() * metric * w
    });
    let mean = turned.sum::<Matrix3<f64>>() / operations.len() as f64;
    let square = lattice.inverse() * mean * lattice.inverse().transpose();
    if !square.iter().all(|x| x.is_finite()) {
        return None;
    }
    let eigen = SymmetricEigen::new((square + square.transpose()) * 0.5);
    if !eigen.eigenvalues.iter().all(|x| *x > 0.0) {
        return None;
    }
    let q = eigen.eigenvectors;
    let root = q * Matrix3::from_diagonal(&eigen.eigenvalues.map(f64::sqrt)) * q.transpose();
    Lattice::from_rows(lattice.matrix() * root).ok()
}

/// Gives a structure the symmetry of a group exactly: the lattice becomes the [`symmetric_lattice`], and each
/// site goes to the mean of the places where the operations take sites to it,
///
/// `f′ᵢ = (1/n) Σ (W f + w)`
///
/// so that of all symmetric structures it is the nearest by squares. `operations` are a whole group in the cell
/// of the structure, and each has to bring every site within `tolerance` (Å) of one of its kind. The result says
/// which, operation by operation.
///
/// # Errors
/// See [`IdealiseError`]; the structure is then as it was.
pub fn idealise(
    structure: &mut Structure,
    operations: &[Operation],
    tolerance: f64,
) -> Result<Vec<SitePermutation>, IdealiseError> {
    let lattice =
        symmetric_lattice(&structure.lattice, operations).ok_or(IdealiseError::Lattice)?;
    let permutations = site_permutations(structure, operations, tolerance)?;
    structure.lattice = lattice;
    if operations.is_empty() {
        return Ok(permutations);
    }
    let mut mean = vec![Vector3::zeros(); structure.len()];
    for (operation, permutation) in operations.iter().zip(&permutations) {
        for (i, site) in structure.sites.iter().enumerate() {
            let shift = Vector3::from(permutation.shift[i]).cast::<f64>();
            mean[permutation.to[i]] += operation.apply(&site.frac) - shift;
        }
    }
    for (site, mean) in structure.sites.iter_mut().zip(mean) {
        site.frac = mean / operations.len() as f64;
    }
    Ok(permutations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symmetry::{Setting, detect, metric_misfit};
    use crate::{Element, Site};

    fn operations(number: u16) -> Vec<Operation> {
        Setting::standard(number).unwrap().operations()
    }

    #[test]
    fn a_distorted_cell_gets_the_shape_of_its_group() {
        let lattice = Lattice::from_parameters([4.0, 4.1, 5.0], [89.5, 90.3, 90.2]).unwrap();
        let ideal = symmetric_lattice(&lattice, &operations(123)).unwrap();
        assert!(metric_misfit(&operations(123), &ideal) < 1e-14);
        let ([a, b, c], angles) = (ideal.lengths(), ideal.angles());
        let mean = ((16.0 + 4.1 * 4.1) / 2.0_f64).sqrt();
        assert!((a - mean).abs() < 1e-12 && (b - mean).abs() < 1e-12 && (c - 5.0).abs() < 1e-12);
        assert!(angles.iter().all(|x| (x - 90.0).abs() < 1e-9));
        // A strain and no turn.
        let strain = lattice.inverse() * ideal.matrix();
        assert!((strain - strain.transpose()).amax() < 1e-12);
        assert_eq!(symmetric_lattice(&lattice, &[]), Some(lattice));
    }

    #[test]
    fn a_distorted_structure_gets_the_symmetry_of_its_group() {
        let x = 0.305;
        let atoms = [
            ("Ti", [0.0, 0.0, 0.0]),
            ("Ti", [0.5, 0.5, 0.5]),
            ("O", [x, x, 0.0]),
            ("O", [-x, -x, 0.0]),
            ("O", [0.5 + x, 0.5 - x, 0.5]),
            ("O", [0.5 - x, 0.5 + x, 0.5]),
        ];
        let moved = |(i, (symbol, at)): (usize, &(&str, [f64; 3]))| {
            let way = Vector3::new(1.0, 2.0, 3.0).map(|k| 0.002 * (k * (i + 1) as f64).sin());
            // In other cells, too.
            let cell = Vector3::new(i as f64, 0.0, -2.0);
            Site::new(symbol.parse::<Element>().unwrap(), Vector3::from(*at) + way + cell)
        };
        let mut rutile = Structure {
            lattice: Lattice::from_parameters([4.59, 4.6, 2.96], [90.1, 89.9, 90.0]).unwrap(),
            sites: atoms.iter().enumerate().map(moved).collect(),
        };
        let given = rutile.clone();
        assert_eq!(detect(&rutile, 1e-4).unwrap().number, 1);
        let group = operations(136);
        let permutations = idealise(&mut rutile, &group, 0.1).unwrap();
        assert_eq!(permutations.len(), 16);
        assert_eq!(detect(&rutile, 1e-8).unwrap().number, 136);
        for (was, is) in given.sites.iter().zip(&rutile.sites) {
            assert!((was.frac - is.frac).amax() < 0.005);
        }
        // What is symmetric stays as it is.
        let once = rutile.clone();
        idealise(&mut rutile, &group, 1e-6).unwrap();
        assert!((once.lattice.matrix() - rutile.lattice.matrix()).amax() < 1e-12);
        for (was, is) in once.sites.iter().zip(&rutile.sites) {
            assert!((was.frac - is.frac).amax() < 1e-12);
        }
        // A group that it does not have, and one that is none.
        assert!(matches!(
            idealise(&mut rutile, &operations(225), 0.1),
            Err(IdealiseError::Permutation(_))
        ));
        let zero = Operation::new(Matrix3::zeros(), Vector3::zeros());
        assert_eq!(idealise(&mut rutile, &[zero], 0.1), Err(IdealiseError::Lattice));
    }
}
