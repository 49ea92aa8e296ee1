//! A fingerprint of how atoms are arranged, from geometry alone.

use crate::Structure;
use crate::neighbors::{NeighborError, neighbors};

/// The cutoff grows by this factor until every atom has enough neighbours.
const GROWTH: f64 = 1.3;

/// The average minimum distances (Å): entry `k` is the distance from an atom to its neighbour number `k` + 1,
/// nearest first, averaged over the atoms of the cell (Widdowson, Mosca, Pulido, Cooper & Kurlin, *MATCH Commun.
/// Math. Comput. Chem.* **87**, 529 (2022)),
///
/// `AMDₖ = (1/N) Σᵢ dᵢₖ`
///
/// It is the same for every description of a crystal, changes by at most 2 ε where no atom moves by more than
/// ε, and is the same for a crystal and its mirror image. Elements do not count, so that compounds of one
/// structure type and one size have one fingerprint; species that share a position are one atom. Crystals with
/// different fingerprints are different, and nearly all different ones have different fingerprints.
///
/// Empty without atoms.
///
/// # Errors
/// When a coordinate is not finite or `k` asks for more pairs than can be listed, see [`NeighborError`].
pub fn average_minimum_distances(
    structure: &Structure,
    k: usize,
) -> Result<Vec<f64>, NeighborError> {
    let distinct = structure.distinct_positions()?;
    if distinct.is_empty() || k == 0 {
        return Ok(Vec::new());
    }
    let frac: Vec<_> = distinct.iter().map(|&i| structure.sites[i].frac).collect();
    // The sphere that holds k + 1 atoms on average.
    let per_atom = structure.lattice.volume() / frac.len() as f64;
    let volume = per_atom * (k as f64 + 1.0);
    let mut cutoff = (0.75 * volume / std::f64::consts::PI).cbrt();
    let list = loop {
        let list = neighbors(&structure.lattice, &frac, cutoff)?;
        if (0..list.len()).all(|i| list.of(i).len() >= k) {
            break list;
        }
        cutoff *= GROWTH;
    };
    let mean = |rank: usize| {
        let sum: f64 = (0..list.len()).map(|i| list.of(i)[rank].distance).sum();
        sum / list.len() as f64
    };
    Ok((0..k).map(mean).collect())
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary::any_crystal;
    use crate::{Element, Lattice, Site};

    #[test]
    fn shells_of_the_simple_cubic_lattice() {
        let lattice = Lattice::from_parameters([2.0; 3], [90.0; 3]).unwrap();
        let mut cube = Structure { lattice, sites: vec![Site::new(Element::H, Vector3::zeros())] };
        let found = average_minimum_distances(&cube, 26).unwrap();
        let shells = [(6, 1.0_f64), (12, 2.0), (8, 3.0)];
        let want = shells.iter().flat_map(|(n, d)| vec![2.0 * d.sqrt(); *n]);
        for (got, want) in found.iter().zip(want) {
            assert!((got - want).abs() < 1e-12, "{found:?}");
        }
        assert_eq!(found.len(), 26);
        // A mixed site is one atom.
        cube.sites.push(Site { occupancy: 0.5, ..cube.sites[0].clone() });
        cube.sites[0].occupancy = 0.5;
        assert_eq!(average_minimum_distances(&cube, 26).unwrap(), found);
        assert!(average_minimum_distances(&cube, 0).unwrap().is_empty());
        assert!(matches!(
            average_minimum_distances(&cube, usize::MAX),
            Err(NeighborError::TooMany(_))
        ));
        cube.sites[0].frac.x = f64::NAN;
        assert!(average_minimum_distances(&cube, 3).is_err());
        cube.sites.clear();
        assert!(average_minimum_distances(&cube, 3).unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn small_moves_change_it_little(
            crystal in any_crystal(),
            moves in prop::collection::vec(prop::array::uniform3(-0.1..0.1_f64), 8),
        ) {
            let mut moved = crystal.clone();
            for (site, by) in moved.sites.iter_mut().zip(&moves) {
                site.frac += crystal.lattice.to_fractional(&Vector3::from(*by));
            }
            let most = moves.iter().map(|by| Vector3::from(*by).norm()).fold(0.0, f64::max);
            let [a, b] = [&crystal, &moved].map(|s| average_minimum_distances(s, 20).unwrap());
            for (a, b) in a.iter().zip(&b) {
                prop_assert!((a - b).abs() <= 2.0 * most + 1e-9, "{a} {b} {most}");
            }
        }
    }
}
