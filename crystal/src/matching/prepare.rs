//! A structure made ready to be matched: positions instead of rows, reduced cell, sites sorted by kind.

use std::ops::Range;

use nalgebra::{Matrix3, Vector3};

use crate::reduction::niggli;
use crate::{Lattice, Structure};

use super::kind::{Kind, positions};
use super::primitive::{Cell, primitive};
use super::{MatchError, Matcher};

/// A structure ready to be matched any number of times: primitive and Niggli reduced as the [`Matcher`]
/// asks, its sites sorted by what sits on them. Made by [`Matcher::prepare`].
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The reduced lattice.
    pub(super) lattice: Lattice,
    pub(super) lengths: [f64; 3],
    pub(super) angles: [f64; 3],
    /// What sits on the sites, each kind once.
    pub(super) kinds: Vec<Kind>,
    /// The sites of each kind.
    pub(super) groups: Vec<Range<usize>>,
    /// Fractional coordinates in the reduced lattice.
    pub(super) frac: Vec<Vector3<f64>>,
    /// The kind whose sites translations are taken from: the rarest.
    pub(super) anchor: usize,
    /// Sites of the structure that each reduced site stands for.
    members: Vec<Vec<usize>>,
}

/// Coordinates beyond this have lost the digits that place the atom in its cell.
const FARTHEST: f64 = 5e8;

/// Volume per position (Å³) below which nothing is a crystal: hydrogen at 500 GPa has a hundred times more.
const LEAST_VOLUME: f64 = 1e-2;

/// Ratio of the longest to the shortest reduced lattice vector above which a cell is not searched.
const MOST_ELONGATED: f64 = 500.0;

/// Tolerance of the Niggli reduction relative to the cube root of the volume.
const NIGGLI_TOLERANCE: f64 = 1e-5;

impl Prepared {
    pub(super) fn new(matcher: &Matcher, structure: &Structure) -> Result<Self, MatchError> {
        for (i, site) in structure.sites.iter().enumerate() {
            if !(site.frac.iter().all(|x| x.is_finite()) && site.occupancy.is_finite()) {
                return Err(MatchError::NotFinite(i));
            }
            if site.frac.amax() > FARTHEST {
                return Err(MatchError::TooFar(i));
            }
        }
        let positions = positions(structure)?;
        if positions.is_empty() {
            return Err(MatchError::Empty);
        }
        let volume = structure.lattice.volume() / positions.len() as f64;
        if volume < LEAST_VOLUME {
            return Err(MatchError::Volume(volume));
        }
        // Kinds in the order of their names; sites of a kind stay in the order given.
        let names: Vec<_> = positions.iter().map(|p| p.kind.to_string()).collect();
        let mut order: Vec<usize> = (0..positions.len()).collect();
        order.sort_by(|&i, &j| {
            names[i].cmp(&names[j]).then_with(|| positions[i].kind.cmp(&positions[j].kind))
        });
        let same = |i: &usize, j: &usize| positions[*i].kind == positions[*j].kind;
        let mut groups: Vec<Range<usize>> = Vec::new();
        let mut kinds = Vec::new();
        for chunk in order.chunk_by(same) {
            let start = groups.last().map_or(0, |group| group.end);
            groups.push(start..start + chunk.len());
            kinds.push(positions[chunk[0]].kind.clone());
        }

        let frac = order.iter().map(|&i| structure.sites[positions[i].sites[0]].frac);
        let mut cell = Cell {
            rows: *structure.lattice.matrix(),
            frac: frac.collect(),
            groups,
            members: order.iter().map(|&i| vec![i]).collect(),
        };
        reduce(&mut cell)?;
        let smaller = if matcher.primitive { primitive(&cell) } else { None };
        let rarest = |groups: &[Range<usize>]| groups.iter().map(Range::len).min();
        let anchor = match smaller {
            Some(smaller) => {
                cell = smaller;
                reduce(&mut cell)?;
                let least = rarest(&cell.groups);
                cell.groups.iter().position(|group| Some(group.len()) == least)
            }
            // Sites keep the order of the structure here, so the first of the rare ones counts.
            None => {
                let least = rarest(&cell.groups);
                let first = |k: &usize| order[cell.groups[*k].start];
                let rare = |k: &usize| Some(cell.groups[*k].len()) == least;
                (0..cell.groups.len()).filter(rare).min_by_key(first)
            }
        };
        let lattice = Lattice::from_rows(cell.rows)?;
        let lengths = lattice.lengths();
        let ratio = lengths.into_iter().fold(0.0, f64::max)
            / lengths.into_iter().fold(f64::INFINITY, f64::min);
        if ratio > MOST_ELONGATED {
            return Err(MatchError::Elongated(ratio));
        }
        let sites_of = |members: &Vec<usize>| {
            let mut sites: Vec<_> =
                members.iter().flat_map(|&i| positions[i].sites.iter().copied()).collect();
            sites.sort_unstable();
            sites
        };
        Ok(Self {
            lattice,
            lengths,
            angles: lattice.angles(),
            kinds,
            members: cell.members.iter().map(sites_of).collect(),
            groups: cell.groups,
            frac: cell.frac,
            anchor: anchor.unwrap_or(0),
        })
    }

    /// Number of sites of the reduced cell.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frac.len()
    }

    /// Whether the reduced cell holds no site; it always holds one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frac.is_empty()
    }

    /// The reduced lattice.
    #[must_use]
    pub fn lattice(&self) -> &Lattice {
        &self.lattice
    }

    /// What sits on the sites, each kind once, with how many sites of the reduced cell it has.
    pub fn kinds(&self) -> impl ExactSizeIterator<Item = (&Kind, usize)> {
        self.kinds.iter().zip(self.groups.iter().map(Range::len))
    }

    /// Fractional coordinates of a site of the reduced cell.
    #[must_use]
    pub fn frac(&self, site: usize) -> &Vector3<f64> {
        &self.frac[site]
    }

    /// Sites of the structure that was prepared, ascending, which a site of the reduced cell stands for:
    /// its copies in the larger cell, and the rows of a mixed site.
    #[must_use]
    pub fn members(&self, site: usize) -> &[usize] {
        &self.members[site]
    }
}

/// The same sites in the Niggli cell.
fn reduce(cell: &mut Cell) -> Result<(), MatchError> {
    let reduced = niggli(&Lattice::from_rows(cell.rows)?, NIGGLI_TOLERANCE)?;
    if reduced.transform == Matrix3::identity() {
        return Ok(());
    }
    cell.rows = *reduced.lattice.matrix();
    // x = f L = f' (T L), so f = f' T.
    let inverse = inverse(&reduced.transform);
    for frac in &mut cell.frac {
        *frac = inverse.tr_mul(frac);
    }
    Ok(())
}

/// Inverse of a matrix of whole numbers with determinant ±1, exactly.
pub(super) fn inverse(m: &Matrix3<i32>) -> Matrix3<f64> {
    let m = m.map(f64::from);
    let [a, b, c] = [0, 1, 2].map(|i| m.row(i).transpose());
    let det = a.dot(&b.cross(&c));
    Matrix3::from_columns(&[b.cross(&c), c.cross(&a), a.cross(&b)]) / det
}
