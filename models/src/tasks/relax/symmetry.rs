//! Keeps a symmetry exactly: averages positions, cell, forces and strains over the operations of the group.

use cellwright_crystal::Structure;
use cellwright_crystal::symmetry::{Operation, idealise, symmetric_lattice};
use nalgebra::{Matrix3, Vector3};

use crate::ModelError;

/// A start may miss its symmetry by this much (Å): files round, and this is far below any distance between sites.
const TOLERANCE: f64 = 0.1;

/// Rotations and what they do to the sites.
#[derive(Debug)]
pub(in crate::tasks) struct Projector {
    /// Orthogonal matrices, Cartesian, with the site that each site is taken to.
    operations: Vec<(Matrix3<f64>, Vec<usize>)>,
}

impl Projector {
    /// Changes nothing.
    pub(in crate::tasks) fn none() -> Self {
        Self { operations: Vec::new() }
    }

    /// For the whole group of `structure`, whose cell and positions it makes exactly symmetric.
    pub(in crate::tasks) fn new(
        structure: &mut Structure,
        group: &[Operation],
    ) -> Result<Self, ModelError> {
        require_cell(structure, group)?;
        let permutations = idealise(structure, group, TOLERANCE).map_err(|e| {
            ModelError::Unsupported(format!(
                "the structure does not have the symmetry to be kept: {e}"
            ))
        })?;
        let rotation = |op: &Operation| op.cartesian_rotation(&structure.lattice);
        let operations = group.iter().map(rotation).zip(permutations.into_iter().map(|p| p.to));
        Ok(Self { operations: operations.collect() })
    }

    /// Averages vectors on the sites, and the tensor in the three rows after them if there are any.
    pub(in crate::tasks) fn project(&self, rows: &mut [Vector3<f64>]) {
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

/// A cell may miss its symmetry by this strain: 2 % move an atom 5 Å away by [`TOLERANCE`].
const STRAIN: f64 = 0.02;

/// Refuses a cell that is too far from the symmetry of the group.
fn require_cell(structure: &Structure, group: &[Operation]) -> Result<(), ModelError> {
    let lattice = &structure.lattice;
    let near = symmetric_lattice(lattice, group).is_some_and(|symmetric| {
        let strain = lattice.inverse() * symmetric.matrix() - Matrix3::identity();
        strain.symmetric_eigenvalues().amax() < STRAIN
    });
    if near {
        return Ok(());
    }
    let reason =
        "the cell does not have the symmetry to be kept: its metric disagrees with the operations";
    Err(ModelError::Unsupported(reason.to_owned()))
}
