//! Relaxation by a learned potential: FIRE and L-BFGS, positions only or the cell too, symmetry kept if asked.

use std::ops::ControlFlow;

use cellwright_crystal::Structure;
use cellwright_crystal::symmetry::Operation;
use nalgebra::Vector3;
use serde::{Deserialize, Serialize};

use crate::{Evaluation, ModelError, Potential};

mod coordinates;
mod descent;
mod fire;
pub(super) mod held;
mod lbfgs;
pub(super) mod symmetry;

pub use descent::Descent;

/// The minimiser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Optimizer {
    /// Fast inertial relaxation engine (Bitzek et al., PRL 97, 170201).
    #[default]
    Fire,
    /// Limited-memory BFGS with a capped step.
    Lbfgs,
}

/// How to relax.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RelaxOptions {
    /// The minimiser.
    pub optimizer: Optimizer,
    /// Whether the cell may change.
    pub cell: bool,
    /// Stop when every force (and with `cell` the scaled stress) is below this (eV/Å).
    ///
    /// The scaled stress is the virial per atom, V σ / N in eV, row by row, as ASE's cell filters scale it.
    pub force_tolerance: f64,
    /// Stop after so many steps.
    pub max_steps: usize,
    /// Fractional coordinates that stay as they are, a row for each site; empty: all are free.
    #[serde(default)]
    pub held: Vec<[bool; 3]>,
}

/// FIRE on the positions, 0.05 eV/Å, at most 500 steps.
impl Default for RelaxOptions {
    fn default() -> Self {
        Self {
            optimizer: Optimizer::Fire,
            cell: false,
            force_tolerance: 0.05,
            max_steps: 500,
            held: Vec::new(),
        }
    }
}

/// One step of a relaxation.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// 0 is the starting structure.
    pub step: usize,
    /// The structure of this step.
    pub structure: &'a Structure,
    /// Its energy, forces, stress.
    pub evaluation: &'a Evaluation,
    /// The largest force on an atom, less what pulls at held coordinates (eV/Å).
    pub max_force: f64,
}

/// Where a relaxation ended.
#[derive(Debug, Clone)]
pub struct Relaxed {
    /// The final structure: same sites in the same order, coordinates continuous with the start (not wrapped).
    pub structure: Structure,
    /// What the potential said at the start.
    pub initial: Evaluation,
    /// What the potential says at the end.
    pub last: Evaluation,
    /// The largest force on an atom at the start, less what pulls at held coordinates (eV/Å).
    pub initial_force: f64,
    /// The same at the end.
    pub last_force: f64,
    /// Steps taken.
    pub steps: usize,
    /// Whether the tolerance was reached.
    pub converged: bool,
}

/// A way to go downhill. Rows are atoms, then three for the cell where it may change.
trait Minimiser {
    /// The next displacement (Å) from the energy (eV) and the forces (eV/Å) here.
    fn step(&mut self, energy: f64, forces: &[Vector3<f64>]) -> Vec<Vector3<f64>>;

    /// Forgets the past: the last step was not taken.
    fn reset(&mut self);
}

/// No row moves further than this in one step (Å).
const LONGEST_STEP: f64 = 0.2;

/// Relaxes. With `symmetry`, forces and stress are projected onto these operations of the cell, so the structure keeps
/// them exactly. `on_frame` sees every step and may stop the run ([`ModelError::Cancelled`]).
///
/// `symmetry` must be the whole group of the cell as given, centring translations included; a start that has it only within
/// rounding (0.1 Å at most) is made to have it exactly before the first step.
///
/// # Errors
/// Whatever the potential says about the start, or cancellation; [`ModelError::Unsupported`] when the start does not have the
/// symmetry or the cell collapses or flies apart.
pub fn relax(
    potential: &dyn Potential,
    start: &Structure,
    symmetry: Option<&[Operation]>,
    options: &RelaxOptions,
    on_frame: &mut dyn FnMut(&Frame<'_>) -> ControlFlow<()>,
) -> Result<Relaxed, ModelError> {
    let missing = || ModelError::Unsupported("the potential gave no answer".to_owned());
    let mut descent = Descent::new(start, symmetry, options)?;
    while let Some(wanted) = descent.wanted() {
        let answer = potential.evaluate(&[wanted]).pop().unwrap_or_else(|| Err(missing()));
        if !descent.advance(answer)? {
            continue;
        }
        if let Some(frame) = descent.frame()
            && on_frame(&frame).is_break()
        {
            return Err(ModelError::Cancelled);
        }
    }
    descent.relaxed().ok_or_else(missing)
}

/// Shortens a step so that no row is longer than allowed, keeping its direction.
fn cap(step: &mut [Vector3<f64>]) {
    let longest = step.iter().map(Vector3::norm).fold(0.0, f64::max);
    if longest > LONGEST_STEP {
        step.iter_mut().for_each(|row| *row *= LONGEST_STEP / longest);
    }
}

#[cfg(test)]
mod tests;
