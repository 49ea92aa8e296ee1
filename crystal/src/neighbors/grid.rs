//! The cell list: atoms sorted into boxes at least as wide as the cutoff, so that every neighbour of
//! an atom lies in its own box or one near by, possibly in another copy of the cell.

use std::ops::ControlFlow;

use nalgebra::Vector3;

use super::basis::Basis;
use super::boxes::{Boxes, copies};
use super::{NeighborError, SHELL_TOLERANCE};
use crate::Lattice;

/// Coordinates beyond this many cells have lost the digits that place the atom, and their images
/// would not fit the whole numbers they are given in.
const FARTHEST_CELL: f64 = 5e8;

/// How many boxes around one atom may be looked into; more is a cutoff of a thousand cells or a cell
/// too flat to be reduced.
const MOST_BOXES: f64 = 1e8;

/// Atoms of a cell in boxes.
#[derive(Debug)]
pub(crate) struct Grid {
    basis: Basis,
    /// Cutoff and tolerance (Å).
    width: f64,
    boxes: Boxes,
    /// How many boxes along each axis the cutoff reaches, and a little more.
    reach: [f64; 3],
    atoms: Vec<Point>,
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
        let around: f64 = basis.heights().iter().map(|h| 2.0 * (width / h).floor() + 3.0).product();
        if around > MOST_BOXES {
            return Err(NeighborError::TooMany(around));
        }
        let atoms: Vec<_> = frac.iter().map(|v| Point::new(&basis, v)).collect();
        let boxes = boxes(&basis, width, &atoms);
        let reach = reach(&basis, width, &boxes);
        Ok(Self { basis, width, boxes, reach, atoms })
    }

    /// Looks no farther than a shorter cutoff from now on.
    pub(super) fn narrow(&mut self, cutoff: f64) {
        self.width = cutoff + SHELL_TOLERANCE;
        // Boxes that could not be finer for want of atoms cannot be now.
        if !self.boxes.coarse {
            self.boxes = boxes(&self.basis, self.width, &self.atoms);
        }
        self.reach = reach(&self.basis, self.width, &self.boxes);
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
        let largest = self.width * self.width;
        let along = |k: usize| {
            let (count, reach) = (self.boxes.counts[k], self.reach[k]);
            let at = point.wrapped[k] * count as f64;
            copies((at - reach).floor() as i64, (at + reach).floor() as i64, count)
        };
        let each = |k: usize| along(k).flat_map(|(within, copy)| within.map(move |i| (i, copy)));
        let (middle, inner) = (each(1), along(2));
        for (a, copy_a) in each(0) {
            for (b, copy_b) in middle.clone() {
                for (last, copy_c) in inner.clone() {
                    let copy = Vector3::new(copy_a, copy_b, copy_c);
                    let translation = self.basis.matrix.tr_mul(&copy);
                    self.boxes.each([a, b], last, |placed| {
                        for atom in placed {
                            // Written so that j seen from i and i seen from j round alike.
                            let apart = (atom.cartesian - point.cartesian) + translation;
                            let distance_squared = apart.norm_squared();
                            if distance_squared <= largest {
                                let index = atom.index as usize;
                                visit(Found { index, copy, distance_squared })?;
                            }
                        }
                        ControlFlow::Continue(())
                    })?;
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

/// Sorts atoms into boxes that are as wide as the cutoff, or wider.
fn boxes(basis: &Basis, width: f64, atoms: &[Point]) -> Boxes {
    let finest = basis.heights().map(|h| (h / width).clamp(1.0, 1e12) as usize);
    let positions: Vec<_> = atoms.iter().map(|atom| (atom.wrapped, atom.cartesian)).collect();
    Boxes::new(finest, &positions)
}

/// Atoms so far beyond the cutoff (in boxes) are looked at too: whether one on the cutoff is in is for its
/// distance to say, not for the rounding of the box it is in.
const MARGIN: f64 = 1e-6;

fn reach(basis: &Basis, width: f64, boxes: &Boxes) -> [f64; 3] {
    let heights = basis.heights();
    [0, 1, 2].map(|k| width * boxes.counts[k] as f64 / heights[k] + MARGIN)
}
