//! Finishing predicted structures: energies, relaxation, distance from the hull, and a second look at the ranking.
//!
//! Every candidate is evaluated, then relaxed for a few steps with its symmetry kept and its cell free; the better half goes on for
//! as many steps again, half of these for twice as many, until the steps are spent (successive halving, Jamieson & Talwalkar
//! 2016). A candidate that breaks is left out with a note, those that became the same structure are one, and the rest is ranked
//! again with what the energies say ([`Reranker`]).

use cellwright_crystal::Structure;
use cellwright_crystal::matching::Prepared;

use crate::eval::csp::matcher;
use crate::hull::{Hull, NoHull};
use crate::tasks::batches;
use crate::tasks::predict::{Candidate, Prediction, interleaved};
use crate::{Evaluation, ModelError};

mod candidate;
mod rerank;
#[cfg(test)]
mod tests;

use candidate::Working;
pub use rerank::{Clue, Reranker, Weights};

/// Steps that every candidate gets.
pub const FIRST_STEPS: usize = 10;

/// Energy above the lowest candidate (eV/atom) at which a relaxed one is left out: phases that can be made at all are within a few
/// tenths of one (Sun et al., Sci. Adv. 2 (2016) e1600225).
const HOPELESS: f64 = 1.0;

/// How to finish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Steps that the best candidates get at most; 0: energies only, nothing is moved.
    pub steps: usize,
}

/// How far the finishing is.
#[derive(Debug)]
pub struct Stage<'a> {
    /// 0 to 1.
    pub fraction: f64,
    /// In words: `12 candidates, step 4 of 40`.
    pub message: String,
    /// The list, where it is better than before.
    pub candidates: Option<&'a [Candidate]>,
}

/// Energies and forces of structures, one answer each: a potential, with whatever has to be watched between its batches.
pub type Evaluate<'a> = dyn FnMut(&[&Structure]) -> Vec<Result<Evaluation, ModelError>> + 'a;

/// Finishes the candidates of a prediction. `hull` is that of their composition. `progress` is told of every batch and says
/// whether to go on.
///
/// # Errors
/// [`ModelError::Cancelled`] when `progress` or `evaluate` said stop, and whatever else is wrong with the potential. A candidate
/// that it cannot treat stays as it is.
pub fn finish(
    prediction: Prediction,
    hull: Result<Hull, NoHull>,
    reranker: Option<&Reranker>,
    options: &Options,
    evaluate: &mut Evaluate<'_>,
    progress: &mut dyn FnMut(&Stage<'_>) -> bool,
) -> Result<Prediction, ModelError> {
    let Prediction { candidates, mut notes, .. } = prediction;
    let hull = hull.inspect_err(|reason| notes.push(reason.to_string())).ok();
    let mut run = Run {
        working: candidates.into_iter().map(|c| Working::new(c, options.steps > 0)).collect(),
        hull,
        reranker: reranker.filter(|_| options.steps > 0),
        steps: options.steps,
        notes,
        spent: 0,
        budget: 0,
    };
    run.budget = run.planned();
    run.go(evaluate, progress)?;
    Ok(Prediction {
        candidates: run.working.into_iter().map(|w| w.candidate).collect(),
        notes: run.notes,
        hull: run.hull,
    })
}

struct Run<'a> {
    /// The likeliest first.
    working: Vec<Working>,
    hull: Option<Hull>,
    reranker: Option<&'a Reranker>,
    steps: usize,
    notes: Vec<String>,
    /// Evaluations so far, and those that there will be at most.
    spent: usize,
    budget: usize,
}

