//! Relaxation by a learned potential: FIRE and L-BFGS, positions only or the cell too, symmetry kept if asked.

use std::ops::ControlFlow;

use cellwright_crystal::Structure;
use cellwright_crystal::symmetry::Operation;
use serde::{Deserialize, Serialize};

use crate::{Evaluation, ModelError, Potential};

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
    pub force_tolerance: f64,
    /// Stop after so many steps.
    pub max_steps: usize,
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
    /// Steps taken.
    pub steps: usize,
    /// Whether the tolerance was reached.
    pub converged: bool,
}

/// Relaxes. With `symmetry`, forces and stress are projected onto these operations of the cell, so the structure keeps
/// them exactly. `on_frame` sees every step and may stop the run ([`ModelError::Cancelled`]).
///
/// # Errors
/// Whatever the potential says about the start, or cancellation.
pub fn relax(
    potential: &dyn Potential,
    start: &Structure,
    symmetry: Option<&[Operation]>,
    options: &RelaxOptions,
    on_frame: &mut dyn FnMut(&Frame<'_>) -> ControlFlow<()>,
) -> Result<Relaxed, ModelError> {
    todo!()
}
