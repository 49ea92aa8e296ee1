//! The closest pair of atoms of a crystal.

use std::ops::ControlFlow;

use nalgebra::Vector3;

use super::NeighborError;
use super::grid::Grid;
use crate::Lattice;

/// Two atoms, or an atom and its own image, and how far apart they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClosestPair {
    /// Index of one atom.
    pub first: usize,
    /// Index of the other, never lower than `first`; equal where a lattice translation is the shortest distance.
    pub second: usize,
    /// Lattice translation of the second atom's copy, relative to the coordinates as given.
    pub image: [i32; 3],
    /// Distance (Å).
    pub distance: f64,
}

/// The shortest distance between any two atoms, periodic images included; `None` without atoms.
/// Time is linear in the number of atoms however they are spread. Below a millionth of an Å atoms count
/// as being at the same place: of several such pairs any one is given.
///
/// # Errors
/// When a coordinate is not finite or too large, see [`NeighborError`].
pub fn closest_pair(
    lattice: &Lattice,
    frac: &[Vector3<f64>],
) -> Result<Option<ClosestPair>, NeighborError> {
    if frac.is_empty() {
        return Ok(None);
    }
    // No arrangement of points is denser than the close packing of spheres (Hales 2005), so some pair
    // is at most this far apart: ρ d³ ≤ √2.
    let per_atom = lattice.volume() / frac.len() as f64;
    let mut cutoff = (std::f64::consts::SQRT_2 * per_atom).cbrt() * (1.0 + 1e-9);
    let mut best: Option<ClosestPair> = None;
    let mut grid = Grid::new(lattice, frac, cutoff)?;
    for i in 0..frac.len() {
        // Crowded atoms make the boxes of a wide cutoff full; but crowding itself is a close pair. As soon
        // as one is found at less than half the cutoff the search goes on with boxes of that width. Earlier
        // atoms have shown all their pairs.
        loop {
            let end = grid.scan(i, |found| {
                let distance = found.distance_squared.sqrt();
                // Each pair is seen from both ends: once is enough.
                if found.index >= i && best.is_none_or(|b| distance < b.distance) {
                    let image = grid.image(i, &found);
                    best = Some(ClosestPair { first: i, second: found.index, image, distance });
                    if distance < 0.5 * cutoff {
                        return ControlFlow::Break(());
                    }
                }
                ControlFlow::Continue(())
            });
            let Some(pair) = best.filter(|_| end.is_break()) else { break };
            if pair.distance < SAME_PLACE {
                return Ok(best);
            }
            cutoff = pair.distance;
            grid.narrow(cutoff);
        }
    }
    Ok(best)
}

/// Atoms closer together than this (Å) are at the same place.
const SAME_PLACE: f64 = 1e-6;
