//! Orders of candidates compared on questions that the weights have not seen.

use serde::Serialize;

use super::Looked;
use super::fit::fit;
use crate::eval::csp::{Report, report};
use crate::nn::random::Random;
use crate::tasks::finish::{Clue, Weights};

/// Parts of the cross-validation.
const FOLDS: usize = 10;

/// Draws of the bootstrap.
const DRAWS: usize = 2000;

/// One way to put candidates in order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Order {
    /// `chemistry`, `chemistry, relaxed`, `energy`, `both`.
    pub name: &'static str,
    /// How often the first answer matches, and how closely.
    #[serde(flatten)]
    pub report: Report,
    /// Mean logarithm of the probability of what was right; none without probabilities.
    pub log_likelihood: Option<f64>,
    /// Expected calibration error of the first answer's probability (ten bins of equal width).
    pub calibration_error: Option<f64>,
}

/// What the comparison says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// The orders.
    pub orders: Vec<Order>,
    /// Where any of the relaxed candidates matches, the closest of them.
    pub any: Report,
    /// Gain of "both" over "chemistry, relaxed" in first answers that match, with its 95 % interval.
    pub gain: [f64; 3],
    /// The same for the mean log-likelihood.
    pub likelihood_gain: [f64; 3],
    /// Weights fitted to all questions.
    pub weights: Weights,
}

/// What an order says about one question.
struct Said {
    /// rms of the first answer, where it matches.
    first: Option<f64>,
    /// Its probability.
    chance: f64,
    /// Logarithm of the probability of what was right.
    log: f64,
}

/// Compares; `seed` is that of the bootstrap. "Both" is by the `given` weights, or else by weights fitted to other questions.
#[must_use]
pub fn compare(questions: &[Looked], given: Option<Weights>, seed: u64) -> Compared {
    let all: Vec<&Looked> = questions.iter().collect();
    let fold = |fold| {
        let others = all.iter().enumerate().filter(|(i, _)| i % FOLDS != fold);
        fit(&others.map(|(_, q)| *q).collect::<Vec<_>>())
    };
    let folds: Vec<Weights> = (0..FOLDS).map(|k| given.unwrap_or_else(|| fold(k))).collect();
    let chemistry: Vec<Said> = all.iter().map(|q| said(q, &Weights::NEUTRAL)).collect();
    let both: Vec<Said> = all.iter().enumerate().map(|(i, q)| said(q, &folds[i % FOLDS])).collect();
    let unrelaxed: Vec<Option<f64>> =
        all.iter().map(|q| q.before.first().copied().flatten()).collect();
    let by_energy: Vec<Option<f64>> = all.iter().map(|q| lowest(q)).collect();
    let bare = |name, first: &[Option<f64>]| Order {
        name,
        report: report(first, seed),
        log_likelihood: None,
        calibration_error: None,
    };
    let full = |name, said: &[Said]| Order {
        name,
        report: report(&said.iter().map(|s| s.first).collect::<Vec<_>>(), seed),
        log_likelihood: Some(mean(said.iter().map(|s| s.log))),
        calibration_error: Some(calibration(said)),
    };
    let pairs = || chemistry.iter().zip(&both);
    let found = |s: &Said| f64::from(u8::from(s.first.is_some()));
    let closest = |q: &&Looked| q.tried.iter().filter_map(|t| t.rms).min_by(f64::total_cmp);
    Compared {
        any: report(&all.iter().map(closest).collect::<Vec<_>>(), seed),
        gain: interval(&pairs().map(|(a, b)| found(b) - found(a)).collect::<Vec<_>>(), seed),
        likelihood_gain: interval(&pairs().map(|(a, b)| b.log - a.log).collect::<Vec<_>>(), seed),
        orders: vec![
            bare("chemistry", &unrelaxed),
            full("chemistry, relaxed", &chemistry),
            bare("energy", &by_energy),
            full("both", &both),
        ],
        weights: fit(&all),
    }
}

fn said(question: &Looked, weights: &Weights) -> Said {
    let clues: Vec<Clue> = question.tried.iter().map(|t| t.clue).collect();
    let chances = weights.probabilities(&clues);
    let first =
        (0..chances.len()).max_by(|a, b| chances[*a].total_cmp(&chances[*b]).then(b.cmp(a)));
    let right = |i: &usize| question.tried[*i].rms.is_some();
    let any = (0..chances.len()).any(|i| right(&i));
    let sum = |of: &dyn Fn(&usize) -> bool| {
        (0..chances.len()).filter(of).map(|i| chances[i]).sum::<f64>()
    };
    let p = if any { sum(&right) } else { 1.0 - sum(&|_| true) };
    Said {
        first: first.and_then(|i| question.tried[i].rms),
        chance: first.map_or(0.0, |i| chances[i]),
        log: p.max(1e-6).ln(),
    }
}

/// rms of the candidate of lowest energy.
fn lowest(question: &Looked) -> Option<f64> {
    let best = question.tried.iter().min_by(|a, b| a.clue.energy.total_cmp(&b.clue.energy));
    best.and_then(|t| t.rms)
}

fn calibration(said: &[Said]) -> f64 {
    let mut bins = [(0.0, 0.0); 10];
    for s in said {
        let bin = &mut bins[((s.chance * 10.0) as usize).min(9)];
        bin.0 += s.chance;
        bin.1 += f64::from(u8::from(s.first.is_some()));
    }
    bins.iter().map(|(said, was): &(f64, f64)| (said - was).abs()).sum::<f64>()
        / said.len().max(1) as f64
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), x| (sum + x, count + 1));
    sum / f64::from(count.max(1))
}

/// Mean and its 95 % interval by bootstrap.
fn interval(values: &[f64], seed: u64) -> [f64; 3] {
    let mut random = Random::new(seed, 1);
    let count = values.len();
    let mut means: Vec<f64> =
        (0..DRAWS).map(|_| mean((0..count).map(|_| values[random.below(count)]))).collect();
    means.sort_by(f64::total_cmp);
    [mean(values.iter().copied()), means[DRAWS / 40], means[DRAWS - 1 - DRAWS / 40]]
}
