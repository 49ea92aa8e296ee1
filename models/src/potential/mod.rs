//! What a learned potential is to the rest of the house.

use candle_core::{Device, DeviceLocation};
use cellwright_crystal::Structure;
use nalgebra::{Matrix3, Vector3};
use serde::{Deserialize, Serialize};

use crate::ModelError;

mod admit;
mod batches;
mod gradient;

pub(crate) use admit::{admit, apart, too_close};
pub(crate) use batches::in_batches;
pub(crate) use gradient::gradient;

/// eV/Å³ in GPa (the figure the reference programs use; CODATA 2018 differs in the tenth digit).
pub(crate) const GPA: f64 = 160.217_662_08;

/// Which model answered, and where it ran. Goes with every number shown to a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// `CHGNet`.
    pub model: String,
    /// `0.3.0`.
    pub version: String,
    /// `cpu`, `cuda:0`.
    pub device: String,
}

impl Provenance {
    /// Of a model on a device.
    pub(crate) fn new(model: &str, version: &str, device: &Device) -> Self {
        let device = match device.location() {
            DeviceLocation::Cpu => "cpu".to_owned(),
            DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
            DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
        };
        Self { model: model.to_owned(), version: version.to_owned(), device }
    }
}

/// What a potential says about one structure.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Potential energy (eV/atom).
    pub energy_per_atom: f64,
    /// Forces −∂E/∂x (eV/Å, Cartesian), one per site.
    pub forces: Vec<Vector3<f64>>,
    /// Stress (1/V) ∂E/∂ε (GPa), tension positive: a cell that wants to shrink has a positive trace. The sign is
    /// opposite to VASP's.
    pub stress: Matrix3<f64>,
    /// Magnetic moments (µB, absolute values), one per site; empty where the potential knows nothing of them.
    pub magmoms: Vec<f64>,
    /// Per-site energies (eV), summing to the total.
    pub site_energies: Vec<f64>,
    /// Reasons to trust the numbers less: isolated atoms, an element that was rare in training…
    pub cautions: Vec<String>,
}

impl Evaluation {
    /// Largest norm of a force (eV/Å), 0 without atoms.
    #[must_use]
    pub fn max_force(&self) -> f64 {
        self.forces.iter().map(Vector3::norm).fold(0.0, f64::max)
    }
}

/// A learned potential.
pub trait Potential: Send + Sync {
    /// Name, version and device.
    fn provenance(&self) -> Provenance;

    /// Energy, forces, stress, magnetic moments of several structures in one batch; one result each,
    /// in order. A structure that cannot be treated is an error of its own, never of the batch.
    fn evaluate(&self, structures: &[&Structure]) -> Vec<Result<Evaluation, ModelError>>;
}
