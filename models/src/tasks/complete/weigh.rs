//! How much each piece of evidence about an assignment counts.
//!
//! The chance of an assignment is in proportion to exp(a ln p + b ln s − c u − d ln(1 + |P|/GPa) − e ln(1 + τ/GPa) + f n): p is the
//! model's chance, s the share of the votes of known structures, u whether the charges cannot add up, P the pressure and τ the
//! shear stress that a potential sees in the cell once the atoms have come to rest, n the share of the masked sites whose element
//! other sites have too. The stresses say most: an element that does not belong pulls or pushes at the cell of the one that does. The
//! weights are fitted to crystals whose elements are known ([`crate::eval::selfsup::fit`]), for answers without a potential,
//! with one, and with one of fine stresses; and for what is known of the masked sites: whether they are all that there is of
//! their species.

use serde::{Deserialize, Serialize};

use super::probe::Probe;
use crate::ModelError;

/// Shares of votes below this are taken for this.
const LEAST_SHARE: f64 = 1e-3;

/// Pieces of evidence.
pub(crate) const PIECES: usize = 6;

/// What is known of an assignment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clue {
    /// Logarithm of the model's chance.
    pub log_chance: f64,
    /// Share of the votes of known structures; none where these say nothing of the crystal at all.
    pub share: Option<f64>,
    /// Whether usual oxidation states add up to zero; none where the rule does not apply.
    pub charge_balanced: Option<bool>,
    /// What a potential says, where it was asked.
    pub probe: Option<Probe>,
    /// Share of the groups (0 to 1) whose element is on sites that are not masked.
    pub seen: f64,
}

impl Clue {
    /// What the weights are multiplied with.
    pub(crate) fn pieces(&self) -> [f64; PIECES] {
        let share = self.share.map_or(0.0, |share| share.max(LEAST_SHARE).ln());
        let charged = f64::from(u8::from(self.charge_balanced == Some(false)));
        let stress = |of: fn(Probe) -> f64| self.probe.map_or(0.0, |p| -of(p).ln_1p());
        let (pressure, shear) = (stress(|p| p.pressure.abs()), stress(|p| p.shear));
        [self.log_chance, share, -charged, pressure, shear, self.seen]
    }

    /// Without a potential's word.
    #[must_use]
    pub fn blind(&self) -> Self {
        Self { probe: None, ..*self }
    }
}

/// The weights a to f.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Of the model's ln p.
    pub chance: f64,
    /// Of the logarithm of the share of the votes.
    pub known: f64,
    /// Taken off where charges cannot add up.
    pub charged: f64,
    /// Of the pressure.
    pub pressure: f64,
    /// Of the shear stress.
    pub shear: f64,
    /// Of elements that other sites have too.
    pub seen: f64,
}

impl Weights {
    /// The model's word alone.
    pub const NEUTRAL: Self =
        Self { chance: 1.0, known: 0.0, charged: 0.0, pressure: 0.0, shear: 0.0, seen: 0.0 };

    pub(crate) fn numbers(&self) -> [f64; PIECES] {
        [self.chance, self.known, self.charged, self.pressure, self.shear, self.seen]
    }

    pub(crate) fn from_numbers(
        [chance, known, charged, pressure, shear, seen]: [f64; PIECES],
    ) -> Self {
        Self { chance, known, charged, pressure, shear, seen }
    }

    /// Chances in proportion to what the clues say; they sum to 1.
    #[must_use]
    pub fn chances(&self, clues: &[Clue]) -> Vec<f64> {
        let score = |clue: &Clue| -> f64 {
            self.numbers().iter().zip(clue.pieces()).map(|(w, x)| w * x).sum()
        };
        let scores: Vec<f64> = clues.iter().map(score).collect();
        let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = scores.iter().map(|s| (s - highest).exp()).sum();
        scores.iter().map(|s| (s - highest).exp() / total).collect()
    }
}

/// Weights by who was asked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Levels {
    /// Nobody was asked for stresses.
    pub quick: Weights,
    /// Of assignments whose stresses are known.
    pub thorough: Weights,
    /// Of assignments whose fine stresses are known.
    pub finest: Weights,
}

impl Levels {
    /// The model's word alone, whatever else is known.
    pub const NEUTRAL: Self =
        Self { quick: Weights::NEUTRAL, thorough: Weights::NEUTRAL, finest: Weights::NEUTRAL };

    /// Chances of assignments: those that a potential was asked about share among themselves, by all that is known, what they have
    /// without it.
    #[must_use]
    pub fn chances(&self, clues: &[Clue]) -> Vec<f64> {
        let mut chances = self.quick.chances(&clues.iter().map(Clue::blind).collect::<Vec<_>>());
        share(&mut chances, clues, &self.thorough, |probe| !probe.fine);
        share(&mut chances, clues, &self.finest, |probe| probe.fine);
        chances
    }
}

/// What the assignments with `such` probes have together is shared among them anew.
fn share(chances: &mut [f64], clues: &[Clue], weights: &Weights, such: impl Fn(&Probe) -> bool) {
    let probed =
        clues.iter().enumerate().filter(|(_, clue)| clue.probe.as_ref().is_some_and(&such));
    let (places, clues): (Vec<usize>, Vec<Clue>) = probed.map(|(i, clue)| (i, *clue)).unzip();
    let whole: f64 = places.iter().map(|i| chances[*i]).sum();
    for (i, chance) in places.into_iter().zip(weights.chances(&clues)) {
        chances[i] = whole * chance;
    }
}

/// Weights by what is known of the masked sites.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Weighing {
    /// They are all that there is of their species.
    pub whole: Levels,
    /// There is more of it, mostly.
    pub some: Levels,
    /// Nobody knows.
    pub unsaid: Levels,
}

