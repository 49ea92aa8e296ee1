//! Weights of evidence by maximum likelihood: each question has choices, each choice a score that is linear in the weights, and the
//! chance of a choice is in proportion to the exponential of its score (a conditional logit).

use nalgebra::{DMatrix, DVector};

/// Rounds of Newton's method; a handful is enough.
const ROUNDS: usize = 100;

/// A choice in numbers: what each weight is multiplied with, and whether it is right.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    /// One number for each weight.
    pub(super) features: DVector<f64>,
    /// Several may be.
    pub(super) right: bool,
}

/// Where weights are drawn to while little is known of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Prior {
    /// The weights without any question.
    pub(super) mean: DVector<f64>,
    /// How far from them is no surprise: standard deviations.
    pub(super) spread: DVector<f64>,
}

/// The weights under which the right choices are likeliest, all of those to a question together. Questions without a right choice
/// are left out.
pub(super) fn fit(questions: &[Vec<Choice>], prior: &Prior) -> DVector<f64> {
    let answerable = |question: &&Vec<Choice>| question.iter().any(|c| c.right);
    let questions: Vec<&Vec<Choice>> = questions.iter().filter(answerable).collect();
    let precision = prior.spread.map(|s| 1.0 / (s * s));
    let value = |at: &DVector<f64>| {
        let off = at - &prior.mean;
        let pull = 0.5 * off.component_mul(&off).dot(&precision);
        questions.iter().map(|c| likelihood(c, at)).sum::<f64>() - pull
    };
    let mut at = prior.mean.clone();
    let mut best = value(&at);
    for _ in 0..ROUNDS {
        let mut gradient = -(&at - &prior.mean).component_mul(&precision);
        let mut curvature = DMatrix::from_diagonal(&precision);
        for question in &questions {
            let (all, spread) = moments(question, &at, |_| true);
            let (right, _) = moments(question, &at, |choice| choice.right);
            gradient += right - all;
            curvature += spread;
        }
        let Some(mut step) = curvature.cholesky().map(|c| c.solve(&gradient)) else { break };
        // The likelihood of a sum is not concave everywhere, so that a whole step may be too long.
        let mut next = value(&(&at + &step));
        for _ in 0..20 {
            if next >= best {
                break;
            }
            step *= 0.5;
            next = value(&(&at + &step));
        }
        if next < best + 1e-10 {
            break;
        }
        at += step;
        best = next;
    }
    at
}

/// Logarithm of the probability of the right choices together.
fn likelihood(choices: &[Choice], at: &DVector<f64>) -> f64 {
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
    at: &DVector<f64>,
    of: impl Fn(&Choice) -> bool,
) -> (DVector<f64>, DMatrix<f64>) {
    let chosen = || choices.iter().filter(|c| of(c));
    let highest = chosen().map(|c| c.features.dot(at)).fold(f64::NEG_INFINITY, f64::max);
    let weight = |c: &Choice| (c.features.dot(at) - highest).exp();
    let sum: f64 = chosen().map(weight).sum();
    let mut mean = DVector::zeros(at.len());
    for choice in chosen() {
        mean.axpy(weight(choice) / sum, &choice.features, 1.0);
    }
    let mut spread = DMatrix::zeros(at.len(), at.len());
    for choice in chosen() {
        let off = &choice.features - &mean;
        spread.ger(weight(choice) / sum, &off, &off, 1.0);
    }
    (mean, spread)
}
