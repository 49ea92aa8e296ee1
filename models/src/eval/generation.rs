//! Crystals from nothing: whether they can be crystals, whether they are new, and whether they are like known ones as a whole.
//!
//! Validity and distances of distributions are those of the evaluation of CDVAE (Xie et al., ICLR 2022), which the publication of
//! EquiCSP uses (appendix E). Coverage is not measured: its fingerprints (CrystalNN, Magpie) are not here. Repetitions and
//! known crystals are counted instead, by matching.

use std::collections::HashMap;

use cellwright_crystal::charge::cdvae;
use cellwright_crystal::matching::{Matcher, Prepared};
use cellwright_crystal::metrics::{earth_mover, is_structurally_valid};
use cellwright_crystal::{Element, Structure};
use rayon::prelude::*;
use serde::Serialize;

use super::rate::{Rate, Sums};

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
        let neutral = cdvae::verdict(&structure.composition()).is_ok_and(|v| v.is_valid());
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
    Report {
        crystals: made.len(),
        structural: structural.rate(seed),
        compositional: compositional.rate(seed),
        valid: both.rate(seed),
        unique: count(unlike_earlier(&valid)),
        new: count(unlike(&valid, known)),
        density: far(Structure::density),
        elements: far(|structure| structure.composition().iter().count() as f64),
    }
}

/// Reduced composition, which alike crystals share.
type Key = Vec<(Element, u64)>;

fn key(structure: &Structure) -> Key {
    let reduced = structure.composition().reduced().0;
    reduced.iter().map(|(element, amount)| (element, amount.round() as u64)).collect()
}

/// The structures by composition, ready to be matched. One that cannot be is like nothing.
fn by_key<'a>(
    matcher: &Matcher,
    structures: impl Iterator<Item = &'a Structure>,
) -> HashMap<Key, Vec<(usize, Prepared)>> {
    let structures: Vec<&Structure> = structures.collect();
    let prepared: Vec<_> = structures.par_iter().map(|s| matcher.prepare(s).ok()).collect();
    let mut grouped: HashMap<Key, Vec<(usize, Prepared)>> = HashMap::new();
    for (i, (structure, prepared)) in structures.into_iter().zip(prepared).enumerate() {
        grouped.entry(key(structure)).or_default().extend(prepared.map(|p| (i, p)));
    }
    grouped
}

fn unlike_earlier(structures: &[Structure]) -> Vec<bool> {
    let matcher = Matcher::default();
    let grouped = by_key(&matcher, structures.iter());
    let mut flags = vec![true; structures.len()];
    for group in grouped.values() {
        for (at, (i, one)) in group.iter().enumerate() {
            flags[*i] = !group[..at].par_iter().any(|(_, earlier)| matcher.fit(earlier, one));
        }
    }
    flags
}

fn unlike(structures: &[Structure], known: &[Structure]) -> Vec<bool> {
    let matcher = Matcher::default();
    let wanted: HashMap<Key, ()> = structures.iter().map(|s| (key(s), ())).collect();
    let known = by_key(&matcher, known.iter().filter(|s| wanted.contains_key(&key(s))));
    let unlike = |structure: &Structure| {
        let Ok(one) = matcher.prepare(structure) else { return true };
        let same = known.get(&key(structure)).map_or(&[][..], Vec::as_slice);
        !same.iter().any(|(_, other)| matcher.fit(other, &one))
    };
    structures.par_iter().map(unlike).collect()
}

#[cfg(test)]
mod tests {
    use cellwright_crystal::{Lattice, Site};
    use nalgebra::Vector3;

    use super::*;

    /// Two elements as in caesium chloride.
    fn salt(symbols: [&str; 2], edge: f64) -> Structure {
        let site = |symbol: &str, x: f64| {
            Site::new(Element::from_symbol(symbol).unwrap(), Vector3::repeat(x))
        };
        let lattice = Lattice::from_parameters([edge; 3], [90.0; 3]).unwrap();
        Structure { lattice, sites: vec![site(symbols[0], 0.0), site(symbols[1], 0.5)] }
    }

    #[test]
    fn shares_are_of_what_could_be_a_crystal() {
        let made = [
            salt(["Cs", "Cl"], 4.1),
            // The same a little larger, one of its own, one of an element without charges, and one without room.
            salt(["Cs", "Cl"], 4.2),
            salt(["Rb", "Br"], 4.3),
            salt(["Ne", "F"], 4.0),
            salt(["Cs", "Cl"], 0.3),
        ];
        let report = judge(&made, &[salt(["Cl", "Cs"], 4.15)], &made[..3], 1);
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
        let reference = [salt(["Cs", "Cl"], 4.0)];
        let report = judge(&[salt(["Cs", "Cl"], 5.0)], &[], &reference, 1);
        let apart = reference[0].density() * (1.0 - (4.0_f64 / 5.0).powi(3));
        assert!((report.density.unwrap() - apart).abs() < 1e-9, "{report:?}");
        assert_eq!(report.new.unwrap().value, 1.0);
        let nothing = judge(&[], &[], &reference, 1);
        assert_eq!((nothing.crystals, nothing.valid, nothing.density), (0, None, None));
    }
}
