//! Keeps coordinates where they are: the selective dynamics of a POSCAR.

use cellwright_crystal::Structure;
use nalgebra::{Matrix3, Vector3};

use crate::ModelError;

/// For every atom that is not free, the projector onto the directions it may take.
#[derive(Debug)]
pub(in crate::tasks) struct Held(Vec<(usize, Matrix3<f64>)>);

impl Held {
    /// `held` has a row for each site, or none at all; its columns are the fractional coordinates that stay.
    pub(in crate::tasks) fn new(
        structure: &Structure,
        held: &[[bool; 3]],
    ) -> Result<Self, ModelError> {
        if !held.is_empty() && held.len() != structure.len() {
            return Err(ModelError::Unsupported(format!(
                "{} atoms are said to be held or free, the structure has {}",
                held.len(),
                structure.len()
            )));
        }
        let bound = held.iter().enumerate().filter(|(_, flags)| flags.contains(&true));
        Ok(Self(bound.map(|(i, flags)| (i, allowed(structure, *flags))).collect()))
    }

    /// Takes from forces or steps what would move a held coordinate.
    pub(in crate::tasks) fn project(&self, rows: &mut [Vector3<f64>]) {
        for (i, allowed) in &self.0 {
            rows[*i] = allowed * rows[*i];
        }
    }

    /// The longest row, less what would move a held coordinate.
    pub(in crate::tasks) fn largest(&self, rows: &[Vector3<f64>]) -> f64 {
        let mut rows = rows.to_vec();
        self.project(&mut rows);
        rows.iter().map(Vector3::norm).fold(0.0, f64::max)
    }
}

/// The orthogonal projector onto the lattice vectors along which a site may move: a fractional coordinate stays exactly
/// when no step has a component along its lattice vector.
fn allowed(structure: &Structure, held: [bool; 3]) -> Matrix3<f64> {
    let free: Vec<Vector3<f64>> =
        (0..3).filter(|k| !held[*k]).map(|k| structure.lattice.vector(k)).collect();
    match free.as_slice() {
        [] => Matrix3::zeros(),
        [line] => line * line.transpose() / line.norm_squared(),
        [a, b] => {
            let normal = a.cross(b);
            Matrix3::identity() - normal * normal.transpose() / normal.norm_squared()
        }
        _ => Matrix3::identity(),
    }
}
