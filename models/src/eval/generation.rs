//! Crystals from nothing: whether they can be crystals, whether they are new, and whether they are like known ones as a whole.
//!
//! Validity and distances of distributions are those of the evaluation of CDVAE (Xie et al., ICLR 2022), which the publication of
//! EquiCSP uses (appendix E). Coverage is not measured: its fingerprints (CrystalNN, Magpie) are not here. Repetitions and
//! known crystals are counted instead, by matching.

use std::collections::HashMap;

use cellwright_crystal::Structure;
use cellwright_crystal::matching::{Matcher, Prepared};
use cellwright_crystal::metrics::{earth_mover, is_structurally_valid};
use rayon::prelude::*;
use serde::Serialize;

use super::rate::{Rate, Sums};
use super::validity::is_compositionally_valid;

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Crystals that were judged.
    pub crystals: usize,
    /// No distance below 0.5 Å.
    pub structural: Option<Rate>,
    /// Neutral with the order of electronegativities.
    pub compositional: Option<Rate>,
    /// Both.
    pub valid: Option<Rate>,
    /// Of the valid ones: no earlier one matches.
    pub unique: Option<Rate>,
    /// Of the valid ones: none of the known crystals matches.
    pub new: Option<Rate>,
    /// Earth mover's distance of the densities (g/cm³) of the valid ones from those of the reference.
    pub density: Option<f64>,
    /// The same of the numbers of different elements.
    pub elements: Option<f64>,
}

/// Judges crystals: against `known` ones for being new, against those of a `reference` for being like them as a whole. `seed` is that
/// of the bootstrap.
#[must_use]
pub fn judge(
    made: &[Structure],
    known: &[Structure],
    reference: &[Structure],
    seed: u64,
) -> Report {
    let [mut structural, mut compositional, mut both] = [(); 3].map(|()| Sums::default());
    let mut valid = Vec::new();
    for (i, structure) in made.iter().enumerate() {
        let apart = is_structurally_valid(structure);
        let neutral = is_compositionally_valid(structure);
        structural.count(i, apart);
        compositional.count(i, neutral);
        both.count(i, apart && neutral);
        if apart && neutral {
            valid.push(structure.clone());
        }
    }
    let far = |property: fn(&Structure) -> f64| {
        let of = |structures: &[Structure]| structures.iter().map(property).collect::<Vec<_>>();
        earth_mover(&of(&valid), &of(reference)).ok()
    };
    let count = |flags: Vec<bool>| {
        let mut sums = Sums::default();
        flags.into_iter().enumerate().for_each(|(i, flag)| sums.count(i, flag));
        sums.rate(seed)
    };
    let matcher = Matcher::default();
    let by_formula = by_formula(&matcher, &valid.iter().collect::<Vec<_>>());
    Report {
        crystals: made.len(),
        structural: structural.rate(seed),
        compositional: compositional.rate(seed),
        valid: both.rate(seed),
        unique: count(unlike_earlier(&matcher, &by_formula, valid.len())),
        new: count(unlike(&matcher, &by_formula, valid.len(), known)),
        density: far(Structure::density),
        elements: far(|structure| structure.composition().iter().count() as f64),
    }
}

/// Structures by reduced formula, which alike ones share, each with its number. One that cannot be matched is like nothing.
type ByFormula = HashMap<String, Vec<(usize, Prepared)>>;

fn formula(structure: &Structure) -> String {
    structure.composition().reduced().0.formula()
}

fn by_formula(matcher: &Matcher, structures: &[&Structure]) -> ByFormula {
    let prepared: Vec<_> = structures.par_iter().map(|s| matcher.prepare(s).ok()).collect();
    let mut grouped = ByFormula::new();
    for (i, (structure, prepared)) in structures.iter().zip(prepared).enumerate() {
        grouped.entry(formula(structure)).or_default().extend(prepared.map(|p| (i, p)));
    }
    grouped
}

/// For each of `count` structures whether no earlier one matches it.
fn unlike_earlier(matcher: &Matcher, structures: &ByFormula, count: usize) -> Vec<bool> {
    let mut flags = vec![true; count];
    for group in structures.values() {
        for (at, (i, one)) in group.iter().enumerate() {
            flags[*i] = !group[..at].par_iter().any(|(_, earlier)| matcher.fit(earlier, one));
        }
    }
    flags
}

/// For each of `count` structures whether no known one matches it.
fn unlike(
    matcher: &Matcher,
    structures: &ByFormula,
    count: usize,
    known: &[Structure],
) -> Vec<bool> {
    let known: Vec<&Structure> =
        known.iter().filter(|s| structures.contains_key(&formula(s))).collect();
    let known = by_formula(matcher, &known);
    let mut flags = vec![true; count];
    for (formula, group) in structures {
        let Some(same) = known.get(formula) else { continue };
        for (i, one) in group {
            flags[*i] = !same.par_iter().any(|(_, other)| matcher.fit(other, one));
        }
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::caesium_chloride;

    fn salt(elements: (u8, u8), edge: f64) -> Structure {
        caesium_chloride((elements.0, elements.1, edge)).structure().unwrap()
    }

    #[test]
    fn shares_are_of_what_could_be_a_crystal() {
        let made = [
            salt((55, 17), 4.1),
            // The same a little larger, one of its own, one of an element without charges, and one without room.
            salt((55, 17), 4.2),
            salt((37, 35), 4.3),
            salt((10, 9), 4.0),
            salt((55, 17), 0.3),
        ];
        let report = judge(&made, &[salt((17, 55), 4.15)], &made[..3], 1);
        let value = |rate: Option<Rate>| rate.unwrap().value;
        assert_eq!(value(report.structural), 0.8);
        assert_eq!(value(report.compositional), 0.8);
        assert_eq!(value(report.valid), 0.6);
        assert!((value(report.unique) - 2.0 / 3.0).abs() < 1e-12);
        assert!((value(report.new) - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!((report.density, report.elements), (Some(0.0), Some(0.0)));
    }

    #[test]
    fn distributions_are_compared_whole() {
        let reference = [salt((55, 17), 4.0)];
        let report = judge(&[salt((55, 17), 5.0)], &[], &reference, 1);
        let apart = reference[0].density() * (1.0 - (4.0_f64 / 5.0).powi(3));
        assert!((report.density.unwrap() - apart).abs() < 1e-9, "{report:?}");
        assert_eq!(report.new.unwrap().value, 1.0);
        let nothing = judge(&[], &[], &reference, 1);
        assert_eq!((nothing.crystals, nothing.valid, nothing.density), (0, None, None));
    }
}
