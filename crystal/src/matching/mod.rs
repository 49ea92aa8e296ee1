//! Whether two structures are the same crystal, how far apart they are, and which atom answers to which.
//!
//! The meaning of every number is that of pymatgen's `StructureMatcher` (Ong et al., Comput. Mater. Sci.
//! 68, 314 (2013)), on which the benchmarks of structure prediction are built:
//!
//! 1. Each structure is reduced to its Niggli cell and, if [`Matcher::primitive`], to the primitive cell
//!    by averaging atoms that a translation maps onto each other within 0.25 Å per axis, which is Niggli
//!    reduced again. Cells with different numbers of sites, or of different kinds, do not match.
//! 2. If [`Matcher::scale`], both cells are scaled to the volume √(V₁V₂).
//! 3. Every basis of the first lattice whose lengths lie within a factor of 1 + ltol and whose angles lie
//!    within angle_tol of the second cell's is tried (mirrored ones too, so that a crystal matches its
//!    mirror image). Distances are measured in the cell whose six parameters are the means of the two.
//! 4. For each, every translation that puts a site of the rarest kind of one on that of the other is
//!    tried. If every site has a partner of its kind within a window of 2 · stol · (V/N)^⅓, sites are
//!    assigned to each other so that the sum of squared distances is least. The mean of the vectors
//!    between partners is then taken off all of them; the assignment is kept.
//! 5. The root mean square of what is left, divided by (V/N)^⅓, is the rms, the largest is the maximum.
//!
//! [`Matcher::rms`] finds the least rms and accepts it below stol; [`Matcher::fit`] asks for a maximum
//! below stol. So there may be an rms where nothing fits. The tolerances act on the first structure's
//! lattice, so that exchanging the two may decide otherwise in borderline cases.

use nalgebra::{Matrix3, Vector3};
use rayon::prelude::*;

use crate::neighbors::NeighborError;
use crate::reduction::ReductionError;
use crate::{LatticeError, Structure};

mod anonymous;
mod assignment;
mod frame;
mod group;
mod kind;
mod lll;
mod mapping;
mod periodic;
mod prepare;
mod primitive;
mod replacement;
mod search;

pub use anonymous::AnonymousMatch;
pub use kind::Kind;
pub use prepare::Prepared;

use search::{Goal, Room};

/// How alike two structures have to be, and how they are brought together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matcher {
    /// Relative tolerance of lengths: they may differ by a factor of 1 + ltol.
    pub ltol: f64,
    /// Tolerance of positions in units of (V/N)^⅓.
    pub stol: f64,
    /// Tolerance of angles (degrees).
    pub angle_tol: f64,
    /// Whether structures are reduced to primitive cells.
    pub primitive: bool,
    /// Whether structures are scaled to the same volume.
    pub scale: bool,
}

impl Default for Matcher {
    /// pymatgen's tolerances: 0.2, 0.3, 5°, primitive cells, scaled.
    fn default() -> Self {
        Self { ltol: 0.2, stol: 0.3, angle_tol: 5.0, primitive: true, scale: true }
    }
}

