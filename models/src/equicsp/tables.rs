//! How noise without its mean is distributed: concentration and second moments for every number of atoms and noise
//! level.
//!
//! Independent normal noise of N atoms, less its circular mean, is nearly von Mises distributed with mean 0 (paper,
//! appendix C.1). Its concentration κ and two second moments are estimated by Monte Carlo: of each noise level the
//! mean cosine gives κ by maximum likelihood, `I₁(κ)/I₀(κ) = E[cos 2πn']`. The estimates are smooth functions of ln σ,
//! so they are made at [`KNOTS`] levels from the same draws, and their logarithms are interpolated. This works for any
//! N: there is no largest table.

use std::collections::BTreeMap;
use std::f64::consts::{PI, TAU};

use rayon::prelude::*;

use super::config::{Diffusion, Score};
use super::noise::{remove_mean, wrap};
use super::schedule::Schedule;
use super::wrapped;
use crate::nn::random::Random;

/// Noise levels at which the estimates are made.
const KNOTS: usize = 64;

/// The numbers belong to the model, so they are drawn from a seed of their own, the same in training and sampling.
const SEED: u64 = 0x5eed_7ab1e;

/// Concentration and variances at one number of atoms and one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// κ of the von Mises distribution of n'.
    pub kappa: f64,
    /// `E[(2πκ sin 2πn')²]`; with the wrapped normal score, the mean square of that.
    pub score_variance: f64,
    /// `E[wrap(n')²]`.
    pub position_variance: f64,
}

/// The entries at all times, for the numbers of atoms that were asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Tables {
    score: Score,
    rows: BTreeMap<usize, Vec<Entry>>,
}

impl Tables {
    /// Estimates for these numbers of atoms. Takes about 0.1 s of one core for each.
    #[must_use]
    pub fn new(config: &Diffusion, schedule: &Schedule, atoms: &[usize]) -> Self {
        let mut atoms: Vec<usize> = atoms.to_vec();
        atoms.sort_unstable();
        atoms.dedup();
        let rows = match config.score {
            Score::VonMises => atoms
                .into_par_iter()
                .map(|n| (n, von_mises(n, schedule, config.table_draws)))
                .collect(),
            Score::WrappedNormal => {
                let row = wrapped_normal(schedule);
                atoms.into_iter().map(|n| (n, row.clone())).collect()
            }
        };
        Self { score: config.score, rows }
    }

    /// Entries that come from elsewhere: for each number of atoms one for each time 0, 1, … T.
    #[must_use]
    pub fn from_rows(score: Score, rows: BTreeMap<usize, Vec<Entry>>) -> Self {
        Self { score, rows }
    }

    /// Which score the entries belong to.
    #[must_use]
    pub fn score(&self) -> Score {
        self.score
    }

    /// The entry for `atoms` atoms at time `t`, if it was asked for.
    #[must_use]
    pub fn get(&self, atoms: usize, t: usize) -> Option<Entry> {
        self.rows.get(&atoms)?.get(t).copied()
    }
}

/// At t = 0 there is no noise, and one atom alone has none that matters: variances of 1 make their targets 0 instead
/// of 0/0.
const NO_NOISE: Entry = Entry { kappa: 0.0, score_variance: 1.0, position_variance: 1.0 };

fn von_mises(atoms: usize, schedule: &Schedule, draws: usize) -> Vec<Entry> {
    if atoms == 1 {
        return vec![NO_NOISE; schedule.steps() + 1];
    }
    let (first, last) = (schedule.sigma[1].ln(), schedule.sigma[schedule.steps()].ln());
    let mut random = Random::new(SEED, atoms as u64);
    let crystals = draws.div_ceil(atoms);
    let draws: Vec<f64> = (0..crystals * atoms).map(|_| random.normal()).collect();
    let knots: Vec<[f64; 3]> = (0..KNOTS)
        .map(|k| {
            let sigma = (first + (last - first) * k as f64 / (KNOTS - 1) as f64).exp();
            estimate(&draws, atoms, sigma)
        })
        .collect();
    std::iter::once(NO_NOISE)
        .chain((1..=schedule.steps()).map(|t| {
            let at = (schedule.sigma[t].ln() - first) / (last - first) * (KNOTS - 1) as f64;
            let left = (at as usize).min(KNOTS - 2);
            let part = at - left as f64;
            let value =
                |i: usize| (knots[left][i] * (1.0 - part) + knots[left + 1][i] * part).exp();
            Entry { kappa: value(0), score_variance: value(1), position_variance: value(2) }
        }))
        .collect()
}

/// Logarithms of κ and of the two second moments, from standard normal draws for whole crystals.
fn estimate(draws: &[f64], atoms: usize, sigma: f64) -> [f64; 3] {
    let (mut versine, mut sine, mut square) = (0.0, 0.0, 0.0);
    let mut noise = vec![0.0; atoms];
    for crystal in draws.chunks_exact(atoms) {
        for (n, z) in noise.iter_mut().zip(crystal) {
            *n = sigma * z;
        }
        remove_mean(&mut noise);
        for n in &noise {
            // 1 − cos x without cancellation.
            versine += 2.0 * (PI * n).sin().powi(2);
            sine += (TAU * n).sin().powi(2);
            square += wrap(*n).powi(2);
        }
    }
    let count = draws.len() as f64;
    let kappa = concentration(versine / count);
    let score = (TAU * kappa).powi(2) * sine / count;
    [kappa.ln(), score.ln(), (square / count).ln()]
}

