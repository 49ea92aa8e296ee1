//! What a potential says of assignments: how much the cell pulls or pushes once the atoms are where they belong.

use cellwright_crystal::Structure;
use nalgebra::{Matrix3, Vector3};
use serde::{Deserialize, Serialize};

use crate::tasks::batches;
use crate::tasks::finish::Evaluate;
use crate::tasks::mender::{Mender, check};
use crate::tasks::relax::{Descent, Optimizer, RelaxOptions, Relaxed};
use crate::{Evaluation, ModelError};

/// How often the model puts the atoms back before the potential is asked.
const ROUNDS: usize = 2;

/// Steps down the potential, the cell held.
const STEPS: usize = 6;

/// Forces below this (eV/Å) leave a stress as it is.
const AT_REST: f64 = 0.02;

/// What the cell of a crystal pulls or pushes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stress {
    /// A third of the trace of the stress (GPa), tension positive.
    pub pressure: f64,
    /// Norm of the rest of the stress (GPa).
    pub shear: f64,
}

/// What a potential says of a crystal in its cell, with its atoms at rest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// eV/atom.
    pub energy: f64,
    /// By the potential that brought the atoms to rest.
    pub stress: Stress,
    /// The same atoms in the words of a potential with finer stresses, where it was asked.
    pub finer: Option<Stress>,
}

impl Probe {
    /// The finest stress that is known.
    #[must_use]
    pub fn finest(&self) -> Stress {
        self.finer.unwrap_or(self.stress)
    }
}

impl From<&Evaluation> for Stress {
    fn from(evaluation: &Evaluation) -> Self {
        let pressure = evaluation.stress.trace() / 3.0;
        let shear = (evaluation.stress - Matrix3::from_diagonal_element(pressure)).norm();
        Self { pressure, shear }
    }
}

impl Stress {
    fn is_finite(&self) -> bool {
        self.pressure.is_finite() && self.shear.is_finite()
    }
}

/// Who is asked about whole crystals.
pub(super) struct Potentials<'a, 'b> {
    /// Brings the atoms to rest.
    pub(super) evaluate: &'a mut Evaluate<'b>,
    /// Has finer stresses.
    pub(super) finer: Option<&'a mut Evaluate<'b>>,
}

/// Asks about whole crystals, all at once. The atoms are put back by the model, then down the potential. None for a crystal that
/// the model or the potential cannot treat.
pub(super) fn probe(
    mender: &dyn Mender,
    cells: &[Structure],
    potentials: &mut Potentials<'_, '_>,
    cancelled: &dyn Fn() -> bool,
) -> Result<Vec<Option<Probe>>, ModelError> {
    let mut cells = cells.to_vec();
    for _ in 0..ROUNDS {
        match put_back(mender, &mut cells, cancelled) {
            // What the model cannot treat any more stays where it is.
            Err(ModelError::Unsupported(_)) => break,
            done => done?,
        }
    }
    let mut probes = vec![None; cells.len()];
    let (mut places, mut resting) = (Vec::new(), Vec::new());
    for (place, relaxed) in descend(&cells, potentials.evaluate, cancelled)?.into_iter().enumerate()
    {
        let Some(relaxed) = relaxed else { continue };
        let (energy, stress) = (relaxed.last.energy_per_atom, Stress::from(&relaxed.last));
        if energy.is_finite() && stress.is_finite() {
            probes[place] = Some(Probe { energy, stress, finer: None });
            places.push(place);
            resting.push(relaxed.structure);
        }
    }
    if let Some(finer) = &mut potentials.finer {
        for (place, stress) in places.into_iter().zip(stresses(&resting, finer, cancelled)?) {
            if let Some(probe) = &mut probes[place] {
                probe.finer = stress;
            }
        }
    }
    Ok(probes)
}

/// Brings the atoms to rest, the cell held. None for a crystal that the potential refuses.
fn descend(
    cells: &[Structure],
    evaluate: &mut Evaluate<'_>,
    cancelled: &dyn Fn() -> bool,
) -> Result<Vec<Option<Relaxed>>, ModelError> {
    let options = RelaxOptions {
        optimizer: Optimizer::Lbfgs,
        force_tolerance: AT_REST,
        max_steps: STEPS,
        ..RelaxOptions::default()
    };
    let mut descents = cells
        .iter()
        .map(|cell| Descent::new(cell, None, &options).map(Some))
        .collect::<Result<Vec<_>, _>>()?;
    loop {
        let wanted: Vec<usize> = (0..descents.len())
            .filter(|i| descents[*i].as_ref().is_some_and(|d| d.wanted().is_some()))
            .collect();
        if wanted.is_empty() {
            break;
        }
        let sizes: Vec<usize> = wanted.iter().map(|i| cells[*i].len()).collect();
        for range in batches(&sizes) {
            if cancelled() {
                return Err(ModelError::Cancelled);
            }
            advance(&mut descents, &wanted[range], evaluate)?;
        }
    }
    Ok(descents.into_iter().map(|descent| descent?.relaxed()).collect())
}

/// The stresses of crystals as they are. None for a crystal that the potential refuses.
fn stresses(
    cells: &[Structure],
    evaluate: &mut Evaluate<'_>,
    cancelled: &dyn Fn() -> bool,
) -> Result<Vec<Option<Stress>>, ModelError> {
    let sizes: Vec<usize> = cells.iter().map(Structure::len).collect();
    let mut stresses = Vec::with_capacity(cells.len());
    for range in batches(&sizes) {
        if cancelled() {
            return Err(ModelError::Cancelled);
        }
        let wanted: Vec<&Structure> = cells[range].iter().collect();
        let answers = evaluate(&wanted);
        if answers.len() != wanted.len() {
            return Err(ModelError::Unsupported("the potential gave no answer".to_owned()));
        }
        for answer in answers {
            stresses.push(match answer {
                Err(ModelError::Unsupported(_)) => None,
                answer => Some(Stress::from(&answer?)).filter(Stress::is_finite),
            });
        }
    }
    Ok(stresses)
}

/// A step of some of the descents. Those that the potential refuses end here.
fn advance(
    descents: &mut [Option<Descent>],
    which: &[usize],
    evaluate: &mut Evaluate<'_>,
) -> Result<(), ModelError> {
    let wanted: Vec<&Structure> =
        which.iter().filter_map(|i| descents[*i].as_ref()?.wanted()).collect();
    let answers = evaluate(&wanted);
    if answers.len() != which.len() {
        return Err(ModelError::Unsupported("the potential gave no answer".to_owned()));
    }
    for (i, answer) in which.iter().zip(answers) {
        let Some(descent) = &mut descents[*i] else { continue };
        match descent.advance(answer) {
            Err(ModelError::Unsupported(_)) => descents[*i] = None,
            done => done.map(drop)?,
        }
    }
    Ok(())
}

/// Moves every atom to where the model would have it; the crystal as a whole stays.
fn put_back(
    mender: &dyn Mender,
    cells: &mut [Structure],
    cancelled: &dyn Fn() -> bool,
) -> Result<(), ModelError> {
    let mended = mender.mend(cells, cancelled)?;
    if mended.len() != cells.len() {
        return Err(ModelError::Unsupported("the model gave no answer".to_owned()));
    }
    for (cell, mended) in cells.iter_mut().zip(&mended) {
        check(mended, cell)?;
        let mean = mended.displacement.iter().sum::<Vector3<f64>>() / cell.len().max(1) as f64;
        for (site, by) in cell.sites.iter_mut().zip(&mended.displacement) {
            site.frac -= cell.lattice.to_fractional(&(by - mean));
        }
    }
    Ok(())
}
