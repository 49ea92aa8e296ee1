//! Periodic neighbours within a cutoff: cell list, every image, any cutoff, any cell shape.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use nalgebra::Vector3;
use rayon::prelude::*;

use crate::Lattice;

mod basis;
mod boxes;
mod closest;
pub(crate) mod grid;

pub use closest::{ClosestPair, closest_pair};

use grid::Grid;

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

/// All directed pairs within a cutoff, grouped by the first atom (compressed rows), nearest first. Both
/// directions of each pair are present; an atom is a neighbour of its own images but not of itself.
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

    /// Neighbours of atom `i`, nearest first.
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
    /// A coordinate is so large that its digits no longer place the atom.
    #[error("atom {0} lies more than 500 million cells away from the origin")]
    TooFar(usize),
    /// The lattice vectors are millions of times longer than the lattice needs.
    #[error("the cell is so skewed that its shortest lattice vectors cannot be worked out")]
    TooSkewed,
    /// The cell is so small or the cutoff so large that the list would not fit in memory.
    #[error("about {0:.0e} pairs lie within the cutoff: more than can be listed")]
    TooMany(f64),
}

/// Pairs this far (Å) beyond the cutoff still count: whether an atom that lies exactly on the cutoff
/// is in must not depend on rounding, on how the cell was chosen or where the origin is.
const SHELL_TOLERANCE: f64 = 1e-8;

/// The longest list there may be: 10⁵ atoms with 300 neighbours each, 24 bytes a pair.
const MOST_PAIRS: usize = 30_000_000;

/// Every pair of atoms closer than or as close as `cutoff` (Å), all periodic images included, in any cell.
///
/// Coordinates need not be wrapped. Time is linear in the number of atoms at a fixed density. Two
/// different atoms at the same place are neighbours at distance 0; a negative cutoff finds nothing.
///
/// # Errors
/// See [`NeighborError`].
pub fn neighbors(
    lattice: &Lattice,
    frac: &[Vector3<f64>],
    cutoff: f64,
) -> Result<NeighborList, NeighborError> {
    if cutoff < 0.0 || frac.is_empty() {
        return Ok(NeighborList { offsets: vec![0; frac.len() + 1], neighbors: Vec::new() });
    }
    let grid = Grid::new(lattice, frac, cutoff)?;
    let expected = expected_pairs(lattice, frac.len(), cutoff);
    if expected > MOST_PAIRS as f64 {
        return Err(NeighborError::TooMany(expected));
    }
    // Atoms need not be spread evenly, so pairs are counted before any is stored.
    let total = AtomicUsize::new(0);
    let count = |i: usize| {
        let mut count = 0;
        let end = grid.scan(i, |_| {
            count += 1;
            if count > MOST_PAIRS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let so_far = total.fetch_add(count, Ordering::Relaxed) + count;
        (end.is_continue() && so_far <= MOST_PAIRS).then_some(count)
    };
    let parallel = frac.len() >= PARALLEL_FROM;
    let counts: Option<Vec<usize>> = if parallel {
        (0..frac.len()).into_par_iter().map(count).collect()
    } else {
        (0..frac.len()).map(count).collect()
    };
    let total = total.into_inner();
    let Some(counts) = counts else { return Err(NeighborError::TooMany(total as f64)) };

    let blank = Neighbor { index: 0, image: [0; 3], distance: 0.0 };
    let mut list = NeighborList { offsets: vec![0], neighbors: vec![blank; total] };
    let mut rest = list.neighbors.as_mut_slice();
    let mut rows = Vec::with_capacity(frac.len());
    for (i, count) in counts.into_iter().enumerate() {
        let (row, later) = rest.split_at_mut(count);
        rows.push((i, row));
        rest = later;
        list.offsets.push((total - rest.len()) as u32);
    }
    let fill = |(i, row): (usize, &mut [Neighbor])| fill_row(&grid, i, row);
    if parallel {
        rows.into_par_iter().for_each(fill);
    } else {
        rows.into_iter().for_each(fill);
    }
    Ok(list)
}

/// The neighbours of one atom, nearest first; `row` has as many places as the atom has neighbours.
fn fill_row(grid: &Grid, i: usize, row: &mut [Neighbor]) {
    let mut places = row.iter_mut();
    let _ = grid.scan(i, |found| {
        if let Some(place) = places.next() {
            let distance = found.distance_squared.sqrt();
            *place = Neighbor { index: found.index as u32, image: grid.image(i, &found), distance };
        }
        ControlFlow::Continue(())
    });
    row.sort_unstable_by(|a, b| {
        let by_distance = a.distance.total_cmp(&b.distance);
        by_distance.then(a.index.cmp(&b.index)).then(a.image.cmp(&b.image))
    });
}

/// Below this many atoms, handing rows to other threads costs more than it saves.
const PARALLEL_FROM: usize = 256;

/// Directed pairs in a crystal of even density.
fn expected_pairs(lattice: &Lattice, atoms: usize, cutoff: f64) -> f64 {
    let sphere = 4.0 / 3.0 * std::f64::consts::PI * cutoff.powi(3);
    atoms as f64 * (atoms as f64 * sphere / lattice.volume())
}

#[cfg(test)]
mod tests;
