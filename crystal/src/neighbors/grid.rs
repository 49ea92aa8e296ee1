//! The cell list: atoms sorted into boxes at least as wide as the cutoff, so that every neighbour of
//! an atom lies in its own box or one near by, possibly in another copy of the cell.

use std::collections::HashMap;
use std::ops::ControlFlow;

use nalgebra::Vector3;

use super::basis::Basis;
use super::{NeighborError, SHELL_TOLERANCE};
use crate::Lattice;

/// Coordinates beyond this many cells have lost the digits that place the atom, and their images
/// would not fit the whole numbers they are given in.
const FARTHEST_CELL: f64 = 5e8;

/// How many boxes around one atom may be looked into; more is a cutoff of a thousand cells or a cell
/// too flat to be reduced.
const MOST_BOXES: f64 = 1e8;

/// Atoms of a cell in boxes. Only boxes that hold atoms take memory, so a molecule in a huge cell
/// costs no more than a dense crystal.
#[derive(Debug)]
pub(super) struct Grid {
    basis: Basis,
    cutoff: f64,
    /// Boxes along each axis, and how many of them the cutoff reaches.
    boxes: [i64; 3],
    reach: [i64; 3],
    /// Fractional coordinates in the reduced basis, brought into its cell.
    wrapped: Vec<Vector3<f64>>,
    /// The same in Å.
    cartesian: Vec<Vector3<f64>>,
    /// Cells that wrapping moved each atom by, first in the given, then in the reduced basis.
    shift_given: Vec<Vector3<f64>>,
    shift_reduced: Vec<Vector3<f64>>,
    /// Atoms grouped by box, and where the group of each occupied box lies.
    order: Vec<u32>,
    members: HashMap<[i64; 3], (u32, u32)>,
}

/// One atom near another, as [`Grid::scan`] meets it.
pub(super) struct Found {
    pub(super) index: usize,
    /// Copy of the cell, in the reduced basis, of the wrapped coordinates.
    copy: Vector3<f64>,
    pub(super) distance_squared: f64,
}

impl Grid {
    pub(super) fn new(
        lattice: &Lattice,
        frac: &[Vector3<f64>],
        cutoff: f64,
    ) -> Result<Self, NeighborError> {
        let finite = |v: &Vector3<f64>| v.iter().all(|x| x.is_finite());
        if let Some(bad) = frac.iter().position(|v| !finite(v)) {
            return Err(NeighborError::NotFinite(bad));
        }
        if !cutoff.is_finite() {
            return Err(NeighborError::NotFinite(0));
        }
        if let Some(far) = frac.iter().position(|v| v.amax() > FARTHEST_CELL) {
            return Err(NeighborError::TooFar(far));
        }
        let basis = Basis::reduced(lattice);
        let width = cutoff + SHELL_TOLERANCE;
        let heights = basis.heights();
        let boxes = heights.map(|h| (h / width).clamp(1.0, 1e12).floor() as i64);
        let reach = [0, 1, 2].map(|i| (width * boxes[i] as f64 / heights[i]).floor() + 1.0);
        let around: f64 = reach.iter().map(|r| 2.0 * r + 1.0).product();
        if around > MOST_BOXES {
            return Err(NeighborError::TooMany(around));
        }

        let shift_given: Vec<_> = frac.iter().map(|v| v.map(f64::floor)).collect();
        let inside = frac.iter().zip(&shift_given).map(|(v, s)| basis.to_reduced * (v - s));
        let inside: Vec<_> = inside.collect();
        let shift_reduced: Vec<_> = inside.iter().map(|v| v.map(f64::floor)).collect();
        let wrapped: Vec<_> = inside.iter().zip(&shift_reduced).map(|(v, s)| v - s).collect();
        let cartesian = wrapped.iter().map(|v| basis.matrix.tr_mul(v)).collect();

        let mut grid = Self {
            basis,
            cutoff: width,
            boxes,
            reach: reach.map(|r| r as i64),
            wrapped,
            cartesian,
            shift_given,
            shift_reduced,
            order: (0..frac.len() as u32).collect(),
            members: HashMap::new(),
        };
        grid.sort_into_boxes();
        Ok(grid)
    }

    fn sort_into_boxes(&mut self) {
        let keys: Vec<_> = (0..self.wrapped.len()).map(|i| self.box_of(i)).collect();
        self.order.sort_by_key(|&i| keys[i as usize]);
        let mut start = 0;
        for group in self.order.chunk_by(|&i, &j| keys[i as usize] == keys[j as usize]) {
            let end = start + group.len() as u32;
            self.members.insert(keys[group[0] as usize], (start, end));
            start = end;
        }
    }

    fn box_of(&self, i: usize) -> [i64; 3] {
        // Rounding may leave a coordinate at exactly 1: it belongs to the last box.
        let of = |k: usize| (self.wrapped[i][k] * self.boxes[k] as f64) as i64;
        [0, 1, 2].map(|k| of(k).min(self.boxes[k] - 1))
    }

    /// Shows every atom within the cutoff of atom `i`, its own images included, itself not.
    pub(super) fn scan(
        &self,
        i: usize,
        mut visit: impl FnMut(Found) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let home = self.box_of(i);
        let largest = self.cutoff * self.cutoff;
        let range = |k: usize| home[k] - self.reach[k]..=home[k] + self.reach[k];
        for a in range(0) {
            for b in range(1) {
                for c in range(2) {
                    let at = [a, b, c];
                    let wrap = |k: usize| at[k].rem_euclid(self.boxes[k]);
                    let Some(&(start, end)) = self.members.get(&[wrap(0), wrap(1), wrap(2)]) else {
                        continue;
                    };
                    let copy = |k: usize| at[k].div_euclid(self.boxes[k]) as f64;
                    let copy = Vector3::new(copy(0), copy(1), copy(2));
                    let translation = self.basis.matrix.tr_mul(&copy);
                    let home_copy = a == home[0] && b == home[1] && c == home[2];
                    for &j in &self.order[start as usize..end as usize] {
                        let index = j as usize;
                        if home_copy && index == i {
                            continue;
                        }
                        // Written so that j seen from i and i seen from j round alike.
                        let apart = (self.cartesian[index] - self.cartesian[i]) + translation;
                        let distance_squared = apart.norm_squared();
                        if distance_squared <= largest {
                            visit(Found { index, copy, distance_squared })?;
                        }
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// The lattice translation, in the given basis, that takes atom `found` as given to the copy that
    /// lies near atom `i` as given.
    pub(super) fn image(&self, i: usize, found: &Found) -> [i32; 3] {
        let j = found.index;
        let reduced = found.copy - self.shift_reduced[j] + self.shift_reduced[i];
        let given = self.basis.to_given * reduced - self.shift_given[j] + self.shift_given[i];
        [0, 1, 2].map(|k| given[k] as i32)
    }
}
