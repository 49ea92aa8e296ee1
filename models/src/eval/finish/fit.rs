//! The weights of the second ranking by maximum likelihood.

use nalgebra::{Matrix4, Vector4};

use super::Looked;
use crate::tasks::finish::{Clue, Weights};

/// Rounds of Newton's method; a handful is enough.
const ROUNDS: usize = 100;

/// Pull towards [`Weights::NEUTRAL`], as of observations that say so with these standard deviations (a, b per eV/atom, c, d).
const SPREAD: [f64; 4] = [1.0, 20.0, 20.0, 1.0];

/// An answer in numbers: what each weight is multiplied with, and whether it is right.
struct Choice {
    features: Vector4<f64>,
    right: bool,
}

/// The candidates of a question and "none of these".
fn choices(looked: &Looked) -> Vec<Choice> {
    let clues: Vec<Clue> = looked.tried.iter().map(|t| t.clue).collect();
    // A score is linear in the weights: feature k is the score with weight k alone.
    let unit = |k: usize| vector_weights(&Vector4::ith(k, 1.0));
    let columns: Vec<Vec<f64>> = (0..4).map(|k| unit(k).scores(&clues)).collect();
    let any = looked.tried.iter().any(|t| t.rms.is_some());
    let right = looked.tried.iter().map(|t| t.rms.is_some()).chain([!any]);
    right
        .enumerate()
        .map(|(i, right)| Choice { features: Vector4::from_fn(|k, _| columns[k][i]), right })
        .collect()
}

fn vector_weights(v: &Vector4<f64>) -> Weights {
    Weights { prior: v[0], energy: v[1], strain: v[2], none: v[3] }
}

/// The weights under which the right answers are likeliest, all of those to a question together.
#[must_use]
pub fn fit(questions: &[&Looked]) -> Weights {
    let choices: Vec<Vec<Choice>> = questions.iter().map(|q| choices(q)).collect();
    let neutral = Weights::NEUTRAL;
    let neutral = Vector4::new(neutral.prior, neutral.energy, neutral.strain, neutral.none);
    let precision = Vector4::from(SPREAD.map(|s| 1.0 / (s * s)));
    let value = |at: &Vector4<f64>| {
        let off = at - neutral;
        let pull = 0.5 * off.component_mul(&off).dot(&precision);
        choices.iter().map(|c| likelihood(c, at)).sum::<f64>() - pull
    };
    let mut at = neutral;
    let mut best = value(&at);
    for _ in 0..ROUNDS {
        let mut gradient = -(at - neutral).component_mul(&precision);
        let mut curvature = Matrix4::from_diagonal(&precision);
        for question in &choices {
            let (all, spread) = moments(question, &at, |_| true);
            let (right, _) = moments(question, &at, |choice| choice.right);
            gradient += right - all;
            curvature += spread;
        }
        let Some(mut step) = curvature.cholesky().map(|c| c.solve(&gradient)) else { break };
        // The likelihood of a sum is not concave everywhere, so that a whole step may be too long.
        let mut next = value(&(at + step));
        for _ in 0..20 {
            if next >= best {
                break;
            }
            step *= 0.5;
            next = value(&(at + step));
        }
        if next < best + 1e-10 {
            break;
        }
        at += step;
        best = next;
    }
    vector_weights(&at)
}

/// Logarithm of the probability of the right choices together.
fn likelihood(choices: &[Choice], at: &Vector4<f64>) -> f64 {
    let sum = |of: &dyn Fn(&&Choice) -> bool| {
        let scores: Vec<f64> = choices.iter().filter(of).map(|c| c.features.dot(at)).collect();
        let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        highest + scores.iter().map(|s| (s - highest).exp()).sum::<f64>().ln()
    };
    sum(&|c| c.right) - sum(&|_| true)
}

/// Mean and covariance of the features under the probabilities of some of the choices.
fn moments(
    choices: &[Choice],
    at: &Vector4<f64>,
    of: impl Fn(&Choice) -> bool,
) -> (Vector4<f64>, Matrix4<f64>) {
    let chosen = || choices.iter().filter(|c| of(c));
    let highest = chosen().map(|c| c.features.dot(at)).fold(f64::NEG_INFINITY, f64::max);
    let weight = |c: &Choice| (c.features.dot(at) - highest).exp();
    let sum: f64 = chosen().map(weight).sum();
    let mean = chosen().map(|c| c.features * (weight(c) / sum)).sum::<Vector4<f64>>();
    let spread = chosen()
        .map(|c| (c.features - mean) * (c.features - mean).transpose() * (weight(c) / sum))
        .sum::<Matrix4<f64>>();
    (mean, spread)
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
