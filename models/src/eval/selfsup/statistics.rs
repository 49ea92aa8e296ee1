//! What can be said of a masked species without looking at the structure: how common an element is, and with which others
//! and in which proportion it is found. Learned models have to beat this.

use std::collections::BTreeMap;

use cellwright_crystal::{Composition, Element};

use super::question::Question;
use crate::ModelError;
use crate::data::Crystal;

/// Numbers above 0 of things never seen: as if each had been seen so often.
const PRIOR: f64 = 0.5;

/// How often elements occur in crystals, alone and together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Statistics {
    /// Crystals with an element.
    with: BTreeMap<Element, f64>,
    /// Crystals with two elements.
    pairs: BTreeMap<(Element, Element), f64>,
    /// Crystals with so many atoms of an element in a formula unit of so many atoms.
    counts: BTreeMap<(Element, [usize; 2]), f64>,
}

impl Statistics {
    /// Of some crystals.
    ///
    /// # Errors
    /// When one of them is none.
    pub fn of(crystals: &[Crystal]) -> Result<Self, ModelError> {
        let mut statistics = Self::default();
        for crystal in crystals {
            let (reduced, _) = crystal.structure()?.composition().reduced();
            let atoms = reduced.iter().map(|(_, n)| n as usize).sum();
            for (element, count) in reduced.iter() {
                *statistics.with.entry(element).or_default() += 1.0;
                let share = [count as usize, atoms];
                *statistics.counts.entry((element, share)).or_default() += 1.0;
                for (other, _) in reduced.iter().filter(|(other, _)| *other != element) {
                    *statistics.pairs.entry((element, other)).or_default() += 1.0;
                }
            }
        }
        Ok(statistics)
    }

    /// How common each element is; the chances sum to 1.
    #[must_use]
    pub fn frequency(&self) -> Vec<(Element, f64)> {
        normal(self.with.iter().map(|(e, n)| (*e, n.ln())).collect())
    }

    /// Chances of the elements on the masked sites of a question, from the species that are not masked and, where the masked
    /// ones are one species, its share of the formula, all taken as independent (naive Bayes).
    #[must_use]
    pub fn chances(&self, question: &Question) -> Vec<(Element, f64)> {
        let known: Composition = question
            .spoiled
            .sites
            .iter()
            .filter_map(|site| Some((site.element?, site.occupancy)))
            .collect();
        let share = question.together.then(|| {
            let masked = question.masked.len();
            let units = known.iter().map(|(_, n)| n as usize).fold(masked, gcd).max(1);
            [masked / units, question.spoiled.len() / units]
        });
        let get = |of: Option<&f64>| of.copied().unwrap_or(0.0) + PRIOR;
        let score = |(element, with): (&Element, &f64)| {
            let mut score = with.ln();
            for (other, _) in known.iter().filter(|(other, _)| other != element) {
                score += (get(self.pairs.get(&(*element, other))) / (with + 1.0)).ln();
            }
            if let Some(share) = share {
                score += (get(self.counts.get(&(*element, share))) / (with + 1.0)).ln();
            }
            // A species that is masked as a whole is none of the others.
            let there = question.together && known.iter().any(|(other, _)| other == *element);
            (*element, if there { f64::NEG_INFINITY } else { score })
        };
        normal(self.with.iter().map(score).collect())
    }
}

/// Logarithms to chances.
fn normal(mut scores: Vec<(Element, f64)>) -> Vec<(Element, f64)> {
    let highest = scores.iter().map(|(_, s)| *s).fold(f64::NEG_INFINITY, f64::max);
    scores.iter_mut().for_each(|(_, s)| *s = (*s - highest).exp());
    let total: f64 = scores.iter().map(|(_, s)| s).sum();
    scores.iter_mut().for_each(|(_, s)| *s /= total);
    scores
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
