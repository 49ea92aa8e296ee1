//! Whether a step makes a crystal better.

use cellwright_crystal::Structure;
use nalgebra::Vector3;

use super::Evaluate;
use crate::{Evaluation, ModelError};

/// Atoms closer than this (Å) are on top of each other: the published criterion of validity.
const CLOSEST: f64 = 0.5;

/// Without energies the shortest distance may shrink to this share of what it was at the start.
const SHRINK: f64 = 0.9;

/// An energy that rises by less than this (eV/atom) has not risen: the noise of a potential in single precision.
const NOISE: f64 = 1e-4;

/// How often a step that makes things worse is halved.
const HALVINGS: usize = 2;

/// Looks at every step before it is taken.
pub(super) struct Judge<'a, 'b> {
    potential: Option<&'a mut Evaluate<'b>>,
    initial: Option<Evaluation>,
    last: Option<Evaluation>,
    shortest: (f64, f64),
    notes: Vec<String>,
}

/// What a judge knows at the end: energies and shortest distances at the start and the end, and notes.
pub(super) type Verdict = (Option<(Evaluation, Evaluation)>, (f64, f64), Vec<String>);

impl<'a, 'b> Judge<'a, 'b> {
    /// At the start. A potential that refuses it is not asked again.
    pub(super) fn new(
        start: &Structure,
        mut potential: Option<&'a mut Evaluate<'b>>,
    ) -> Result<Self, ModelError> {
        let shortest = shortest(start)?;
        if shortest < 1e-3 {
            let reason = "two atoms are at one place: which way each belongs cannot be said";
            return Err(ModelError::Unsupported(reason.to_owned()));
        }
        let mut notes = Vec::new();
        let mut initial = None;
        if let Some(evaluate) = potential.as_mut() {
            match evaluate(start) {
                Ok(evaluation) if evaluation.energy_per_atom.is_finite() => {
                    initial = Some(evaluation);
                }
                Ok(_) => notes.push("no energies: that of the start is not finite".to_owned()),
                Err(ModelError::Cancelled) => return Err(ModelError::Cancelled),
                Err(reason) => notes.push(format!("no energies: {reason}")),
            }
        }
        let potential = potential.filter(|_| initial.is_some());
        let last = initial.clone();
        Ok(Self { potential, initial, last, shortest: (shortest, shortest), notes })
    }

    /// Where a step leads, or a shorter one if that makes things worse; else the reason why none is taken.
    pub(super) fn take(
        &mut self,
        here: &Structure,
        step: &[Vector3<f64>],
    ) -> Result<Result<Structure, String>, ModelError> {
        let mut reason = String::new();
        for halving in 0..=HALVINGS {
            let share = 0.5_f64.powi(halving as i32);
            let there = moved(here, step, share);
            match self.look(&there)? {
                Ok((shortest, evaluation)) => {
                    self.shortest.1 = shortest;
                    self.last = evaluation.or(self.last.take());
                    return Ok(Ok(there));
                }
                // The whole step is the one to speak of.
                Err(why) if halving == 0 => reason = why,
                Err(_) => {}
            }
        }
        Ok(Err(reason))
    }

    /// Distance and energy of a place that is no worse, or why it is.
    fn look(
        &mut self,
        there: &Structure,
    ) -> Result<Result<(f64, Option<Evaluation>), String>, ModelError> {
        let shortest = shortest(there)?;
        let before = self.shortest.1;
        if shortest < CLOSEST && shortest < before {
            return Ok(Err(format!("atoms would come as close as {shortest:.2} Å")));
        }
        let (Some(evaluate), Some(last)) = (self.potential.as_mut(), &self.last) else {
            let least = SHRINK * self.shortest.0;
            let reason = || format!("the shortest distance would shrink to {shortest:.2} Å");
            return Ok(if shortest < least { Err(reason()) } else { Ok((shortest, None)) });
        };
        match evaluate(there) {
            Ok(new) if new.energy_per_atom <= last.energy_per_atom + NOISE => {
                Ok(Ok((shortest, Some(new))))
            }
            Ok(new) => {
                let rise = 1e3 * (new.energy_per_atom - last.energy_per_atom);
                Ok(Err(format!("the energy would rise by {rise:.0} meV/atom")))
            }
            Err(ModelError::Cancelled) => Err(ModelError::Cancelled),
            Err(reason) => Ok(Err(format!("the potential gives no energy there: {reason}"))),
        }
    }

    pub(super) fn verdict(self) -> Verdict {
        (self.initial.zip(self.last), self.shortest, self.notes)
    }
}

fn moved(here: &Structure, step: &[Vector3<f64>], share: f64) -> Structure {
    let mut there = here.clone();
    for (site, step) in there.sites.iter_mut().zip(step) {
        site.frac += here.lattice.to_fractional(&(step * share));
    }
    there
}

/// The shortest distance (Å); infinite where there is none.
fn shortest(structure: &Structure) -> Result<f64, ModelError> {
    let pair = structure.closest_pair().map_err(|e| ModelError::Unsupported(e.to_string()))?;
    Ok(pair.map_or(f64::INFINITY, |pair| pair.distance))
}
