//! Structure prediction: how many crystals are found, and how closely.
//!
//! An answer matches when pymatgen's `StructureMatcher` would say so with the tolerances of the field (ltol 0.3, stol
//! 0.5, angle_tol 10). The match rate is the share of crystals that at least one of n answers matches; the RMSE is the
//! mean, over these, of the smallest root mean square distance in units of (V/N)^⅓.

use cellwright_crystal::Structure;
use cellwright_crystal::matching::Matcher;
use rayon::prelude::*;
use serde::Serialize;

use crate::nn::random::Random;

/// Draws of the bootstrap.
const DRAWS: usize = 2000;

/// The tolerances of the benchmarks.
#[must_use]
pub fn matcher() -> Matcher {
    Matcher { ltol: 0.3, stol: 0.5, angle_tol: 10.0, ..Matcher::default() }
}

/// For every crystal the smallest rms of its answers, none if no answer matches. An answer that is no crystal matches
/// nothing.
#[must_use]
pub fn closest(truth: &[Structure], answers: &[Vec<Structure>]) -> Vec<Option<f64>> {
    let matcher = matcher();
    truth
        .par_iter()
        .zip(answers)
        .map(|(truth, answers)| {
            let truth = matcher.prepare(truth).ok()?;
            let rms =
                |answer: &Structure| Some(matcher.rms(&matcher.prepare(answer).ok()?, &truth)?.rms);
            answers.iter().filter_map(rms).min_by(f64::total_cmp)
        })
        .collect()
}

/// Match rate and RMSE with their intervals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Crystals looked for.
    pub crystals: usize,
    /// Share of them that was found, 0 to 1.
    pub match_rate: f64,
    /// 95 % interval of the match rate, by bootstrap over the crystals.
    pub match_rate_interval: [f64; 2],
    /// Mean over the found ones of the smallest rms; none when none was found.
    pub rmse: Option<f64>,
    /// Its 95 % interval, likewise.
    pub rmse_interval: Option<[f64; 2]>,
}

/// Sums up what [`closest`] found; `seed` is that of the bootstrap.
#[must_use]
pub fn report(closest: &[Option<f64>], seed: u64) -> Report {
    let count = closest.len();
    let rate = |found: usize| if count == 0 { 0.0 } else { found as f64 / count as f64 };
    let mean = |sum: f64, found: usize| (found > 0).then(|| sum / found as f64);
    let total: f64 = closest.iter().flatten().sum();
    let found = closest.iter().flatten().count();
    let mut random = Random::new(seed, 0);
    let (mut rates, mut means) = (Vec::with_capacity(DRAWS), Vec::with_capacity(DRAWS));
    for _ in 0..DRAWS {
        let drawn = (0..count).filter_map(|_| closest[random.below(count)]);
        let (found, sum) = drawn.fold((0, 0.0), |(n, sum), rms| (n + 1, sum + rms));
        rates.push(rate(found));
        means.extend(mean(sum, found));
    }
    Report {
        crystals: count,
        match_rate: rate(found),
        match_rate_interval: middle(rates).unwrap_or([0.0; 2]),
        rmse: mean(total, found),
        rmse_interval: middle(means),
    }
}

/// The middle 95 % of some numbers.
fn middle(mut numbers: Vec<f64>) -> Option<[f64; 2]> {
    numbers.sort_by(f64::total_cmp);
    let last = numbers.len().checked_sub(1)?;
    Some([numbers[last / 40], numbers[last - last / 40]])
}

#[cfg(test)]
mod tests {
    use cellwright_crystal::{Element, Lattice, Site};
    use nalgebra::Vector3;

    use super::*;

    fn salt(a: f64, shift: f64) -> Structure {
        let site = |z, x: f64| Site::new(Element::from_z(z).unwrap(), Vector3::new(x, x, x));
        Structure {
            lattice: Lattice::from_parameters([a; 3], [90.0; 3]).unwrap(),
            sites: vec![site(55, 0.1), site(17, 0.6 + shift)],
        }
    }

    #[test]
    fn the_closest_answer_counts() {
        let truth = vec![salt(4.1, 0.0), salt(4.1, 0.0), salt(4.1, 0.0)];
        let mut other = salt(4.1, 0.0);
        other.sites[0].element = Element::from_z(17);
        let answers = vec![vec![salt(4.3, 0.1), salt(4.2, 0.02)], vec![other], Vec::new()];
        let found = closest(&truth, &answers);
        assert!(found[0].is_some_and(|rms| rms > 0.0 && rms < 0.05), "{found:?}");
        assert_eq!((found[1], found[2]), (None, None));
        let report = report(&found, 1);
        assert_eq!(report.crystals, 3);
        assert!((report.match_rate - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(report.rmse, found[0]);
        assert!(report.match_rate_interval[0] <= report.match_rate);
        assert!(report.match_rate_interval[1] >= report.match_rate);
        assert_eq!(report.rmse_interval, found[0].map(|rms| [rms; 2]));
    }

    #[test]
    fn the_interval_is_that_of_a_share() {
        let found: Vec<Option<f64>> = (0..400).map(|i| (i % 4 == 0).then_some(0.1)).collect();
        let [low, high] = report(&found, 3).match_rate_interval;
        // A quarter of 400: standard error √(0.25 · 0.75 / 400) = 0.0217.
        assert!((low - (0.25 - 1.96 * 0.0217)).abs() < 0.01, "{low}");
        assert!((high - (0.25 + 1.96 * 0.0217)).abs() < 0.01, "{high}");
    }

    #[test]
    fn nothing_looked_for_is_nothing_found() {
        let report = report(&[], 0);
        assert_eq!((report.match_rate, report.rmse), (0.0, None));
    }
}
