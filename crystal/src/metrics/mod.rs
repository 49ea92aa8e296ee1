//! How sets of answers are judged: validity, match rates, distances of distributions, and how sure the
//! numbers are.
//!
//! What compares two structures is not here: the measures take what a matcher gave. Compositional validity
//! is [`crate::charge::cdvae`], the shortest distance [`Structure::closest_pair`] and the density
//! [`Structure::density`].

mod bootstrap;
mod distribution;
mod matches;

pub use bootstrap::{Interval, bootstrap};
pub use distribution::{DistributionError, earth_mover};
pub use matches::{Matches, best_in_group, best_of};

use crate::Structure;

/// Least distance (Å) and least volume (Å³) of a structure that counts as valid in the evaluation of CDVAE.
const LEAST_DISTANCE: f64 = 0.5;
const LEAST_VOLUME: f64 = 0.1;

/// Whether a structure is valid as the evaluation of CDVAE (Xie et al., ICLR 2022) means it: no two atoms
/// closer than 0.5 Å, and a cell of 0.1 Å³ or more. One whose coordinates are not numbers is not.
///
/// Images of one atom count here; that script leaves them out, which makes a difference only in cells
/// with an edge below 0.5 Å.
#[must_use]
pub fn is_structurally_valid(structure: &Structure) -> bool {
    let apart = |pair: Option<crate::neighbors::ClosestPair>| {
        pair.is_none_or(|p| p.distance >= LEAST_DISTANCE)
    };
    structure.lattice.volume() >= LEAST_VOLUME && structure.closest_pair().is_ok_and(apart)
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;

    use super::*;
    use crate::{Lattice, Site};

    #[test]
    fn atoms_keep_half_an_angstrom() {
        let pair = |edge: f64, distance: f64| {
            let site = |x: f64| Site::new(crate::Element::H, Vector3::new(x / edge, 0.0, 0.0));
            let lattice = Lattice::from_parameters([edge; 3], [90.0; 3]).unwrap();
            Structure { lattice, sites: vec![site(0.0), site(distance)] }
        };
        assert!(is_structurally_valid(&pair(4.0, 0.51)));
        assert!(!is_structurally_valid(&pair(4.0, 0.49)));
        assert!(!is_structurally_valid(&pair(4.0, 3.6)));
        assert!(!is_structurally_valid(&pair(4.0, f64::NAN)));
        let mut empty = pair(0.47, 0.0);
        empty.sites.clear();
        assert!(is_structurally_valid(&empty));
        let flat = Structure { lattice: pair(0.46, 0.0).lattice, sites: Vec::new() };
        assert!(!is_structurally_valid(&flat));
    }
}
