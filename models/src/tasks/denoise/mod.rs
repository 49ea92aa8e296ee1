//! Displaced atoms are put back where a model that has learned from displaced crystals thinks they belong.
//!
//! The model says by how much every atom is off; that much is taken away, as far as the symmetry and the atoms that are held let
//! it. The rest is found by asking again, until hardly anything moves. A step that makes the crystal worse is shortened, and if
//! that does not help it is not taken: by the energy where there is a potential, else by the shortest distance.

use cellwright_crystal::Structure;
use cellwright_crystal::symmetry::Operation;
use nalgebra::Vector3;
use serde::{Deserialize, Serialize};

use super::mender::{Mender, mend_one};
use super::relax::held::Held;
use super::relax::symmetry::Projector;
use crate::{Evaluation, ModelError};

mod judge;
#[cfg(test)]
mod tests;

use judge::Judge;

/// How to denoise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DenoiseOptions {
    /// Ask the model so often at most.
    pub rounds: usize,
    /// Stop when no atom moves further than this in a round (Å).
    pub settled: f64,
    /// Fractional coordinates that stay as they are, a row for each site; empty: all are free.
    #[serde(default)]
    pub held: Vec<[bool; 3]>,
}

impl Default for DenoiseOptions {
    /// Five rounds, 0.01 Å, all atoms free.
    fn default() -> Self {
        Self { rounds: 5, settled: 0.01, held: Vec::new() }
    }
}

/// Why it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "reason", rename_all = "snake_case")]
pub enum Ending {
    /// Nothing moves any more.
    Settled,
    /// There were as many rounds as were asked for.
    Rounds,
    /// Another step would have made the crystal worse, for this reason.
    Worse(String),
}

/// A crystal whose atoms were put back.
#[derive(Debug, Clone)]
pub struct Denoised {
    /// Same sites in the same order, coordinates continuous with the start (not wrapped).
    pub structure: Structure,
    /// How far each atom moved (Å, Cartesian).
    pub moved: Vec<Vector3<f64>>,
    /// Rounds that moved anything.
    pub rounds: usize,
    /// Why it ended.
    pub ending: Ending,
    /// What the potential says about the start and the end.
    pub energies: Option<(Evaluation, Evaluation)>,
    /// Shortest distances at the start and the end (Å).
    pub shortest: (f64, f64),
    /// Why there are no energies, and other things a user should know.
    pub notes: Vec<String>,
}

/// Energy and forces of a structure: a potential, with whatever has to be watched when it is asked.
pub type Evaluate<'a> = dyn FnMut(&Structure) -> Result<Evaluation, ModelError> + 'a;

/// Puts atoms back. With `symmetry`, the whole group of the cell as given, the structure keeps it exactly, see
/// [`super::relax::relax`]. `potential` may refuse: then there are no energies, and a note says why. `progress` is told of every
/// round (0 to 1) and says whether to go on.
///
/// # Errors
/// [`ModelError::Unsupported`] when the structure does not have the symmetry, has two atoms at one place, or is outside what the model has
/// learned from; [`ModelError::Cancelled`].
pub fn denoise(
    mender: &dyn Mender,
    start: &Structure,
    symmetry: Option<&[Operation]>,
    options: &DenoiseOptions,
    potential: Option<&mut Evaluate<'_>>,
    progress: &mut dyn FnMut(f64, String) -> bool,
) -> Result<Denoised, ModelError> {
    let mut here = start.clone();
    let projector = match symmetry {
        Some(operations) => Projector::new(&mut here, operations)?,
        None => Projector::none(),
    };
    let held = Held::new(&here, &options.held)?;
    let mut judge = Judge::new(&here, potential)?;
    let mut rounds = 0;
    let ending = loop {
        if rounds == options.rounds {
            break Ending::Rounds;
        }
        let message = format!("round {} of at most {}", rounds + 1, options.rounds);
        if !progress(rounds as f64 / options.rounds as f64, message) {
            return Err(ModelError::Cancelled);
        }
        let mended = mend_one(mender, &here, &|| false)?;
        let mut step: Vec<Vector3<f64>> = mended.displacement.iter().map(|d| -d).collect();
        if options.held.is_empty() {
            // No model can know where the crystal as a whole belongs.
            let mean = step.iter().sum::<Vector3<f64>>() / step.len().max(1) as f64;
            step.iter_mut().for_each(|row| *row -= mean);
        }
        projector.project(&mut step);
        held.project(&mut step);
        if longest(&step) < options.settled {
            break Ending::Settled;
        }
        match judge.take(&here, &step)? {
            Ok(there) => here = there,
            Err(reason) => break Ending::Worse(reason),
        }
        rounds += 1;
    };
    let cartesian = |s: &Structure| s.cartesian();
    let moved = cartesian(&here).iter().zip(cartesian(start)).map(|(a, b)| a - b).collect();
    let (energies, shortest, notes) = judge.verdict();
    Ok(Denoised { structure: here, moved, rounds, ending, energies, shortest, notes })
}

fn longest(rows: &[Vector3<f64>]) -> f64 {
    rows.iter().map(Vector3::norm).fold(0.0, f64::max)
}
