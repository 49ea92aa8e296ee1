//! Candidates of a prediction on the wire.

use std::fmt;

use cellwright_models::tasks::predict::{AboveHull, Candidate, Relaxation, Source};
use serde::{Deserialize, Serialize};

use super::Cell;

/// [`Candidate`], same units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateLine {
    /// One cell.
    pub structure: Cell,
    /// Reduced formula units in the cell.
    pub units: u32,
    /// Where it comes from.
    pub source: SourceLine,
    /// Chance that this is the structure.
    pub probability: Option<f64>,
    /// eV/atom.
    pub energy_per_atom: Option<f64>,
    /// Distance from the hull of the known phases.
    #[serde(default)]
    pub above_hull: Option<AboveHull>,
    /// What relaxing did, where it was asked for.
    #[serde(default)]
    pub relaxation: Option<Relaxation>,
    /// Number and Hermann–Mauguin symbol.
    pub space_group: Option<(u16, String)>,
    /// g/cm³.
    pub density: f64,
    /// Å.
    pub shortest: Option<f64>,
    /// Whether usual oxidation states add up to zero.
    pub charge_balanced: Option<bool>,
}

/// [`Source`] on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SourceLine {
    /// A known crystal with other elements.
    Prototype {
        /// Identifier in its database.
        id: String,
        /// Its formula.
        formula: String,
    },
    /// A diffusion model.
    Diffusion {
        /// Name and version.
        model: String,
        /// Seed of its noise.
        seed: u64,
    },
    /// A random start, relaxed.
    Search {
        /// Seed of the start.
        seed: u64,
    },
}

impl From<Candidate> for CandidateLine {
    fn from(candidate: Candidate) -> Self {
        Self {
            structure: Cell::from_structure(&candidate.structure),
            units: candidate.units,
            source: candidate.source.into(),
            probability: candidate.probability,
            energy_per_atom: candidate.energy,
            above_hull: candidate.above_hull,
            relaxation: candidate.relaxation,
            space_group: candidate.space_group,
            density: candidate.density,
            shortest: candidate.shortest,
            charge_balanced: candidate.charge_balanced,
        }
    }
}

/// In words, as [`Source`].
impl fmt::Display for SourceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Source::from(self.clone()).fmt(f)
    }
}

impl From<SourceLine> for Source {
    fn from(source: SourceLine) -> Self {
        match source {
            SourceLine::Prototype { id, formula } => Self::Prototype { id, formula },
            SourceLine::Diffusion { model, seed } => Self::Diffusion { model, seed },
            SourceLine::Search { seed } => Self::Search { seed },
        }
    }
}

impl From<Source> for SourceLine {
    fn from(source: Source) -> Self {
        match source {
            Source::Prototype { id, formula } => Self::Prototype { id, formula },
            Source::Diffusion { model, seed } => Self::Diffusion { model, seed },
            Source::Search { seed } => Self::Search { seed },
        }
    }
}
