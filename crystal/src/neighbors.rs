//! Periodic neighbours within a cutoff: cell list, every image, any cutoff, any cell shape.

use nalgebra::Vector3;

use crate::Lattice;

/// One neighbour `j` of an atom `i`: the copy of `j` in the cell `image`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbor {
    /// Index of the neighbouring atom.
    pub index: u32,
    /// Lattice translation of the neighbour's copy, relative to the coordinates **as given** (not wrapped).
    pub image: [i32; 3],
    /// Distance (Å).
    pub distance: f64,
}

/// All directed pairs within a cutoff, grouped by the first atom (compressed rows). Both directions
/// of each pair are present; an atom is a neighbour of its own images but not of itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NeighborList {
    offsets: Vec<u32>,
    neighbors: Vec<Neighbor>,
}

impl NeighborList {
    /// Number of atoms.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there are no atoms.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of directed pairs.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.neighbors.len()
    }

    /// Neighbours of atom `i`.
    #[must_use]
    pub fn of(&self, i: usize) -> &[Neighbor] {
        &self.neighbors[self.offsets[i] as usize..self.offsets[i + 1] as usize]
    }

    /// Every directed pair as (first atom, neighbour).
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Neighbor)> {
        (0..self.len()).flat_map(|i| self.of(i).iter().map(move |n| (i, n)))
    }
}

/// Why no neighbours could be listed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NeighborError {
    /// A coordinate or the cutoff is NaN or infinite.
    #[error("a coordinate of atom {0} or the cutoff is not a finite number")]
    NotFinite(usize),
    /// The cell is so small or the cutoff so large that the list would not fit in memory.
    #[error("about {0:.0e} pairs lie within the cutoff: more than can be listed")]
    TooMany(f64),
}

/// Every pair of atoms closer than or as close as `cutoff` (Å), all periodic images included, in any cell.
///
/// Coordinates need not be wrapped. Time is linear in the number of atoms at a fixed density.
///
/// # Errors
/// See [`NeighborError`].
pub fn neighbors(
    lattice: &Lattice,
    frac: &[Vector3<f64>],
    cutoff: f64,
) -> Result<NeighborList, NeighborError> {
    todo!()
}
