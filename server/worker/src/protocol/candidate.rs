//! Candidates of a prediction on the wire.

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
    pub source: Source,
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

impl From<Candidate> for CandidateLine {
    fn from(candidate: Candidate) -> Self {
        Self {
            structure: Cell::from_structure(&candidate.structure),
            units: candidate.units,
            source: candidate.source,
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
