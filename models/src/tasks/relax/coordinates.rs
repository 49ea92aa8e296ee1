//! What a relaxation varies: positions in the cell of the start, and the logarithm of the strain.
//!
//! With start cell L₀, strain D = exp(U), U symmetric, the cell is L₀ D and an atom is at q D; the variables are q and U, those of
//! ASE's `FrechetCellFilter`. A symmetric U leaves out rotations of the crystal, which cost no energy. U is scaled by the
//! Jacobian V^⅓ N^⅙ (Sheppard et al., J. Chem. Phys. 136, 074103, 2012), which makes the curvatures of cell and atoms alike.

use std::sync::Arc;

use cellwright_crystal::{Lattice, Structure};
use nalgebra::{Matrix3, SymmetricEigen, Vector3};

use super::symmetry::Projector;
use crate::{Evaluation, ModelError};

/// eV/Å³ in GPa.
const GPA: f64 = 160.217_662_08;

/// The cell may not become this many times larger or smaller than it was: then it flies apart or collapses.
const MOST_EXPANSION: f64 = 4.0;

/// A point on the way.
#[derive(Debug, Clone)]
pub(super) struct Coordinates {
    start: Arc<Structure>,
    /// Positions in the start cell (Å).
    positions: Vec<Vector3<f64>>,
    /// Logarithm of the strain, if the cell may change.
    log_strain: Option<Matrix3<f64>>,
    /// Length that stands for a strain of 1 (Å).
    jacobian: f64,
}

impl Coordinates {
    pub(super) fn new(start: Arc<Structure>, cell: bool) -> Self {
        let n = start.len() as f64;
        Self {
            positions: start.cartesian(),
            log_strain: cell.then(Matrix3::zeros),
            jacobian: start.lattice.volume().cbrt() * n.powf(1.0 / 6.0),
            start,
        }
    }

    /// This point displaced by `step` (Å).
    pub(super) fn moved(&self, step: &[Vector3<f64>]) -> Self {
        let mut moved = self.clone();
        let (atoms, cell) = step.split_at(self.positions.len());
        for (position, step) in moved.positions.iter_mut().zip(atoms) {
            *position += step;
        }
        if let Some(log_strain) = &mut moved.log_strain {
            let step = Matrix3::from_fn(|i, j| cell[i][j]) / self.jacobian;
            *log_strain += symmetric(&step);
        }
        moved
    }

    /// The structure here.
    pub(super) fn structure(&self) -> Result<Structure, ModelError> {
        let mut structure = Structure::clone(&self.start);
        // Fractional coordinates do not feel the strain.
        for (site, position) in structure.sites.iter_mut().zip(&self.positions) {
            site.frac = self.start.lattice.to_fractional(position);
        }
        if let Some(log_strain) = &self.log_strain {
            if log_strain.trace().abs() > MOST_EXPANSION.ln() {
                let how = if log_strain.trace() > 0.0 { "flies apart" } else { "collapses" };
                return Err(ModelError::Unsupported(format!(
                    "the cell {how} under this potential"
                )));
            }
            structure.lattice =
                Lattice::from_rows(self.start.lattice.matrix() * exp(log_strain))
                    .map_err(|e| ModelError::Unsupported(format!("the cell degenerates: {e}")))?;
        }
        Ok(structure)
    }

    /// Forces on the variables (eV/Å): one row an atom, three for the cell where it may change.
    pub(super) fn forces(
        &self,
        structure: &Structure,
        evaluation: &Evaluation,
        projector: &Projector,
    ) -> Vec<Vector3<f64>> {
        let strain = self.log_strain.as_ref().map_or_else(Matrix3::identity, exp);
        let mut forces: Vec<_> = evaluation.forces.iter().map(|f| strain * f).collect();
        // Moving the whole crystal costs nothing: what is left of that is rounding, and would let it drift.
        let mean = forces.iter().sum::<Vector3<f64>>() / forces.len() as f64;
        forces.iter_mut().for_each(|f| *f -= mean);
        if let Some(log_strain) = &self.log_strain {
            let virial = evaluation.stress * (structure.lattice.volume() / GPA);
            let gradient = log_gradient(log_strain, &symmetric(&virial));
            let rows = -gradient / self.jacobian;
            forces.extend((0..3).map(|i| rows.row(i).transpose()));
        }
        projector.project(&mut forces);
        forces
    }

