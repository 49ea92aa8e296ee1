//! One candidate on its way.

use cellwright_crystal::Structure;
use cellwright_crystal::neighbors::neighbors;
use cellwright_crystal::structure::wrap_unit;
use cellwright_crystal::symmetry::detect;

use crate::hull::Hull;
use crate::tasks::predict::{AboveHull, Candidate, Relaxation, SYMPREC};
use crate::tasks::relax::{Descent, Optimizer, RelaxOptions};
use crate::{Evaluation, ModelError};

/// What is converged (eV/Å).
const FORCE: f64 = 0.05;

/// No crystal has atoms closer than this (Å): the structural validity of the benchmarks.
const CLOSEST: f64 = 0.5;

/// Energies (eV/atom) of no solid: the deepest are near −15, and far above zero nothing holds together.
const DEEPEST: f64 = -20.0;
const HIGHEST: f64 = 10.0;

/// An atom without another this near (Å) belongs to no solid: in solid xenon the nearest is at 4.4 Å.
const LONELY: f64 = 6.0;

pub(super) struct Working {
    pub(super) candidate: Candidate,
    /// As it came.
    original: Candidate,
    /// Probability before energies were known.
    pub(super) prior: Option<f64>,
    descent: State,
    pub(super) broken: bool,
    /// What the user should know.
    pub(super) notes: Vec<String>,
}

enum State {
    /// Only its energy is asked for.
    Static,
    Relaxing(Box<Descent>),
    /// No more questions.
    Done,
}

impl Working {
    /// Whether the list says where it stands: it has a probability, or repeats a known structure that has one.
    pub(super) fn has_place(&self) -> bool {
        self.candidate.probability.is_some() || self.candidate.source.is_known()
    }

    pub(super) fn new(candidate: Candidate, relax: bool) -> Self {
        let mut notes = Vec::new();
        let descent = if relax { start(&candidate, &mut notes) } else { None };
        Self {
            prior: candidate.probability,
            descent: descent.map_or(State::Static, |d| State::Relaxing(Box::new(d))),
            original: candidate.clone(),
            candidate,
            broken: false,
            notes,
        }
    }

    /// What the potential is to be asked about.
    pub(super) fn wanted(&self) -> Option<&Structure> {
        match &self.descent {
            State::Static => Some(&self.candidate.structure),
            State::Relaxing(descent) => descent.wanted(),
            State::Done => None,
        }
    }

    /// Allows so many steps in all.
    pub(super) fn extend(&mut self, most: usize) {
        if let State::Relaxing(descent) = &mut self.descent
            && let Err(error) = descent.extend(most)
        {
            self.fail(&error);
        }
    }

    /// Goes on with an answer.
    pub(super) fn take(
        &mut self,
        answer: Result<Evaluation, ModelError>,
    ) -> Result<(), ModelError> {
        let answer = match answer {
            // Only what is wrong with the structure is the candidate's own fault.
            Err(error) if !matches!(error, ModelError::Unsupported(_)) => return Err(error),
            answer => answer,
        };
        match (&mut self.descent, answer) {
            (State::Static, Ok(evaluation)) => {
                self.candidate.energy =
                    Some(evaluation.energy_per_atom).filter(|energy| energy.is_finite());
                self.descent = State::Done;
            }
            (State::Relaxing(descent), answer) => {
                if let Err(error) = descent.advance(answer) {
                    self.fail(&error);
                } else if let Some(frame) = descent.frame() {
                    self.candidate.energy = Some(frame.evaluation.energy_per_atom);
                }
            }
            (State::Static | State::Done, Err(error)) => self.fail(&error),
            (State::Done, Ok(_)) => {}
        }
        Ok(())
    }

    /// Where the potential gives up. What it never could treat stays as it came.
    fn fail(&mut self, error: &ModelError) {
        self.descent = State::Done;
        if self.candidate.energy.is_none() {
            self.notes.push(format!("no energy: {error}"));
        } else {
            self.leave_out(&error.to_string());
        }
    }

    fn leave_out(&mut self, reason: &str) {
        self.broken = true;
        let from = &self.candidate.source;
        self.notes.push(format!("the candidate from {from} was left out: {reason}"));
    }

    /// Back to how it came, without a future.
    pub(super) fn restore(&mut self) {
        self.candidate = self.original.clone();
        self.descent = State::Done;
        self.broken = false;
    }

    /// Whether the structure is another one than it was.
    pub(super) fn has_moved(&self) -> bool {
        self.candidate.relaxation.is_some_and(|r| r.steps > 0)
    }

    /// Takes over the probability of a candidate that is the same.
    pub(super) fn absorb(&mut self, other: &Self) {
        let add = |p: &mut Option<f64>, more: Option<f64>| {
            if let (Some(p), Some(more)) = (p, more) {
                *p = (*p + more).min(1.0);
            }
        };
        add(&mut self.prior, other.prior);
        add(&mut self.candidate.probability, other.candidate.probability);
    }

    /// Brings what is said of the candidate to where its structure is now.
    pub(super) fn describe(&mut self, hull: Option<&Hull>) {
        if let State::Relaxing(descent) = &self.descent
            && let Some(frame) = descent.frame()
        {
            let mut structure = frame.structure.clone();
            structure.sites.iter_mut().for_each(|site| site.frac = site.frac.map(wrap_unit));
            let before = self.original.structure.lattice.volume();
            let relaxation = Relaxation {
                steps: frame.step,
                converged: descent.converged(),
                volume_change: structure.lattice.volume() / before - 1.0,
            };
            if frame.step > 0 {
                self.candidate.place(structure);
            }
            self.candidate.relaxation = Some(relaxation);
        }
        if self.has_moved() && has_lonely_atom(&self.candidate.structure) {
            return self.leave_out("its atoms fly apart");
        }
        let Some(energy) = self.candidate.energy else { return };
        if self.has_moved() && !(DEEPEST..=HIGHEST).contains(&energy) {
            return self
                .leave_out(&format!("its energy of {energy:.1} eV/atom is that of no solid"));
        }
        if self.has_moved() && self.candidate.shortest.is_some_and(|d| d < CLOSEST) {
            return self.leave_out("two of its atoms have come closer than 0.5 Å");
        }
        let above = |hull: &Hull| AboveHull { energy: hull.above(energy), phases: hull.phases };
        self.candidate.above_hull = hull.map(above);
    }
}

/// Whether an atom has no other within [`LONELY`].
fn has_lonely_atom(structure: &Structure) -> bool {
    let near = neighbors(&structure.lattice, &structure.fractional(), LONELY);
    near.is_ok_and(|list| (0..list.len()).any(|i| list.of(i).is_empty()))
}

/// The relaxation of a candidate: cell and positions, symmetry kept.
fn start(candidate: &Candidate, notes: &mut Vec<String>) -> Option<Descent> {
    let options = RelaxOptions {
        optimizer: Optimizer::Lbfgs,
        cell: true,
        force_tolerance: FORCE,
        max_steps: 0,
        held: Vec::new(),
    };
    let structure = &candidate.structure;
    // Where the looser symmetry holds too roughly to be made exact, the stricter one does.
    for symprec in [SYMPREC, SYMPREC / 10.0] {
        let Ok(found) = detect(structure, symprec) else { continue };
        if let Ok(descent) = Descent::new(structure, Some(&found.operations), &options) {
            return Some(descent);
        }
    }
    notes.push(format!("the candidate from {} is relaxed without symmetry", candidate.source));
    Descent::new(structure, None, &options).ok()
}
