//! Keeps a symmetry exactly: averages positions, cell, forces and strains over the operations of the group.

use cellwright_crystal::symmetry::{Operation, site_permutations};
use cellwright_crystal::{Lattice, Structure};
use nalgebra::{Matrix3, SymmetricEigen, Vector3};

use crate::ModelError;

/// A start may miss its symmetry by this much (Å): files round, and this is far below any distance between sites.
const TOLERANCE: f64 = 0.1;

/// Rotations and what they do to the sites.
#[derive(Debug)]
pub(super) struct Projector {
    /// Orthogonal matrices, Cartesian, with the site that each site is taken to.
    operations: Vec<(Matrix3<f64>, Vec<usize>)>,
}

impl Projector {
    /// Changes nothing.
    pub(super) fn none() -> Self {
        Self { operations: Vec::new() }
    }

    /// For the whole group of `structure`, whose cell and positions it makes exactly symmetric.
    pub(super) fn new(structure: &mut Structure, group: &[Operation]) -> Result<Self, ModelError> {
        symmetrise_cell(structure, group)?;
        let permutations = site_permutations(structure, group, TOLERANCE).map_err(|e| {
            ModelError::Unsupported(format!(
                "the structure does not have the symmetry to be kept: {e}"
            ))
        })?;
        let mut mean = vec![Vector3::zeros(); structure.len()];
        for (operation, permutation) in group.iter().zip(&permutations) {
            for (i, site) in structure.sites.iter().enumerate() {
                let shift = Vector3::from(permutation.shift[i]).cast::<f64>();
                mean[permutation.to[i]] += operation.apply(&site.frac) - shift;
            }
        }
        if !group.is_empty() {
            for (site, mean) in structure.sites.iter_mut().zip(mean) {
                site.frac = mean / group.len() as f64;
            }
        }
        let rotation = |op: &Operation| op.cartesian_rotation(&structure.lattice);
        let operations = group.iter().map(rotation).zip(permutations.into_iter().map(|p| p.to));
        Ok(Self { operations: operations.collect() })
    }

    /// Averages vectors on the sites, and the tensor in the three rows after them if there are any.
    pub(super) fn project(&self, rows: &mut [Vector3<f64>]) {
        let Some((_, first)) = self.operations.first() else { return };
        let (sites, cell) = rows.split_at_mut(first.len());
        let share = 1.0 / self.operations.len() as f64;
        let mut mean = vec![Vector3::zeros(); sites.len()];
        for (rotation, to) in &self.operations {
            for (vector, to) in sites.iter().zip(to) {
                mean[*to] += rotation * vector * share;
            }
        }
        sites.copy_from_slice(&mean);
        if let [a, b, c] = cell {
            let tensor = Matrix3::from_rows(&[a.transpose(), b.transpose(), c.transpose()]);
            let turned = self.operations.iter().map(|(r, _)| r * tensor * r.transpose());
            let mean = turned.sum::<Matrix3<f64>>() * share;
            for (i, row) in [a, b, c].into_iter().enumerate() {
                *row = mean.row(i).transpose();
            }
        }
    }
}

/// The nearest cell whose metric the rotations leave as it is: L S with S symmetric and L S² Lᵀ the mean of Wᵀ G W.
fn symmetrise_cell(structure: &mut Structure, group: &[Operation]) -> Result<(), ModelError> {
    if group.is_empty() {
        return Ok(());
    }
    let lattice = &structure.lattice;
    let metric = lattice.metric();
    let turned = group.iter().map(|op| {
        let w = op.rotation.cast::<f64>();
        w.transpose() * metric * w
    });
    let mean = turned.sum::<Matrix3<f64>>() / group.len() as f64;
    let square = lattice.inverse() * mean * lattice.inverse().transpose();
    let eigen = SymmetricEigen::new((square + square.transpose()) * 0.5);
    // A strain of 2 % moves an atom 5 Å away by 0.1 Å. A metric that is none has no root and is refused, too.
    if !eigen.eigenvalues.iter().all(|x| (x.sqrt() - 1.0).abs() < 0.02) {
        return Err(ModelError::Unsupported(
            "the cell does not have the symmetry to be kept: its metric disagrees with the operations".to_owned(),
        ));
    }
    let q = eigen.eigenvectors;
    let root = q * Matrix3::from_diagonal(&eigen.eigenvalues.map(f64::sqrt)) * q.transpose();
    structure.lattice = Lattice::from_rows(lattice.matrix() * root)
        .map_err(|e| ModelError::Unsupported(e.to_string()))?;
    Ok(())
}