    /// Whether every force is below `tolerance`, for the cell the virial per atom.
    pub(super) fn is_converged(&self, forces: &[Vector3<f64>], tolerance: f64) -> bool {
        let (atoms, cell) = forces.split_at(self.positions.len());
        let scale = self.jacobian / self.positions.len() as f64;
        atoms.iter().all(|f| f.norm() < tolerance)
            && cell.iter().all(|f| f.norm() * scale < tolerance)
    }
}

fn symmetric(m: &Matrix3<f64>) -> Matrix3<f64> {
    (m + m.transpose()) * 0.5
}

/// The exponential of a symmetric matrix.
fn exp(m: &Matrix3<f64>) -> Matrix3<f64> {
    let eigen = SymmetricEigen::new(*m);
    let q = eigen.eigenvectors;
    q * Matrix3::from_diagonal(&eigen.eigenvalues.map(f64::exp)) * q.transpose()
}

/// dE/dU from the symmetric virial dE/dε, ε a further small strain of the cell L₀ exp(U).
///
/// With D = exp(U): dE/dD = D⁻¹ dE/dε, and dE/dU is the Fréchet derivative of the exponential at U (which is its own adjoint, U
/// being symmetric) applied to it: in the eigenbasis of U a product, entry by entry, with divided differences.
fn log_gradient(u: &Matrix3<f64>, virial: &Matrix3<f64>) -> Matrix3<f64> {
    let eigen = SymmetricEigen::new(*u);
    let (q, l) = (eigen.eigenvectors, eigen.eigenvalues);
    let inverse = q * Matrix3::from_diagonal(&l.map(|x| (-x).exp())) * q.transpose();
    let inner = q.transpose() * symmetric(&(inverse * virial)) * q;
    let divided = Matrix3::from_fn(|i, j| {
        let half = (l[i] - l[j]) / 2.0;
        // (e^a − e^b)/(a − b) = e^((a+b)/2) sinh(h)/h with h = (a−b)/2.
        let sinhc = if half.abs() < 1e-4 { 1.0 + half * half / 6.0 } else { half.sinh() / half };
        ((l[i] + l[j]) / 2.0).exp() * sinhc
    });
    q * inner.component_mul(&divided) * q.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradient_of_the_logarithm_is_a_derivative() {
        // E(D) = Σ C ∘ (D² D) for some constants: its derivative by ε at cell L₀ = 1 is known from differences as well.
        let c = Matrix3::new(1.0, 0.3, -0.2, 0.3, 2.0, 0.5, -0.2, 0.5, -1.0);
        let energy = |d: &Matrix3<f64>| (d * d * d).dot(&c);
        let u = Matrix3::new(0.1, 0.05, -0.02, 0.05, -0.2, 0.03, -0.02, 0.03, 0.07);
        let h = 1e-5;
        let mut virial = Matrix3::zeros();
        let mut direct = Matrix3::zeros();
        for i in 0..3 {
            for j in 0..3 {
                let mut unit = Matrix3::zeros();
                unit[(i, j)] = h;
                let d = exp(&u);
                let one = Matrix3::identity();
                virial[(i, j)] =
                    (energy(&(d * (one + unit))) - energy(&(d * (one - unit)))) / (2.0 * h);
                let s = symmetric(&unit);
                direct[(i, j)] = (energy(&exp(&(u + s))) - energy(&exp(&(u - s)))) / (2.0 * h);
            }
        }
        // This energy is not invariant under rotation, so the whole virial counts: compare through dE/dD.
        let eigen_input = exp(&(-u)) * virial;
        let got = log_gradient_of(&u, &eigen_input);
        assert!((got - direct).amax() < 1e-6, "{got} {direct}");
        // And the public form for a symmetric D⁻¹ W.
        let w = exp(&u) * symmetric(&eigen_input);
        assert!((log_gradient(&u, &w) - direct).amax() < 1e-6);
    }

    fn log_gradient_of(u: &Matrix3<f64>, by_strain: &Matrix3<f64>) -> Matrix3<f64> {
        log_gradient(u, &(exp(u) * by_strain))
    }

    #[test]
    fn exponential_of_a_diagonal() {
        let d = exp(&Matrix3::from_diagonal(&Vector3::new(0.0, 1.0, -1.0)));
        let want = Vector3::new(1.0, 1f64.exp(), (-1f64).exp());
        assert!((d - Matrix3::from_diagonal(&want)).amax() < 1e-14);
    }
}
