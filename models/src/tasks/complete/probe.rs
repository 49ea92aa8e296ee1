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

/// What a potential says of a crystal in its cell, with its atoms at rest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// eV/atom, where somebody was asked whose energies are known phases' too.
    pub energy: Option<f64>,
    /// A third of the trace of the stress (GPa), tension positive.
    pub pressure: f64,
    /// Norm of the rest of the stress (GPa).
    pub shear: f64,
    /// Whether the stress is that of a potential with fine stresses.
    pub fine: bool,
}

/// Who is asked about whole crystals.
pub struct Potentials<'a> {
    /// Brings the atoms to rest and tells the stress.
    pub evaluate: &'a mut Evaluate<'a>,
    /// Whether its stresses are fine, so that they count more; its energies are then of no use here.
    pub fine: bool,
    /// Tells the energy of the atoms at rest; without it the other one does, unless it is the fine one.
    pub energies: Option<&'a mut Evaluate<'a>>,
}

impl<'a> Potentials<'a> {
    /// Of those that there are, one with fine stresses and one whose energies are known phases' too.
    #[must_use]
    pub fn of(
        fine: Option<&'a mut Evaluate<'a>>,
        coarse: Option<&'a mut Evaluate<'a>>,
    ) -> Option<Self> {
        match fine {
            Some(evaluate) => Some(Self { evaluate, fine: true, energies: coarse }),
            None => Some(Self { evaluate: coarse?, fine: false, energies: None }),
        }
    }
}

impl Probe {
    fn new(evaluation: &Evaluation, fine: bool) -> Self {
        let pressure = evaluation.stress.trace() / 3.0;
        let shear = (evaluation.stress - Matrix3::from_diagonal_element(pressure)).norm();
        let energy = (!fine).then_some(evaluation.energy_per_atom);
        Self { energy, pressure, shear, fine }
    }

    fn is_finite(&self) -> bool {
        self.pressure.is_finite() && self.shear.is_finite()
    }
}

/// Asks about whole crystals, all at once. The atoms are put back by the model, then down the potential. None for a crystal that
/// the model or the potential cannot treat.
pub(super) fn probe(
    mender: &dyn Mender,
    cells: &[Structure],
    potentials: &mut Potentials<'_>,
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
        let probe = Probe::new(&relaxed.last, potentials.fine);
        if probe.is_finite() {
            probes[place] = Some(probe);
            places.push(place);
            resting.push(relaxed.structure);
        }
    }
    if let Some(evaluate) = &mut potentials.energies {
        for (place, energy) in places.into_iter().zip(energies(&resting, evaluate, cancelled)?) {
            if let Some(probe) = &mut probes[place] {
                probe.energy = energy;
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

/// The energies of crystals as they are (eV/atom). None for a crystal that the potential refuses.
fn energies(
    cells: &[Structure],
    evaluate: &mut Evaluate<'_>,
    cancelled: &dyn Fn() -> bool,
) -> Result<Vec<Option<f64>>, ModelError> {
    let sizes: Vec<usize> = cells.iter().map(Structure::len).collect();
    let mut energies = Vec::with_capacity(cells.len());
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
            energies.push(match answer {
                Err(ModelError::Unsupported(_)) => None,
                answer => Some(answer?.energy_per_atom),
            });
        }
    }
    Ok(energies)
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
