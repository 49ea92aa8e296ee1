//! A second look at the ranking, when energies are known.
//!
//! With p the probability that a candidate had from its chemistry, E its energy per atom after relaxation, E₀ the lowest among
//! the candidates and ε the logarithm of what relaxing did to its volume, the new probability is in proportion to
//! exp(a ln p − b min(E − E₀, 0.15 eV) − c |ε|): a learned potential has holes, and one candidate that fell into one must not
//! decide on all the others. That none of the candidates is right, which had the rest q of the probability, is a choice
//! like the others with exp(a ln q + d). The four weights are fitted to questions whose answer is known
//! ([`crate::eval::finish`]).

use serde::{Deserialize, Serialize};

use super::candidate::Working;
use crate::ModelError;

/// The weights a, b, c and d.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Of ln p.
    pub prior: f64,
    /// Of the energy above the lowest (per eV/atom).
    pub energy: f64,
    /// Of the volume strain.
    pub strain: f64,
    /// Added for "none of these".
    pub none: f64,
}

/// What the weights are applied to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Clue {
    /// Probability before.
    pub prior: f64,
    /// eV/atom.
    pub energy: f64,
    /// ln(V/V₀) of the relaxation.
    pub strain: f64,
}

/// An energy further above the lowest (eV/atom) says nothing more: five times the potential's own error.
const MOST: f64 = 0.15;

/// Probabilities do not go below this before their logarithm is taken.
const FLOOR: f64 = 1e-6;

impl Weights {
    /// Changes nothing.
    pub const NEUTRAL: Self = Self { prior: 1.0, energy: 0.0, strain: 0.0, none: 0.0 };

    /// New probabilities of candidates; what is missing to 1 is that of "none of these".
    #[must_use]
    pub fn probabilities(&self, clues: &[Clue]) -> Vec<f64> {
        let mut scores = self.scores(clues);
        let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = scores.iter().map(|s| (s - highest).exp()).sum();
        scores.pop();
        scores.into_iter().map(|s| (s - highest).exp() / sum).collect()
    }

    /// Logarithms of what the probabilities are in proportion to, "none of these" last. Linear in the weights.
    pub(crate) fn scores(&self, clues: &[Clue]) -> Vec<f64> {
        let lowest = clues.iter().map(|c| c.energy).fold(f64::INFINITY, f64::min);
        let rest = 1.0 - clues.iter().map(|c| c.prior).sum::<f64>();
        let score = |c: &Clue| {
            self.prior * c.prior.max(FLOOR).ln()
                - self.energy * (c.energy - lowest).min(MOST)
                - self.strain * c.strain.abs()
        };
        clues.iter().map(score).chain([self.prior * rest.max(FLOOR).ln() + self.none]).collect()
    }
}

/// Ranks relaxed candidates.
#[derive(Debug, Clone, PartialEq)]
pub struct Reranker {
    weights: Weights,
}

impl Reranker {
    /// With these weights.
    #[must_use]
    pub fn new(weights: Weights) -> Self {
        Self { weights }
    }

    /// The weights.
    #[must_use]
    pub fn weights(&self) -> Weights {
        self.weights
    }

    /// With the weights in a JSON document, as [`crate::eval::finish`] fits them.
    ///
    /// # Errors
    /// [`ModelError::BadWeights`] when it holds something else, or a number that is none.
    pub fn from_json(text: &str) -> Result<Self, ModelError> {
        let bad = |reason: &str| {
            ModelError::BadWeights(format!("no weights of the second ranking: {reason}"))
        };
        let weights: Weights = serde_json::from_str(text).map_err(|e| bad(&e.to_string()))?;
        let Weights { prior, energy, strain, none } = weights;
        let finite = [prior, energy, strain, none].iter().all(|w| w.is_finite());
        if finite { Ok(Self { weights }) } else { Err(bad("a weight is not finite")) }
    }

