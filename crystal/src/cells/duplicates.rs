//! Atoms that are listed more than once.

use crate::Structure;
use crate::neighbors::{NeighborError, neighbors};

/// A site that repeats another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Duplicate {
    /// Index of the site before any was removed.
    pub site: usize,
    /// Index, before any was removed, of the earlier site that stays.
    pub of: usize,
    /// How far they are apart (Å).
    pub distance: f64,
}

/// Removes every site of the same element and charge as an earlier one no farther than `within` (Å) from
/// it, periodic images included. The first of a group stays, where it is. Partly occupied sites whose
/// occupancies fit into one position are a split position, not a repetition, and stay. Different species
/// at one place are no duplicates.
///
/// # Errors
/// When the coordinates cannot be searched, see [`NeighborError`]; nothing is changed then.
pub fn remove_duplicates(
    structure: &mut Structure,
    within: f64,
) -> Result<Vec<Duplicate>, NeighborError> {
    let near = neighbors(&structure.lattice, &structure.fractional(), within)?;
    let sites = &structure.sites;
    let repeats = |i: usize, j: usize| {
        let (a, b) = (&sites[i], &sites[j]);
        let split = a.occupancy < 1.0 - 1e-6 && b.occupancy < 1.0 - 1e-6;
        let fits = split && a.occupancy + b.occupancy < 1.001;
        a.element == b.element && a.oxidation == b.oxidation && !fits
    };
    let mut removed = vec![false; sites.len()];
    let mut duplicates = Vec::new();
    for i in 0..sites.len() {
        // Only sites that stay speak for others, so that a chain of atoms is not one atom.
        let earlier = near.of(i).iter().find(|n| {
            let j = n.index as usize;
            j < i && !removed[j] && repeats(i, j)
        });
        if let Some(n) = earlier {
            removed[i] = true;
            duplicates.push(Duplicate { site: i, of: n.index as usize, distance: n.distance });
        }
    }
    let mut gone = removed.into_iter();
    structure.sites.retain(|_| !gone.next().unwrap_or(false));
    Ok(duplicates)
}
