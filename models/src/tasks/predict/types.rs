//! What is asked and what is answered.

use std::fmt;

use cellwright_crystal::{Element, Structure};
use serde::{Deserialize, Serialize};

use crate::hull::Hull;

/// A composition to be given a structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Elements and their counts, as the user wrote them: reduced, or those of a whole cell.
    pub composition: Vec<(Element, u32)>,
    /// How often the cell holds these counts, conventional (as in CIF) or primitive; none: whatever the library knows for such a
    /// formula, in primitive cells.
    pub units: Option<u32>,
    /// Only structures of this space group (International Tables number).
    pub space_group: Option<u16>,
    /// At most so many candidates.
    pub answers: usize,
    /// So many samples of a diffusion model.
    pub samples: usize,
    /// So many random starts, which are worth something once they are relaxed; none: as many as there are answers, if nothing
    /// else proposes anything.
    pub starts: Option<usize>,
    /// Seed of samples and starts.
    pub seed: u64,
}

/// Where a candidate comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// A known crystal whose elements were replaced.
    Prototype {
        /// Identifier in the database (`mp-…`).
        id: String,
        /// Formula of the known crystal.
        formula: String,
    },
    /// A diffusion model.
    Diffusion {
        /// Its name.
        model: String,
        /// Seed of its noise.
        seed: u64,
        /// How many of its samples are this structure, more or less.
        agreeing: usize,
        /// How many samples there were.
        samples: usize,
    },
    /// A random start, relaxed.
    Search {
        /// Seed of the start.
        seed: u64,
    },
}

impl Source {
    /// Whether it is a known crystal with other elements: these are the ones whose chances a ranker knows.
    #[must_use]
    pub fn is_known(&self) -> bool {
        matches!(self, Self::Prototype { .. })
    }
}

/// In words: `LiMnPO4 (mp-18997)`.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prototype { id, formula } => write!(f, "{formula} ({id})"),
            Self::Diffusion { model, agreeing, samples, .. } => {
                write!(f, "{model}, {agreeing} of {samples} samples")
            }
            Self::Search { seed } => write!(f, "a random search, seed {seed}"),
        }
    }
}

/// How far an energy is above the hull of the known phases ([`Hull`]).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AboveHull {
    /// eV/atom; below zero where it makes a new vertex.
    pub energy: f64,
    /// Known phases that the hull rests on.
    pub phases: usize,
}

/// What relaxing did to a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Relaxation {
    /// Steps taken; 0 where the structure is as it was.
    pub steps: usize,
    /// Whether forces and stress are below the tolerance (0.05 eV/Å, 0.05 eV of virial per atom).
    pub converged: bool,
    /// Change of the volume as a share of what it was.
    pub volume_change: f64,
}

/// One answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Every atom of one cell, in the order of the request.
    pub structure: Structure,
    /// Reduced formula units in the cell.
    pub units: u32,
    /// Where it comes from.
    pub source: Source,
    /// Chance that this is the structure (0 to 1), where a calibrated ranker gave one.
    pub probability: Option<f64>,
    /// Energy by the learned potential (eV/atom), where it was asked.
    pub energy: Option<f64>,
    /// How far that energy is above the hull, where there is one.
    pub above_hull: Option<AboveHull>,
    /// What relaxing did, where it was tried.
    pub relaxation: Option<Relaxation>,
    /// Number and Hermann–Mauguin symbol of the space group, where one was found (0.1 Å).
    pub space_group: Option<(u16, String)>,
    /// Mass density (g/cm³).
    pub density: f64,
    /// Shortest distance between atoms (Å).
    pub shortest: Option<f64>,
    /// Whether usual oxidation states of the elements add up to zero; none where the rule does not apply (metals).
    pub charge_balanced: Option<bool>,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Prediction {
    /// The likeliest first.
    pub candidates: Vec<Candidate>,
    /// What the user should know: no template, charges that cannot add up, elements never seen…
    pub notes: Vec<String>,
    /// The hull of the known phases at this composition, where energies were asked for and it is known.
    pub hull: Option<Hull>,
}