    /// Gives the candidates their new probabilities and order. Those without an energy or a probability keep both, and what
    /// they have is left to them.
    pub(super) fn rank(&self, working: &mut [Working]) {
        let clue = |w: &Working| {
            let (prior, energy) = w.prior.zip(w.candidate.energy)?;
            Some(Clue { prior, energy, strain: w.candidate.relaxation?.volume_change.ln_1p() })
        };
        let known: Vec<(usize, Clue)> =
            working.iter().enumerate().filter_map(|(i, w)| Some((i, clue(w)?))).collect();
        let clues: Vec<Clue> = known.iter().map(|(_, clue)| *clue).collect();
        let unknown: f64 =
            working.iter().filter(|w| clue(w).is_none()).filter_map(|w| w.prior).sum();
        let share = (1.0 - unknown).clamp(0.0, 1.0);
        // Among those that are known, as if the others were not there.
        let scaled: Vec<Clue> = clues
            .iter()
            .map(|c| Clue { prior: if share > 0.0 { c.prior / share } else { 0.0 }, ..*c })
            .collect();
        for ((i, _), p) in known.iter().zip(self.weights.probabilities(&scaled)) {
            working[*i].candidate.probability = Some(p * share);
        }
        let chance = |w: &Working| w.candidate.probability.unwrap_or(0.0);
        working.sort_by(|a, b| chance(b).total_cmp(&chance(a)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clue(prior: f64, energy: f64, strain: f64) -> Clue {
        Clue { prior, energy, strain }
    }

    #[test]
    fn neutral_weights_change_nothing() {
        let clues = [clue(0.6, -3.0, 0.1), clue(0.3, -3.2, 0.0)];
        let p = Weights::NEUTRAL.probabilities(&clues);
        assert!((p[0] - 0.6).abs() < 1e-12 && (p[1] - 0.3).abs() < 1e-12, "{p:?}");
    }

    #[test]
    fn weights_are_read_or_refused() {
        let read = Reranker::from_json(r#"{"prior":0.7,"energy":15,"strain":1,"none":-1}"#);
        let expected = Weights { prior: 0.7, energy: 15.0, strain: 1.0, none: -1.0 };
        assert_eq!(read.unwrap(), Reranker::new(expected));
        for text in ["", "{}", r#"{"prior":1e999,"energy":15,"strain":1,"none":-1}"#] {
            let error = Reranker::from_json(text).unwrap_err().to_string();
            assert!(error.starts_with("no weights of the second ranking"), "{error}");
        }
    }

    #[test]
    fn lower_energy_and_less_strain_are_likelier() {
        let weights = Weights { prior: 1.0, energy: 20.0, strain: 5.0, none: 0.0 };
        let p = weights.probabilities(&[clue(0.4, -3.0, 0.0), clue(0.4, -3.1, 0.0)]);
        assert!((p[1] / p[0] - 2.0_f64.exp()).abs() < 1e-9, "{p:?}");
        let p = weights.probabilities(&[clue(0.4, -3.0, -0.2), clue(0.4, -3.0, 0.0)]);
        assert!((p[1] / p[0] - 1.0_f64.exp()).abs() < 1e-9, "{p:?}");
        assert!(p.iter().sum::<f64>() < 1.0);
        // One that is absurdly low counts no more than one that is clearly lower.
        let p = weights.probabilities(&[clue(0.4, -3.0, 0.0), clue(0.01, -9.0, 0.0)]);
        assert!((p[1] / p[0] - 3.0_f64.exp() / 40.0).abs() < 1e-9, "{p:?}");
        assert!(weights.probabilities(&[]).is_empty());
        // Nothing is left for "none", and energies far above the lowest do not overflow.
        let p = weights.probabilities(&[clue(1.0, -3.0, 0.0), clue(0.0, 1e3, 9.0)]);
        assert!(p[0] > 0.99 && p[1] < 1e-9, "{p:?}");
    }
}
