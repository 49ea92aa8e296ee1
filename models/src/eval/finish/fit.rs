//! The weights of the second ranking by maximum likelihood.

use nalgebra::DVector;

use super::Looked;
use crate::eval::choice::{self, Choice, Prior};
use crate::tasks::finish::{Clue, Weights};

/// Pull towards [`Weights::NEUTRAL`], as of observations that say so with these standard deviations (a, b per eV/atom, c, d).
const SPREAD: [f64; 4] = [1.0, 20.0, 20.0, 1.0];

/// The candidates of a question and "none of these".
fn choices(looked: &Looked) -> Vec<Choice> {
    let clues: Vec<Clue> = looked.tried.iter().map(|t| t.clue).collect();
    // A score is linear in the weights: feature k is the score with weight k alone.
    let unit = |k: usize| weights(&DVector::from_fn(4, |i, _| f64::from(u8::from(i == k))));
    let columns: Vec<Vec<f64>> = (0..4).map(|k| unit(k).scores(&clues)).collect();
    let any = looked.tried.iter().any(|t| t.rms.is_some());
    let right = looked.tried.iter().map(|t| t.rms.is_some()).chain([!any]);
    let choice = |(i, right)| Choice { features: DVector::from_fn(4, |k, _| columns[k][i]), right };
    right.enumerate().map(choice).collect()
}

fn weights(v: &DVector<f64>) -> Weights {
    Weights { prior: v[0], energy: v[1], strain: v[2], none: v[3] }
}

/// The weights under which the right answers are likeliest, all of those to a question together.
#[must_use]
pub fn fit(questions: &[&Looked]) -> Weights {
    let Weights { prior, energy, strain, none } = Weights::NEUTRAL;
    let prior = Prior {
        mean: DVector::from_vec(vec![prior, energy, strain, none]),
        spread: DVector::from_row_slice(&SPREAD),
    };
    let questions: Vec<Vec<Choice>> = questions.iter().map(|q| choices(q)).collect();
    weights(&choice::fit(&questions, &prior))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::finish::Tried;
    use crate::nn::random::Random;

    /// Questions whose answers are drawn with known weights.
    pub(super) fn drawn(count: usize, truth: &Weights) -> Vec<Looked> {
        let mut random = Random::new(7, 0);
        let mut uniform = |scale: f64| scale * random.below(1 << 20) as f64 / f64::from(1 << 20);
        let question = |i: usize| {
            let clues: Vec<Clue> = (0..5)
                .map(|_| Clue { prior: uniform(0.19), energy: uniform(0.3), strain: uniform(0.2) })
                .collect();
            let mut chance = uniform(1.0);
            let probabilities = truth.probabilities(&clues);
            let right = probabilities.iter().position(|p| {
                chance -= p;
                chance < 0.0
            });
            let tried = clues.into_iter().enumerate().map(|(k, clue)| {
                let rms = (right == Some(k)).then_some(0.1);
                Tried { clue, rms, steps: 10, converged: true }
            });
            Looked { id: i.to_string(), before: Vec::new(), tried: tried.collect() }
        };
        (0..count).map(question).collect()
    }

    #[test]
    fn weights_are_found_again() {
        let truth = Weights { prior: 0.8, energy: 12.0, strain: 6.0, none: -0.5 };
        let questions = drawn(8000, &truth);
        let found = fit(&questions.iter().collect::<Vec<_>>());
        assert!((found.prior - truth.prior).abs() < 0.12, "{found:?}");
        assert!((found.energy - truth.energy).abs() < 1.2, "{found:?}");
        assert!((found.strain - truth.strain).abs() < 1.2, "{found:?}");
        assert!((found.none - truth.none).abs() < 0.25, "{found:?}");
    }

    #[test]
    fn without_questions_nothing_is_learned() {
        assert_eq!(fit(&[]), Weights::NEUTRAL);
    }
}
