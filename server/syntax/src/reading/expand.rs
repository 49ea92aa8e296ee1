//! From the asymmetric unit to the whole cell.

use cellwright_crystal::structure::{wrap_half, wrap_unit};
use cellwright_crystal::symmetry::Operation;
use cellwright_crystal::{Lattice, Site, Structure};
use nalgebra::Vector3;

use super::Origin;
use crate::text::Span;

/// Most atoms that a cell is expanded to, and most rows of atoms that are read; above this the text is surely not what its
/// author meant.
pub(crate) const MAX_ATOMS: usize = 500_000;
/// Most images that are generated, before special positions are merged: bounds the time.
pub(crate) const MAX_IMAGES: usize = 4_000_000;

/// Distance (Å) below which two images of a row are one atom, however it is written: no refinement resolves it.
const SAME: f64 = 0.05;
/// Distance (Å) above which they are two, a split atom.
const SPLIT: f64 = 0.3;
/// By how many units of its last written digit a coordinate of an atom on a symmetry element may differ from
/// that of its image: rounding is half a unit and the image of it another half.
const ROUNDING: f64 = 1.01;

/// One row to expand: the site and the digits its coordinates were written with.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) index: usize,
    /// Where the row stands.
    pub(crate) span: Span,
    pub(crate) site: Site,
    pub(crate) decimals: u8,
}

/// The expansion would give more atoms than can be held.
#[derive(Debug, PartialEq)]
pub(crate) struct TooMany(pub(crate) usize);

/// Applies every operation to every row. Images of one row that fall together (special positions) are
/// one atom; different rows are never merged. The identity's image stays as given, the others are wrapped into the cell.
///
/// Two images are together when they are closer than 0.05 Å, or when rounding of the coordinates as written explains the
/// difference and they are closer than 0.3 Å: 0.33 0.67 lies on its threefold axis in any cell.
pub(crate) fn expand(
    lattice: &Lattice,
    operations: &[Operation],
    rows: Vec<Row>,
) -> Result<(Structure, Vec<Origin>), TooMany> {
    let images = rows.len().saturating_mul(operations.len());
    if images > MAX_IMAGES {
        return Err(TooMany(images));
    }
    let mut grid = Grid::new(lattice);
    let mut sites = Vec::with_capacity(images.min(MAX_ATOMS));
    let mut origins = Vec::with_capacity(images.min(MAX_ATOMS));
    for row in rows {
        if operations.len() > 1 {
            grid.start(lattice, row.decimals);
        }
        for (operation, op) in operations.iter().enumerate() {
            let wrapped = op.apply(&row.site.frac).map(wrap_unit);
            if operations.len() > 1 && !grid.insert(lattice, &wrapped) {
                continue;
            }
            let frac = if operation == 0 { row.site.frac } else { wrapped };
            if sites.len() == MAX_ATOMS {
                return Err(TooMany(images));
            }
            sites.push(Site { frac, ..row.site.clone() });
            origins.push(Origin { site: row.index, operation });
        }
    }
    Ok((Structure { lattice: *lattice, sites }, origins))
}

/// The images of one row, binned so that an image is compared with its neighbourhood only. Bins are stamped with
/// the row that filled them, so that starting a row costs nothing.
struct Grid {
    bins: [usize; 3],
    /// Row number and last image of each bin.
    heads: Vec<(u32, u32)>,
    /// Position of each image and the image before it in its bin.
    images: Vec<(Vector3<f64>, u32)>,
    row: u32,
    same: f64,
    split: f64,
    /// Largest difference of a fractional coordinate that is rounding.
    rounding: f64,
    /// How far (fractional) images that are together may lie apart along each axis.
    reach: [f64; 3],
}

const NONE: u32 = u32::MAX;

impl Grid {
    fn new(lattice: &Lattice) -> Self {
        let heights = lattice.heights();
        let bins = heights.map(|h| ((h / (2.0 * SPLIT)) as usize).clamp(1, 16));
        // In a cell so flat that the limits are no small part of it, the cell decides.
        let lowest = 0.1 * heights.into_iter().fold(f64::INFINITY, f64::min);
        Self {
            bins,
            heads: vec![(0, NONE); bins.iter().product()],
            images: Vec::new(),
            row: 0,
            same: SAME.min(lowest),
            split: SPLIT.min(lowest),
            rounding: 0.0,
            reach: [0.0; 3],
        }
    }

    /// Forgets all images.
    fn start(&mut self, lattice: &Lattice, decimals: u8) {
        self.row += 1;
        self.images.clear();
        self.rounding = ROUNDING * 10f64.powi(-i32::from(decimals));
        let reach = |h: f64| (self.same / h).max(self.rounding.min(self.split / h));
        self.reach = lattice.heights().map(reach);
    }

    /// Adds an image (in the unit cell) unless one is there already.
    fn insert(&mut self, lattice: &Lattice, frac: &Vector3<f64>) -> bool {
        // One cell farther on nothing is negative, and cutting off decimals finds the bin. (The reach is at most a
        // tenth of the cell.)
        let bin = |x: f64, axis: usize| ((1.0 + x) * self.bins[axis] as f64) as usize;
        let (mut home, mut low, mut high) = ([0; 3], [0; 3], [0; 3]);
        for i in 0..3 {
            home[i] = bin(frac[i], i);
            low[i] = bin(frac[i] - self.reach[i], i);
            // With few bins the neighbourhood may come round to where it began.
            high[i] = bin(frac[i] + self.reach[i], i).min(low[i] + self.bins[i] - 1);
        }
        for i in low[0]..=high[0] {
            for j in low[1]..=high[1] {
                for k in low[2]..=high[2] {
                    let (row, mut image) = self.heads[self.head([i, j, k])];
                    while row == self.row && image != NONE {
                        let (other, next) = self.images[image as usize];
                        if self.together(lattice, &(frac - other)) {
                            return false;
                        }
                        image = next;
                    }
                }
            }
        }
        let home = self.head(home);
        let (row, head) = self.heads[home];
        let next = if row == self.row { head } else { NONE };
        self.heads[home] = (self.row, self.images.len() as u32);
        self.images.push((*frac, next));
        true
    }

    /// Whether two images that differ by this are one atom.
    fn together(&self, lattice: &Lattice, difference: &Vector3<f64>) -> bool {
        let difference = difference.map(wrap_half);
        let distance = lattice.to_cartesian(&difference).norm();
        distance < self.same || distance < self.split && difference.amax() <= self.rounding
    }

    /// Index of a bin, counted from zero in the cell before or in any after.
    fn head(&self, [i, j, k]: [usize; 3]) -> usize {
        let [a, b, c] = self.bins;
        ((i % a) * b + j % b) * c + k % c
    }
}
