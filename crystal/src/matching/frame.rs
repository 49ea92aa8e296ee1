//! Both structures on one lattice: the mean of a mapped first cell and the second cell.

use std::ops::Range;

use nalgebra::{Matrix3, Vector3};

use crate::Lattice;
use crate::structure::wrap_unit;

use super::assignment::Assignment;
use super::lll::lll;
use super::mapping::Mapping;
use super::periodic::{short, within};
use super::prepare::{Prepared, inverse};

/// The sites of two structures on their average lattice, for one lattice mapping. Reused from one mapping
/// to the next.
#[derive(Debug, Default, Clone)]
pub(super) struct Frame {
    /// (N/V)^⅓: distances (Å) times this are dimensionless.
    pub(super) normalization: f64,
    /// Half the widths of the windows in which partners are looked for, in fractional coordinates.
    window: Vector3<f64>,
    /// Sites of the first structure in the mapped basis, wrapped.
    first: Vec<Vector3<f64>>,
    /// Sites of the second structure, as they are.
    second: Vec<Vector3<f64>>,
    rows: Matrix3<f64>,
    /// Inverse of the rows.
    inverse: Matrix3<f64>,
    stol: f64,
    /// The same in the reduced basis; only mappings that come far need it.
    reduced: Reduced,
    is_reduced: bool,
    /// Cost of each pair in a block, and the vector between the two.
    cost: Vec<f64>,
    vectors: Vec<Vector3<f64>>,
    assignment: Assignment,
}

#[derive(Debug, Default, Clone)]
struct Reduced {
    rows: Matrix3<f64>,
    /// Takes fractional coordinates to those of the reduced basis, as columns.
    into: Matrix3<f64>,
    window: Vector3<f64>,
    first: Vec<Vector3<f64>>,
    second: Vec<Vector3<f64>>,
    /// A vector this short (squared, Å²) has no shorter copy.
    safe: f64,
}

/// One kind of the second structure placed on one kind of the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Block {
    /// Sum of the vectors from second to first (Å).
    pub(super) sum: Vector3<f64>,
    /// Sum of their squares (Å²).
    pub(super) squares: f64,
}

impl Frame {
    /// Sets the frame up, given the second cell's lengths (Å) and angles (degrees); `false` where the mean
    /// of the two cells is none.
    pub(super) fn set(
        &mut self,
        mapping: &Mapping,
        first: &Prepared,
        second: &Prepared,
        (lengths, angles): ([f64; 3], [f64; 3]),
        stol: f64,
    ) -> bool {
        let mean = |a: [f64; 3], b: [f64; 3]| [0, 1, 2].map(|i| f64::midpoint(a[i], b[i]));
        let (lengths, angles) = (mean(mapping.lengths, lengths), mean(mapping.angles, angles));
        let Ok(lattice) = Lattice::from_parameters(lengths, angles) else { return false };
        self.normalization = (first.len() as f64 / lattice.volume()).cbrt();
        self.stol = stol;
        self.window = window(lattice.inverse(), stol / self.normalization);
        self.rows = *lattice.matrix();
        self.inverse = *lattice.inverse();
        let into = inverse(&mapping.basis).transpose();
        self.first.clear();
        self.first.extend(first.frac.iter().map(|f| (into * f).map(wrap_unit)));
        self.second.clone_from(&second.frac);
        self.is_reduced = false;
        true
    }

    /// The translation that puts site `j` of the second structure on site `i` of the first.
    pub(super) fn translation(&self, i: usize, j: usize) -> Vector3<f64> {
        self.first[i] - self.second[j]
    }

    /// Whether every one of the second structure's sites `b`, moved by `translation`, has one of the
    /// first's sites `a` in its window.
    pub(super) fn covers(
        &self,
        a: &Range<usize>,
        b: &Range<usize>,
        translation: &Vector3<f64>,
    ) -> bool {
        self.second[b.clone()].iter().all(|frac| {
            let moved = frac + translation;
            self.first[a.clone()].iter().any(|other| within(&(other - moved), &self.window))
        })
    }

