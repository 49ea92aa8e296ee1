//! Crystals of the very formula that is asked for.
//!
//! The ranker compares structures that borrow their elements; where the formula itself is known, its crystals are told apart by
//! their stability instead, of which it makes little. Half of the metastable crystals that have been made lie within 15 meV/atom of
//! the most stable ones (Sun et al., Science Advances 2 (2016) e1600225).

use crate::prototypes::{Hit, Kind, Library};

/// Chance that what is meant is a crystal of the formula that the library does not have, where the most stable one that it has lies
/// above the hull: the mean, over 6899 formulas of the training and validation sets, of the share of the test sets in the likelihoods
/// of all their crystals.
const MISSING: f64 = 0.06;

/// The same where one is on the hull, over 7510 formulas.
const MISSING_STABLE: f64 = 0.012;

/// Energies above hull (eV/atom) below this are on it.
const ON_HULL: f64 = 1e-3;

/// Difference of stability (eV/atom) by which the chance falls to 1/e: 15 meV halve it.
const SCALE: f64 = 0.0216;

/// What is not known to be stable counts as so far above the hull (eV/atom).
const UNKNOWN: f64 = 0.1;

/// The known crystals of the formula among some hits: their places in the list with the chance of each by its stability. What is
/// missing to 1 is the chance that the library does not have the one that is meant.
pub(super) fn polymorphs(library: &Library, hits: &[Hit]) -> Vec<(usize, f64)> {
    let known = hits.iter().enumerate();
    let known: Vec<(usize, f64)> =
        known.filter_map(|(i, hit)| Some((i, above_hull(library, hit)?))).collect();
    let least = known.iter().map(|(_, above)| *above).fold(f64::INFINITY, f64::min);
    let there = 1.0 - if least < ON_HULL { MISSING_STABLE } else { MISSING };
    let likelihood = |above: f64| (-(above - least) / SCALE).exp();
    let sum: f64 = known.iter().map(|(_, above)| likelihood(*above)).sum();
    known.into_iter().map(|(i, above)| (i, there * likelihood(above) / sum)).collect()
}

/// Energy above hull (eV/atom) of a hit that is a known crystal of the formula itself.
fn above_hull(library: &Library, hit: &Hit) -> Option<f64> {
    let members = &library.classes()[hit.class].members;
    let itself = hit.near.iter().filter(|near| members[near.member].elements == near.elements);
    let hulls = itself.map(|near| members[near.member].hull.unwrap_or(UNKNOWN).max(0.0));
    hulls.reduce(f64::min).filter(|_| hit.kind == Kind::Whole)
}
