//! Match rate and rms of predicted structures, and their stricter forms METRe and cRMSE.

use std::collections::HashMap;
use std::hash::Hash;

use rayon::prelude::*;

/// How many of the reference crystals were found, and how well.
///
/// Made of the best rms of each reference crystal (normalised by (V/N)^⅓, as a structure matcher gives
/// it), `None` where nothing matched. Over [`best_of`], `rate` and `rmse` are the match rate and RMSE of
/// Jiao et al. (DiffCSP, NeurIPS 2023); over [`best_in_group`], `rate` is METRe and `corrected_rmse` is
/// cRMSE (Höllmer et al., *Open Materials Generation with Stochastic Interpolants*, ICML 2025).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matches {
    /// Reference crystals.
    pub total: usize,
    /// Those with a match.
    pub matched: usize,
    /// `matched / total`; 0 of nothing.
    pub rate: f64,
    /// Mean rms over the matched ones.
    pub rmse: Option<f64>,
    /// Mean rms over all, where those without a match count as `stol`.
    pub corrected_rmse: Option<f64>,
}

impl Matches {
    /// Sums up the best rms of each reference; `stol` is the matcher's site tolerance, the largest rms a
    /// match can have.
    #[must_use]
    pub fn of(best: &[Option<f64>], stol: f64) -> Self {
        let total = best.len();
        let matched = best.iter().flatten().count();
        let sum: f64 = best.iter().flatten().sum();
        let mean = |sum: f64, n: usize| (n > 0).then(|| sum / n as f64);
        Self {
            total,
            matched,
            rate: mean(matched as f64, total).unwrap_or(0.0),
            rmse: mean(sum, matched),
            corrected_rmse: mean(sum + stol * (total - matched) as f64, total),
        }
    }
}

/// The smallest rms among the answers to one question: what counts with n answers for each crystal.
/// Values that are not finite count as no match.
pub fn best_of(answers: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    answers.into_iter().flatten().filter(|rms| rms.is_finite()).min_by(f64::total_cmp)
}

/// For each reference crystal the smallest rms to any answer of the same group (for METRe: of the same
/// composition), so that one answer may find several polymorphs and none of them is found by luck of the
/// pairing. `rms` is asked for index of reference and answer, only within a group, in parallel.
pub fn best_in_group<K: Eq + Hash + Sync>(
    references: &[K],
    answers: &[K],
    rms: impl Fn(usize, usize) -> Option<f64> + Sync,
) -> Vec<Option<f64>> {
    let mut groups: HashMap<&K, Vec<usize>> = HashMap::new();
    for (j, group) in answers.iter().enumerate() {
        groups.entry(group).or_default().push(j);
    }
    let best = |(i, group): (usize, &K)| {
        let members = groups.get(group).into_iter().flatten();
        best_of(members.map(|j| rms(i, *j)))
    };
    references.par_iter().enumerate().map(best).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_means() {
        let best = [Some(0.1), None, Some(0.3), None];
        let matches = Matches::of(&best, 0.5);
        assert_eq!((matches.total, matches.matched, matches.rate), (4, 2, 0.5));
        assert!((matches.rmse.unwrap() - 0.2).abs() < 1e-12);
        assert!((matches.corrected_rmse.unwrap() - 0.35).abs() < 1e-12);
        let none = Matches::of(&[None], 0.5);
        assert_eq!((none.rate, none.rmse, none.corrected_rmse), (0.0, None, Some(0.5)));
        assert_eq!(Matches::of(&[], 0.5).corrected_rmse, None);
    }

    #[test]
    fn the_best_of_many_counts() {
        assert_eq!(best_of([None, Some(0.2), Some(0.1), Some(f64::NAN)]), Some(0.1));
        assert_eq!(best_of([None, None]), None);
        assert_eq!(best_of([]), None);
    }

    #[test]
    fn polymorphs_must_each_be_found() {
        // Both answers to TiO2 are rutile: anatase is not found, though its own answer matches something.
        let references = ["TiO2", "TiO2", "NaCl", "MgO"];
        let answers = ["TiO2", "TiO2", "NaCl", "KCl"];
        let rms = |i: usize, j: usize| match (i, j) {
            (0, 0) => Some(0.2),
            (0, 1) => Some(0.1),
            (2, 2) => Some(0.0),
            (1, 0 | 1) => None,
            other => panic!("not of one group: {other:?}"),
        };
        let best = best_in_group(&references, &answers, rms);
        assert_eq!(best, [Some(0.1), None, Some(0.0), None]);
        assert_eq!(Matches::of(&best, 0.5).rate, 0.5);
    }
}