impl Weighing {
    /// The model's word alone, whatever else is known.
    pub const NEUTRAL: Self = Self::same(Levels::NEUTRAL);

    /// The same weights whatever is known of the masked sites.
    #[must_use]
    pub const fn same(levels: Levels) -> Self {
        Self { whole: levels, some: levels, unsaid: levels }
    }

    /// Those for masked sites that are all of their species, or are not; none where nobody knows.
    #[must_use]
    pub fn of(&self, whole: Option<bool>) -> &Levels {
        match whole {
            Some(true) => &self.whole,
            Some(false) => &self.some,
            None => &self.unsaid,
        }
    }

    /// The weights that come with this program.
    ///
    /// # Errors
    /// Never, unless the program was built with a broken file.
    pub fn shipped() -> Result<Self, ModelError> {
        Self::from_json(include_str!("../../../weights/selfsup/weighing.json"))
    }

    /// From a JSON document, as `cellwright eval ssl --out` writes it.
    ///
    /// # Errors
    /// [`ModelError::BadWeights`] when it holds something else, or a number that is none.
    pub fn from_json(text: &str) -> Result<Self, ModelError> {
        let bad = |reason: &str| {
            ModelError::BadWeights(format!(
                "no weights of the evidence about masked sites: {reason}"
            ))
        };
        let weighing: Self = serde_json::from_str(text).map_err(|e| bad(&e.to_string()))?;
        let levels = [weighing.whole, weighing.some, weighing.unsaid];
        let all = levels.map(|l| [l.quick, l.thorough, l.finest].map(|w| w.numbers()));
        let finite = all.as_flattened().as_flattened().iter().all(|w| w.is_finite());
        if finite { Ok(weighing) } else { Err(bad("a weight is not finite")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clue(log_chance: f64) -> Clue {
        Clue { log_chance, share: None, charge_balanced: None, probe: None, seen: 0.0 }
    }

    #[test]
    fn neutral_weights_take_the_models_word() {
        let clues = [
            Clue { share: Some(0.1), charge_balanced: Some(false), ..clue(0.6_f64.ln()) },
            Clue { share: Some(0.9), ..clue(0.4_f64.ln()) },
        ];
        let chances = Weights::NEUTRAL.chances(&clues);
        assert!((chances[0] - 0.6).abs() < 1e-12 && (chances[1] - 0.4).abs() < 1e-12);
        assert!(Weights::NEUTRAL.chances(&[]).is_empty());
    }

    #[test]
    fn every_piece_counts_as_its_weight_says() {
        let weights =
            Weights { chance: 0.5, known: 0.2, charged: 1.0, pressure: 3.0, shear: 2.0, seen: 1.5 };
        let ratio = |a: Clue, b: Clue| {
            let chances = weights.chances(&[a, b]);
            (chances[0] / chances[1]).ln()
        };
        let probe = |pressure: f64, shear: f64| Clue {
            probe: Some(Probe { energy: Some(-3.0), pressure, shear, fine: false }),
            ..clue(-1.0)
        };
        assert!((ratio(clue(-1.0), clue(-3.0)) - 1.0).abs() < 1e-12);
        let (half, none) =
            (Clue { share: Some(0.5), ..clue(-1.0) }, Clue { share: Some(0.0), ..clue(-1.0) });
        assert!((ratio(half, none) - 0.2 * (0.5_f64 / 1e-3).ln()).abs() < 1e-12);
        let charged = Clue { charge_balanced: Some(false), ..clue(-1.0) };
        assert!((ratio(clue(-1.0), charged) - 1.0).abs() < 1e-12);
        // Tension is as bad as compression.
        assert!((ratio(probe(0.0, 0.0), probe(-9.0, 0.0)) - 3.0 * 10_f64.ln()).abs() < 1e-12);
        assert!(ratio(probe(-9.0, 0.0), probe(9.0, 0.0)).abs() < 1e-12);
        assert!((ratio(probe(0.0, 0.0), probe(0.0, 1.0)) - 2.0 * 2_f64.ln()).abs() < 1e-12);
        let seen = Clue { seen: 1.0, ..clue(-1.0) };
        assert!((ratio(seen, clue(-1.0)) - 1.5).abs() < 1e-12);
    }

    #[test]
    fn fine_stresses_have_weights_of_their_own() {
        let probed = |pressure: f64, fine: bool| Clue {
            probe: Some(Probe { energy: None, pressure, shear: 0.0, fine }),
            ..clue(0.25_f64.ln())
        };
        let with = |pressure| Weights { pressure, ..Weights::NEUTRAL };
        let levels = Levels { quick: Weights::NEUTRAL, thorough: with(1.0), finest: with(2.0) };
        for (fine, power) in [(false, 1), (true, 2)] {
            // Nobody was asked about the first: it keeps its quarter.
            let clues =
                [clue(0.25_f64.ln()), probed(0.0, fine), probed(2.0, fine), probed(2.0, fine)];
            let chances = levels.chances(&clues);
            assert!((chances.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!((chances[0] - 0.25).abs() < 1e-12);
            assert!((chances[1] / chances[2] - 3_f64.powi(power)).abs() < 1e-9);
        }
    }

    #[test]
    fn weights_are_read_or_refused() {
        assert!(Weighing::shipped().is_ok());
        let text = serde_json::to_string(&Weighing::NEUTRAL).unwrap();
        assert_eq!(Weighing::from_json(&text).unwrap(), Weighing::NEUTRAL);
        for text in ["", "{}", &text.replacen("1.0", "1e999", 1)] {
            let error = Weighing::from_json(text).unwrap_err().to_string();
            assert!(error.starts_with("no weights of the evidence"), "{error}");
        }
    }
}
