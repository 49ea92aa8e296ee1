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
pub(crate) struct Grid {
    basis: Basis,
    cutoff: f64,
    /// Boxes along each axis, and how many of them the cutoff reaches.
    boxes: [i64; 3],
    reach: [i64; 3],
    atoms: Vec<Point>,
    /// Atoms grouped by box, and where the group of each occupied box lies.
    order: Vec<u32>,
    members: HashMap<[i64; 3], (u32, u32)>,
}

/// A position brought into the reduced cell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    /// Fractional coordinates in the reduced basis, in [0, 1].
    wrapped: Vector3<f64>,
    /// The same in Å.
    cartesian: Vector3<f64>,
    /// Cells that wrapping moved it by, first in the given, then in the reduced basis.
    shift_given: Vector3<f64>,
    shift_reduced: Vector3<f64>,
}

impl Point {
    fn new(basis: &Basis, frac: &Vector3<f64>) -> Self {
        let shift_given = frac.map(f64::floor);
        let inside = basis.to_reduced * (frac - shift_given);
        let shift_reduced = inside.map(f64::floor);
        let wrapped = inside - shift_reduced;
        Self { wrapped, cartesian: basis.matrix.tr_mul(&wrapped), shift_given, shift_reduced }
    }
}

/// One atom near a point, as [`Grid::scan`] meets it.
pub(crate) struct Found {
    pub(crate) index: usize,
    /// Copy of the cell, in the reduced basis, of the wrapped coordinates.
    copy: Vector3<f64>,
    pub(crate) distance_squared: f64,
}

impl Grid {
    pub(crate) fn new(
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
        let basis = Basis::reduced(lattice).ok_or(NeighborError::TooSkewed)?;
        let width = cutoff + SHELL_TOLERANCE;
        let heights = basis.heights();
        let boxes = heights.map(|h| (h / width).clamp(1.0, 1e12).floor() as i64);
        let reach = [0, 1, 2].map(|i| (width * boxes[i] as f64 / heights[i]).floor() + 1.0);
        let around: f64 = reach.iter().map(|r| 2.0 * r + 1.0).product();
        if around > MOST_BOXES {
            return Err(NeighborError::TooMany(around));
        }

        let atoms = frac.iter().map(|v| Point::new(&basis, v)).collect();
        let mut grid = Self {
            basis,
            cutoff: width,
            boxes,
            reach: reach.map(|r| r as i64),
            atoms,
            order: (0..frac.len() as u32).collect(),
            members: HashMap::new(),
        };
        grid.sort_into_boxes();
        Ok(grid)
    }

    fn sort_into_boxes(&mut self) {
        let keys: Vec<_> = self.atoms.iter().map(|atom| self.box_of(atom)).collect();
        self.order.sort_by_key(|&i| keys[i as usize]);
        let mut start = 0;
        for group in self.order.chunk_by(|&i, &j| keys[i as usize] == keys[j as usize]) {
            let end = start + group.len() as u32;
            self.members.insert(keys[group[0] as usize], (start, end));
            start = end;
        }
    }

    fn box_of(&self, point: &Point) -> [i64; 3] {
        // Rounding may leave a coordinate at exactly 1: it belongs to the last box.
        let of = |k: usize| (point.wrapped[k] * self.boxes[k] as f64) as i64;
        [0, 1, 2].map(|k| of(k).min(self.boxes[k] - 1))
    }

    /// Shows every atom within the cutoff of atom `i`, its own images included, itself not.
    pub(super) fn scan(
        &self,
        i: usize,
        mut visit: impl FnMut(Found) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.scan_around(&self.atoms[i], |found| {
            if found.index == i && found.copy == Vector3::zeros() {
                return ControlFlow::Continue(());
            }
            visit(found)
        })
    }

    /// A position to look around, one that need not be an atom's.
    pub(crate) fn point(&self, frac: &Vector3<f64>) -> Point {
        Point::new(&self.basis, frac)
    }

    /// Shows every atom within the cutoff of a point.
    pub(crate) fn scan_around(
        &self,
        point: &Point,
        mut visit: impl FnMut(Found) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let home = self.box_of(point);
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
                    for &j in &self.order[start as usize..end as usize] {
                        let index = j as usize;
                        // Written so that j seen from i and i seen from j round alike.
                        let apart = (self.atoms[index].cartesian - point.cartesian) + translation;
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
        self.image_near(&self.atoms[i], found)
    }

    /// The lattice translation, in the given basis, that takes atom `found` as given to the copy that
    /// lies near a point as given.
    pub(crate) fn image_near(&self, point: &Point, found: &Found) -> [i32; 3] {
        let atom = &self.atoms[found.index];
        let reduced = found.copy - atom.shift_reduced + point.shift_reduced;
        let given = self.basis.to_given * reduced - atom.shift_given + point.shift_given;
        [0, 1, 2].map(|k| given[k] as i32)
    }
}