impl Run<'_> {
    /// Evaluations of the whole schedule where nothing converges early.
    fn planned(&self) -> usize {
        let mut sum = self.working.len();
        let (mut alive, mut before) = (self.working.len(), 0);
        for most in rounds(self.steps) {
            sum += alive * (most - before);
            before = most;
            alive = alive.div_ceil(2);
        }
        sum.max(1)
    }

    fn go(
        &mut self,
        evaluate: &mut Evaluate<'_>,
        progress: &mut dyn FnMut(&Stage<'_>) -> bool,
    ) -> Result<(), ModelError> {
        let mut alive = self.working.len();
        for most in std::iter::once(0).chain(rounds(self.steps)) {
            for working in self.working.iter_mut().take(alive) {
                working.extend(most);
            }
            self.round(alive, most, evaluate, progress)?;
            self.sort_out(most > 0);
            if !self.tell(None, progress) {
                return Err(ModelError::Cancelled);
            }
            if most > 0 {
                alive = alive.div_ceil(2);
            }
        }
        Ok(())
    }

    /// Lets the first candidates take their steps, all at once.
    fn round(
        &mut self,
        alive: usize,
        most: usize,
        evaluate: &mut Evaluate<'_>,
        progress: &mut dyn FnMut(&Stage<'_>) -> bool,
    ) -> Result<(), ModelError> {
        let mut step = 0;
        loop {
            let waiting: Vec<usize> = (0..alive.min(self.working.len()))
                .filter(|i| self.working[*i].wanted().is_some())
                .collect();
            if waiting.is_empty() {
                return Ok(());
            }
            let sizes: Vec<usize> =
                waiting.iter().map(|i| self.working[*i].candidate.structure.len()).collect();
            for batch in batches(&sizes) {
                let batch = &waiting[batch];
                let wanted: Vec<&Structure> =
                    batch.iter().filter_map(|i| self.working[*i].wanted()).collect();
                let answers = evaluate(&wanted);
                for (i, answer) in batch.iter().zip(answers) {
                    self.working[*i].take(answer)?;
                }
                self.spent += batch.len();
                // Static energies are worth showing as they come; later ones when a round has sorted them.
                let message = match most {
                    0 => None,
                    _ => Some(format!("relaxing {} candidates, step {}", waiting.len(), step + 1)),
                };
                if !self.tell(message, progress) {
                    return Err(ModelError::Cancelled);
                }
            }
            step += 1;
        }
    }

    /// After a round: what broke is left out, what became the same is one, and once something has moved the rest is ranked
    /// again. What has no chance of its own is sorted by energy and gets places of its own.
    fn sort_out(&mut self, moved: bool) {
        for working in &mut self.working {
            working.describe(self.hull.as_ref());
            for note in working.notes.drain(..) {
                if !self.notes.contains(&note) {
                    self.notes.push(note);
                }
            }
        }
        if !self.working.is_empty() && self.working.iter().all(|working| working.broken) {
            self.working.iter_mut().for_each(Working::restore);
            self.notes.push("no candidate stood relaxing: they are as they were found".to_owned());
        }
        self.working.retain(|working| !working.broken);
        self.leave_out_hopeless();
        self.merge();
        if let Some(reranker) = self.reranker.filter(|_| moved) {
            reranker.rank(&mut self.working);
        }
        let all = std::mem::take(&mut self.working);
        let (ranked, mut others): (Vec<Working>, Vec<Working>) =
            all.into_iter().partition(Working::has_place);
        let energy = |w: &Working| w.candidate.energy.unwrap_or(f64::INFINITY);
        others.sort_by(|a, b| energy(a).total_cmp(&energy(b)));
        self.working = interleaved(ranked, others);
    }

    /// What is still far above the lowest after its steps is no answer to anybody.
    fn leave_out_hopeless(&mut self) {
        let energies = self.working.iter().filter_map(|w| w.candidate.energy);
        let lowest = energies.fold(f64::INFINITY, f64::min);
        let before = self.working.len();
        self.working.retain(|w| {
            let energy = w.candidate.energy.filter(|_| w.has_moved());
            energy.is_none_or(|energy| energy - lowest < HOPELESS)
        });
        match before - self.working.len() {
            0 => {}
            1 => self.notes.push(format!(
                "a candidate more than {HOPELESS} eV/atom above the lowest was left out"
            )),
            n => self.notes.push(format!(
                "{n} candidates more than {HOPELESS} eV/atom above the lowest were left out"
            )),
        }
    }

    /// Candidates that became the same structure: the likelier one stays, with the probability of both.
    fn merge(&mut self) {
        let matcher = matcher();
        let mut kept: Vec<(Working, Option<Prepared>)> = Vec::with_capacity(self.working.len());
        for working in self.working.drain(..) {
            let prepared = matcher.prepare(&working.candidate.structure).ok();
            // Candidates were different when they came, so only what has moved can have become the same.
            let same = kept.iter_mut().find(|(first, other)| {
                (first.has_moved() || working.has_moved())
                    && other.as_ref().zip(prepared.as_ref()).is_some_and(|(a, b)| matcher.fit(a, b))
            });
            match same {
                Some((first, _)) => first.absorb(&working),
                None => kept.push((working, prepared)),
            }
        }
        self.working = kept.into_iter().map(|(working, _)| working).collect();
    }

    fn tell(&self, message: Option<String>, progress: &mut dyn FnMut(&Stage<'_>) -> bool) -> bool {
        let fraction = (self.spent as f64 / self.budget as f64).min(1.0);
        if let Some(message) = message {
            return progress(&Stage { fraction, message, candidates: None });
        }
        let list: Vec<Candidate> = self.working.iter().map(|w| w.candidate.clone()).collect();
        let known = list.iter().filter(|c| c.energy.is_some()).count();
        let noun = if list.len() == 1 { "candidate" } else { "candidates" };
        let mut message = format!("{} {noun}, energy of {known}", list.len());
        let relaxed = list.iter().filter_map(|c| c.relaxation).map(|r| r.steps).max();
        if let Some(steps) = relaxed.filter(|steps| *steps > 0) {
            message.push_str(&format!(", up to {steps} steps relaxed"));
        }
        progress(&Stage { fraction, message, candidates: Some(&list) })
    }
}

/// Steps in all that candidates have at the end of each round.
fn rounds(steps: usize) -> impl Iterator<Item = usize> {
    let first = (steps > 0).then_some(FIRST_STEPS.min(steps));
    std::iter::successors(first, move |most| (*most < steps).then(|| (most * 2).min(steps)))
}
