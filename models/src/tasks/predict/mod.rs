//! Structure prediction: from a composition to a ranked list of crystals.
//!
//! Generators propose, the list is freed of repetitions by structure matching, ordered by how likely the proposals are,
//! and finished: space group, density, shortest distance, charge balance.

use std::sync::{Arc, OnceLock};

use cellwright_crystal::charge::{self, Balance};
use cellwright_crystal::{Composition, Structure, symmetry};

use crate::ModelError;
use crate::prototypes::Library;
use crate::prototypes::ranker::Ranker;

mod agreement;
mod generator;
mod prototypes;
mod types;

pub use agreement::{Kind, kinds, ordered};
pub use generator::{Draft, Generator};
pub use prototypes::{Prototypes, distinct};
pub use types::{Candidate, Prediction, Request, Source};

/// Atoms in a cell that is predicted at most.
pub const MOST_ATOMS: u64 = 500;

/// Tolerance with which the space group of a candidate is found (Å): that of the Materials Project.
const SYMPREC: f64 = 0.1;

static LIBRARY: &[u8] = include_bytes!("../../../weights/prototypes/library.bin");
static RANKER: &[u8] = include_bytes!("../../../weights/prototypes/ranker.safetensors");

/// Predicts structures. Built once, asked many times, from many threads.
#[derive(Debug, Clone)]
pub struct Predictor {
    prototypes: Arc<Prototypes>,
}

impl Predictor {
    /// With the library and the ranker that come with this program. They are read once.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn shipped() -> Result<Self, ModelError> {
        static READ: OnceLock<Arc<Prototypes>> = OnceLock::new();
        if let Some(prototypes) = READ.get() {
            return Ok(Self { prototypes: Arc::clone(prototypes) });
        }
        let prototypes = Prototypes {
            library: Library::from_bytes(LIBRARY)?,
            ranker: Some(Ranker::from_bytes(RANKER)?),
        };
        let prototypes = READ.get_or_init(|| Arc::new(prototypes));
        Ok(Self { prototypes: Arc::clone(prototypes) })
    }

    /// With other known structures.
    #[must_use]
    pub fn new(prototypes: Prototypes) -> Self {
        Self { prototypes: Arc::new(prototypes) }
    }

    /// The known structures.
    #[must_use]
    pub fn prototypes(&self) -> &Prototypes {
        &self.prototypes
    }

    /// The best candidates for a composition, the likeliest first. `progress` sees the list whenever it is better than
    /// before and says whether to go on.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] when the request makes no sense, [`ModelError::Cancelled`] when `progress` said stop.
    pub fn predict(
        &self,
        request: &Request,
        progress: &mut dyn FnMut(&[Candidate]) -> bool,
    ) -> Result<Prediction, ModelError> {
        request.validate()?;
        let composition = request.composition();
        let balance = charge::balance(&composition, 0.0);
        let charge_balanced = match balance {
            Balance::Neutral { .. } => Some(true),
            Balance::Charged { .. } => Some(false),
            Balance::Beyond(_) | Balance::Unknown(_) => None,
        };
        let (mut drafts, mut notes) = self.prototypes.generate(request)?;
        if let Balance::Charged { charge, .. } = balance {
            notes.push(format!(
                "no usual oxidation states make {} neutral (nearest: total charge {charge:+})",
                composition.formula()
            ));
        }
        if let Some(wanted) = request.space_group {
            let has = |draft: &Draft| symmetry::detect(&draft.structure, SYMPREC).map(|d| d.number);
            drafts.retain(|draft| has(draft) == Ok(wanted));
        }
        let drafts = distinct(drafts, request.answers);
        let candidates = drafts
            .into_iter()
            .map(|draft| request.finish(draft, charge_balanced))
            .collect::<Result<Vec<_>, _>>()?;
        if candidates.is_empty() && request.space_group.is_some() {
            notes.push("no candidate has the space group asked for".to_owned());
        }
        if !progress(&candidates) {
            return Err(ModelError::Cancelled);
        }
        Ok(Prediction { candidates, notes })
    }
}

impl Request {
    /// What cannot be asked.
    fn validate(&self) -> Result<(), ModelError> {
        let refused = |reason: String| Err(ModelError::Unsupported(reason));
        if self.composition.is_empty() || self.composition.iter().any(|(_, n)| *n == 0) {
            return refused(
                "a composition needs whole counts of elements, none of them zero".into(),
            );
        }
        if self.answers == 0 {
            return refused("at least one answer has to be asked for".into());
        }
        if self.units == Some(0) {
            return refused("a cell holds at least one formula unit".into());
        }
        if let Some(number) = self.space_group.filter(|n| !(1..=230).contains(n)) {
            return refused(format!("there is no space group {number}: they go from 1 to 230"));
        }
        let atoms: u64 = self.composition.iter().map(|(_, n)| u64::from(*n)).sum::<u64>()
            * u64::from(self.units.unwrap_or(1));
        if atoms > MOST_ATOMS && self.units.is_some() {
            return refused(format!(
                "a cell of {atoms} atoms is too large to be predicted: at most {MOST_ATOMS}"
            ));
        }
        Ok(())
    }

    /// How many reduced formula units the cell holds, where that was said.
    pub(super) fn reduced_units(&self) -> Option<u32> {
        let divisor = u32::try_from(self.composition().reduced().1).unwrap_or(u32::MAX);
        Some(self.units?.saturating_mul(divisor))
    }

    /// The counts as written.
    fn composition(&self) -> Composition {
        self.composition.iter().map(|(e, n)| (*e, f64::from(*n))).collect()
    }

    /// A draft with everything a user wants to know.
    fn finish(&self, draft: Draft, charge_balanced: Option<bool>) -> Result<Candidate, ModelError> {
        let Draft { mut structure, source, probability } = draft;
        let place = |site: &cellwright_crystal::Site| {
            self.composition.iter().position(|(e, _)| Some(*e) == site.element)
        };
        structure.sites.sort_by_key(place);
        let space_group = symmetry::detect(&structure, SYMPREC).ok().map(|d| (d.number, d.hm));
        let shortest = structure
            .closest_pair()
            .map_err(|e| ModelError::Data(e.to_string()))?
            .map(|pair| pair.distance);
        Ok(Candidate {
            units: units(&structure),
            density: structure.density(),
            source,
            probability,
            energy: None,
            space_group,
            shortest,
            charge_balanced,
            structure,
        })
    }
}

/// Reduced formula units in a cell.
fn units(structure: &Structure) -> u32 {
    u32::try_from(structure.composition().reduced().1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