/// Why a structure cannot be matched with anything.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MatchError {
    /// A tolerance is NaN, negative or beyond what means anything.
    #[error(
        "{0} = {1} is not a tolerance: ltol and stol lie between 0 and 2, angle_tol between 0 and 90"
    )]
    Tolerance(&'static str, f64),
    /// There is no atom.
    #[error("the structure has no atoms")]
    Empty,
    /// A coordinate or an occupancy is NaN or infinite.
    #[error("a coordinate or the occupancy of site {0} is not a finite number")]
    NotFinite(usize),
    /// A coordinate is so large that its digits no longer place the atom.
    #[error("site {0} lies more than 500 million cells away from the origin")]
    TooFar(usize),
    /// The cell is too small for its atoms (Å³ per atom).
    #[error("{0:.1e} Å³ per atom is no crystal")]
    Volume(f64),
    /// The reduced cell is this many times longer than wide.
    #[error("the cell is {0:.0} times longer than wide")]
    Elongated(f64),
    /// The lattice cannot be reduced.
    #[error(transparent)]
    Reduction(#[from] ReductionError),
    /// The reduced vectors are no lattice.
    #[error(transparent)]
    Lattice(#[from] LatticeError),
    /// Sites that share a place could not be looked for.
    #[error(transparent)]
    Neighbors(#[from] NeighborError),
}

/// How one structure lies on another.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// Root mean square distance between partners, in units of (V/N)^⅓.
    pub rms: f64,
    /// Largest distance between partners, in the same units.
    pub max: f64,
    /// For each site of the first reduced cell, its partner in the second one. What sites of the
    /// structures these are, [`Prepared::members`] knows.
    pub partners: Vec<usize>,
    /// Rows: the first reduced lattice's vectors that lie on those of the second; determinant ±1.
    pub basis: Matrix3<i32>,
    /// What takes the second structure's fractional coordinates to those of the first in this basis.
    pub translation: Vector3<f64>,
}

impl Matcher {
    /// Reduces a structure once, so that it can be matched many times.
    ///
    /// # Errors
    /// When the tolerances or the structure make no sense, see [`MatchError`].
    pub fn prepare(&self, structure: &Structure) -> Result<Prepared, MatchError> {
        let tolerances = [
            ("ltol", self.ltol, 2.0),
            ("stol", self.stol, 2.0),
            ("angle_tol", self.angle_tol, 90.0),
        ];
        for (name, value, most) in tolerances {
            if !(0.0..=most).contains(&value) {
                return Err(MatchError::Tolerance(name, value));
            }
        }
        Prepared::new(self, structure)
    }

    /// [`Self::prepare`] for many structures, on all processors.
    #[must_use]
    pub fn prepare_all(&self, structures: &[Structure]) -> Vec<Result<Prepared, MatchError>> {
        structures.par_iter().map(|structure| self.prepare(structure)).collect()
    }

    /// The match with the least rms, if that is below stol.
    #[must_use]
    pub fn rms(&self, first: &Prepared, second: &Prepared) -> Option<Match> {
        Room::with(|room| search::exact(self, room, first, second, Goal::LeastRms))
    }

    /// [`Self::rms`] for many pairs, on all processors.
    #[must_use]
    pub fn rms_all(&self, pairs: &[(&Prepared, &Prepared)]) -> Vec<Option<Match>> {
        pairs.par_iter().map(|(first, second)| self.rms(first, second)).collect()
    }

    /// Whether the structures can be laid on each other with no two partners farther apart than stol.
    #[must_use]
    pub fn fit(&self, first: &Prepared, second: &Prepared) -> bool {
        Room::with(|room| search::exact(self, room, first, second, Goal::AnyFit)).is_some()
    }

    /// The match with the least rms when the elements of the first structure may be replaced by those of
    /// the second, each by one of its own; of replacements with the same rms (to 1e-8), the one that
    /// changes electronegativities least.
    #[must_use]
    pub fn rms_anonymous(&self, first: &Prepared, second: &Prepared) -> Option<AnonymousMatch> {
        Room::with(|room| anonymous::search(self, room, first, second, anonymous::Goal::LeastRms))
    }

    /// Like [`Self::fit`] when elements may be replaced: of all replacements that fit, the one that changes
    /// electronegativities least, Σ n (χ − χ′)² over the atoms of the first cell.
    #[must_use]
    pub fn fit_anonymous(&self, first: &Prepared, second: &Prepared) -> Option<AnonymousMatch> {
        Room::with(|room| anonymous::search(self, room, first, second, anonymous::Goal::Fit))
    }

    /// Of all replacements of elements with an rms below stol, the one that changes electronegativities
    /// least (pymatgen's `get_best_electronegativity_anonymous_mapping`).
    #[must_use]
    pub fn substitution(&self, first: &Prepared, second: &Prepared) -> Option<AnonymousMatch> {
        Room::with(|room| anonymous::search(self, room, first, second, anonymous::Goal::Rms))
    }

    /// Classes of structures that [`fit`](Self::fit) the first one of their class: indices, ascending, the
    /// classes in order of their first members. Runs on all processors.
    #[must_use]
    pub fn group(&self, structures: &[Prepared]) -> Vec<Vec<usize>> {
        group::group(structures, Prepared::signature, |a, b| self.fit(a, b))
    }

    /// Classes of structures that are the same prototype: [`fit_anonymous`](Self::fit_anonymous) in place
    /// of `fit`.
    #[must_use]
    pub fn group_anonymous(&self, structures: &[Prepared]) -> Vec<Vec<usize>> {
        let fits = |a: &Prepared, b: &Prepared| self.fit_anonymous(a, b).is_some();
        group::group(structures, Prepared::anonymous_signature, fits)
    }
}

#[cfg(test)]
mod tests;