/// κ with `1 − I₁(κ)/I₀(κ) = versine`, by bisection of ln κ; the left side falls from 1 to 0.
fn concentration(versine: f64) -> f64 {
    let (mut low, mut high) = (1e-8_f64.ln(), 1e12_f64.ln());
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if one_minus_bessel_ratio(middle.exp()) > versine { low = middle } else { high = middle }
    }
    f64::midpoint(low, high).exp()
}

/// `1 − I₁(x)/I₀(x)` for x > 0: the continued fraction of the ratio, from the back; for large x the asymptotic series,
/// where the difference would cancel.
fn one_minus_bessel_ratio(x: f64) -> f64 {
    if x > 1e3 {
        return (1.0 + (1.0 + 1.0 / x) / (4.0 * x)) / (2.0 * x);
    }
    let terms = 20 + (6.0 * x.sqrt() + x) as usize;
    let mut ratio = 0.0;
    for order in (1..=terms).rev() {
        ratio = 1.0 / (2.0 * order as f64 / x + ratio);
    }
    1.0 - ratio
}

/// The mean square of the wrapped normal score, by numerical integration over one period.
fn wrapped_normal(schedule: &Schedule) -> Vec<Entry> {
    const POINTS: usize = 4000;
    std::iter::once(NO_NOISE)
        .chain(schedule.sigma[1..].iter().map(|&sigma| {
            // Half a period or twelve standard deviations, whatever is less.
            let reach = 0.5_f64.min(12.0 * sigma);
            let (mut mean, mut total) = (0.0, 0.0);
            for i in 0..POINTS {
                let x = reach * (2.0 * (i as f64 + 0.5) / POINTS as f64 - 1.0);
                let density = wrapped::density(x, sigma);
                mean += density * wrapped::score(x, sigma).powi(2);
                total += density;
            }
            Entry { kappa: 0.0, score_variance: mean / total, position_variance: 1.0 }
        }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bessel_ratio_and_its_inverse() {
        // I₁(1)/I₀(1), I₁(10)/I₀(10): Abramowitz and Stegun, table 9.8.
        assert!((1.0 - one_minus_bessel_ratio(1.0) - 0.446_389_965_9).abs() < 1e-9);
        assert!((1.0 - one_minus_bessel_ratio(10.0) - 0.948_599_825_5).abs() < 1e-8);
        let (below, above) = (one_minus_bessel_ratio(999.999), one_minus_bessel_ratio(1000.001));
        assert!((below / above - 1.0).abs() < 1e-5);
        for kappa in [1e-3, 0.5, 3.0, 50.0, 900.0, 2e3, 1e6] {
            let back = concentration(one_minus_bessel_ratio(kappa));
            assert!((back / kappa - 1.0).abs() < 1e-6, "{kappa} {back}");
        }
    }

    #[test]
    fn little_noise_is_normal_noise_less_its_mean() {
        // Subtracting the mean of N leaves the variance σ² (N − 1)/N, and κ = 1/(2πσ)² of that.
        let schedule = Schedule::new(&Diffusion::default());
        let tables = Tables::new(&Diffusion::default(), &schedule, &[1, 2, 5, 90]);
        for n in [2, 5, 90] {
            let entry = tables.get(n, 1).unwrap();
            let variance = schedule.sigma[1].powi(2) * (n as f64 - 1.0) / n as f64;
            assert!((entry.position_variance / variance - 1.0).abs() < 0.02, "{n} {entry:?}");
            assert!((entry.kappa * TAU * TAU * variance - 1.0).abs() < 0.02, "{n} {entry:?}");
        }
        assert_eq!(tables.get(1, 500), Some(NO_NOISE));
        assert_eq!((tables.get(3, 1), tables.get(5, 1001)), (None, None));
    }

    #[test]
    fn much_noise_of_many_atoms_is_nearly_uniform() {
        let schedule = Schedule::new(&Diffusion::default());
        let tables = Tables::new(&Diffusion::default(), &schedule, &[300]);
        let entry = tables.get(300, 1000).unwrap();
        assert!((entry.position_variance * 12.0 - 1.0).abs() < 0.1, "{entry:?}");
        assert!(entry.kappa < 0.3, "{entry:?}");
    }

    #[test]
    fn wrapped_normal_score_of_little_noise_is_that_of_a_normal() {
        let config = Diffusion { score: Score::WrappedNormal, ..Diffusion::default() };
        let schedule = Schedule::new(&config);
        let entry = Tables::new(&config, &schedule, &[4]).get(4, 1).unwrap();
        assert!((entry.score_variance * 0.005 * 0.005 - 1.0).abs() < 1e-6, "{entry:?}");
    }
}