    /// The cheapest assignment of the sites `b` of the second structure to as many sites `a` of the first:
    /// writes the partners (indices from the start of `a`) and the vectors to them (Å), in order of `b`.
    /// `None` where there is none within the windows.
    pub(super) fn place(
        &mut self,
        a: &Range<usize>,
        b: &Range<usize>,
        translation: &Vector3<f64>,
        partners: &mut [usize],
        vectors: &mut [Vector3<f64>],
    ) -> Option<Block> {
        if !self.is_reduced {
            self.reduce();
        }
        let reduced = &self.reduced;
        let shift = reduced.into * translation;
        let n = a.len();
        self.cost.clear();
        self.vectors.clear();
        for from in &reduced.second[b.clone()] {
            let moved = from + shift;
            for to in &reduced.first[a.clone()] {
                let between = short(to - moved);
                let inside = (0..3).all(|i| between[i].abs() <= reduced.window[i]);
                let vector = if inside { reduced.shortest(&between) } else { Vector3::zeros() };
                self.cost.push(if inside { vector.norm_squared() } else { f64::INFINITY });
                self.vectors.push(vector);
            }
        }
        let columns = self.assignment.solve(n, &self.cost)?;
        let mut block = Block { sum: Vector3::zeros(), squares: 0.0 };
        for (i, &j) in columns.iter().enumerate() {
            let vector = self.vectors[i * n + j];
            partners[i] = j;
            vectors[i] = vector;
            block.sum += vector;
            block.squares += vector.norm_squared();
        }
        Some(block)
    }

    /// What a Cartesian shift (Å) is in fractional coordinates.
    pub(super) fn fractional(&self, shift: &Vector3<f64>) -> Vector3<f64> {
        self.inverse.tr_mul(shift)
    }

    fn reduce(&mut self) {
        let (rows, transform) = lll(&self.rows);
        let into = inverse(&transform).transpose();
        let reduced = &mut self.reduced;
        reduced.rows = rows;
        reduced.into = into;
        // (T L)⁻¹ = L⁻¹ T⁻¹
        let columns = self.inverse * into.transpose();
        reduced.window = window(&columns, self.stol / self.normalization);
        reduced.first.clear();
        reduced.first.extend(self.first.iter().map(|f| into * f));
        reduced.second.clear();
        reduced.second.extend(self.second.iter().map(|f| into * f));
        reduced.safe = images()
            .map(|image| rows.tr_mul(&image).norm_squared())
            .filter(|&squared| squared > 0.0)
            .fold(f64::INFINITY, f64::min)
            / 4.0;
        self.is_reduced = true;
    }
}

impl Reduced {
    /// The shortest of a fractional vector's copies (Å).
    fn shortest(&self, between: &Vector3<f64>) -> Vector3<f64> {
        let vector = self.rows.tr_mul(between);
        if vector.norm_squared() <= self.safe {
            return vector;
        }
        let mut best = (vector.norm_squared(), vector);
        for image in images() {
            let copy = vector + self.rows.tr_mul(&image);
            let squared = copy.norm_squared();
            if squared < best.0 {
                best = (squared, copy);
            }
        }
        best.1
    }
}

/// The cell and its 26 neighbours.
fn images() -> impl Iterator<Item = Vector3<f64>> {
    (0..27_i32).map(|i| Vector3::new(i / 9, i / 3 % 3, i % 3).map(|k| f64::from(k - 1)))
}

/// Half widths of a box that holds a sphere with twice the radius, given the reciprocal vectors as columns.
fn window(inverse: &Matrix3<f64>, radius: f64) -> Vector3<f64> {
    Vector3::from_fn(|i, _| 2.0 * radius * inverse.column(i).norm())
}
