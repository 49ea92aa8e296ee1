//! Crystals of the very formula that is asked for.
//!
//! The ranker compares structures that borrow their elements; where the formula itself is known, its crystals are told apart by
//! their stability instead, of which it makes little. Half of the metastable crystals that have been made lie within 15 meV/atom of
//! the most stable ones (Sun et al., Science Advances 2 (2016) e1600225).

use crate::prototypes::{Hit, Kind, Library};

/// Chance that the most stable crystal of a formula is one that the library does not have, where the most stable one that it
/// has lies above the hull: so it is with 486 of 6204 formulas of the training and validation sets, if one looks into the test sets.
const MISSING: f64 = 0.08;

/// Energies above hull (eV/atom) below this are on it.
const ON_HULL: f64 = 1e-3;

/// Difference of stability (eV/atom) by which the chance falls to 1/e: 15 meV halve it.
const SCALE: f64 = 0.0216;

/// What is not known to be stable counts as so far above the hull (eV/atom).
const UNKNOWN: f64 = 0.1;

/// Gives the known crystals of the formula their chances by stability, and the others, together with the chance that none is
/// right, what these leave in the proportions in which they were.
pub(super) fn weigh(library: &Library, hits: &[Hit], chances: &mut [f64]) {
    let known: Vec<Option<f64>> = hits.iter().map(|hit| above_hull(library, hit)).collect();
    let Some(least) = known.iter().flatten().copied().reduce(f64::min) else { return };
    let left = if least < ON_HULL { 0.0 } else { MISSING };
    let likelihood = |above: f64| (-(above - least) / SCALE).exp();
    let sum: f64 = known.iter().flatten().map(|above| likelihood(*above)).sum();
    let others: f64 =
        1.0 - known.iter().zip(&*chances).filter(|(k, _)| k.is_some()).map(|(_, c)| c).sum::<f64>();
    for (chance, known) in chances.iter_mut().zip(known) {
        *chance = match known {
            Some(above) => (1.0 - left) * likelihood(above) / sum,
            None => left * *chance / others.max(f64::MIN_POSITIVE),
        };
    }
}

/// Energy above hull (eV/atom) of a hit that is a known crystal of the formula itself.
fn above_hull(library: &Library, hit: &Hit) -> Option<f64> {
    let members = &library.classes()[hit.class].members;
    let itself = hit.near.iter().filter(|near| members[near.member].elements == near.elements);
    let hulls = itself.map(|near| members[near.member].hull.unwrap_or(UNKNOWN).max(0.0));
    hulls.reduce(f64::min).filter(|_| hit.kind == Kind::Whole)
}
