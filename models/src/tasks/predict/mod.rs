//! Structure prediction: from a composition to a ranked list of crystals.
//!
//! Generators propose, the list is freed of repetitions by structure matching, ordered by how likely the proposals are,
//! and finished: space group, density, shortest distance, charge balance.

use std::sync::{Arc, OnceLock};

use cellwright_crystal::charge::{self, Balance};
use cellwright_crystal::{Composition, Structure, symmetry};

use super::finish::{self, Reranker};
use crate::ModelError;
use crate::hull::{self, Energies, Hull, NoHull};
use crate::prototypes::Library;
use crate::prototypes::ranker::Ranker;

mod agreement;
mod diffusion;
mod distinct;
mod generator;
mod places;
mod polymorphs;
mod prototypes;
mod search;
mod types;

pub use agreement::{Kind, kinds, ordered};
pub use diffusion::Diffusion;
use diffusion::Learned;
pub use distinct::distinct;
pub use generator::{Draft, Generator};
pub(crate) use places::interleaved;
pub use prototypes::Prototypes;
pub use search::Search;
pub use types::{AboveHull, Candidate, Prediction, Relaxation, Request, Source};

/// Atoms in a cell that is predicted at most.
pub const MOST_ATOMS: u64 = 500;

/// Tolerance with which the space group of a candidate is found (Å): that of the Materials Project.
pub(crate) const SYMPREC: f64 = 0.1;

/// File of the known structures that come with this program.
pub static LIBRARY: &[u8] = include_bytes!("../../../weights/prototypes/library.bin");
static ENERGIES: &[u8] = include_bytes!("../../../weights/prototypes/energies.bin");
static RERANKER: &str = include_str!("../../../weights/prototypes/reranker.json");
static RANKER: &[u8] = include_bytes!("../../../weights/prototypes/ranker.safetensors");

/// Predicts structures. Built once, asked many times, from many threads.
#[derive(Debug, Clone)]
pub struct Predictor {
    prototypes: Arc<Prototypes>,
    diffusion: Learned,
    /// Of the crystals of the library.
    energies: Option<Arc<Energies>>,
    reranker: Option<Reranker>,
}

impl Predictor {
    /// With the library and the ranker that come with this program. They are read once.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn shipped() -> Result<Self, ModelError> {
        static READ: OnceLock<Predictor> = OnceLock::new();
        if let Some(predictor) = READ.get() {
            return Ok(predictor.clone());
        }
        let prototypes = Prototypes {
            library: Library::from_bytes(LIBRARY)?,
            ranker: Some(Ranker::from_bytes(RANKER)?),
        };
        let predictor = Self {
            prototypes: Arc::new(prototypes),
            diffusion: Learned::Shipped,
            // A library that was built anew is good for predictions before anybody has computed its energies.
            energies: Energies::from_bytes(ENERGIES, LIBRARY).ok().map(Arc::new),
            reranker: Some(Reranker::from_json(RERANKER)?),
        };
        Ok(READ.get_or_init(|| predictor).clone())
    }

    /// With other known structures, whose energies nobody knows yet.
    #[must_use]
    pub fn new(prototypes: Prototypes) -> Self {
        Self {
            prototypes: Arc::new(prototypes),
            diffusion: Learned::Nothing,
            energies: None,
            reranker: None,
        }
    }

    /// What ranks candidates again when their energies are known.
    #[must_use]
    pub fn reranker(&self) -> Option<&Reranker> {
        self.reranker.as_ref()
    }

    /// With this diffusion model instead of the one that it has.
    #[must_use]
    pub fn with_diffusion(self, model: Diffusion) -> Self {
        Self { diffusion: Learned::Given(Arc::new(model)), ..self }
    }

    /// With the energies of its known structures, which must be those of this library.
    #[must_use]
    pub fn with_energies(self, energies: Energies) -> Self {
        Self { energies: Some(Arc::new(energies)), ..self }
    }

    /// The known structures.
    #[must_use]
    pub fn prototypes(&self) -> &Prototypes {
        &self.prototypes
    }

    /// The best candidates for a composition, the likeliest first: known structures at once, then samples and random starts as
    /// far as the request wants them. `progress` sees the list whenever it is better than before; `cancelled` is asked now and
    /// then.
    ///
    /// Random starts come after `answers` candidates of other kinds: which of them are worth anything is known when they are
    /// finished ([`Self::finish`]).
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] when the request makes no sense, [`ModelError::Cancelled`].
    pub fn predict(
        &self,
        request: &Request,
        cancelled: &dyn Fn() -> bool,
        progress: &mut dyn FnMut(&[Candidate]),
    ) -> Result<Prediction, ModelError> {
        request.validate()?;
        let composition = request.composition();
        let balance = charge::balance(&composition, 0.0);
        let charge_balanced = balance.is_neutral();
        let mut prediction = Prediction::default();
        if let Balance::Charged { charge, .. } = balance {
            prediction.notes.push(format!(
                "no usual oxidation states make {} neutral (nearest: total charge {charge:+})",
                composition.formula()
            ));
        }
        let mut drafts: Vec<Draft> = Vec::new();
        for kind in [Kinds::Known, Kinds::Samples, Kinds::Starts] {
            if cancelled() {
                return Err(ModelError::Cancelled);
            }
            let (mut more, notes) = self.proposals(kind, request, drafts.is_empty(), cancelled)?;
            prediction.notes.extend(notes);
            if let Some(wanted) = request.space_group {
                let has =
                    |draft: &Draft| symmetry::detect(&draft.structure, SYMPREC).map(|d| d.number);
                more.retain(|draft| has(draft) == Ok(wanted));
            }
            if more.is_empty() {
                continue;
            }
            let most = match kind {
                Kinds::Known => request.answers,
                Kinds::Samples | Kinds::Starts => drafts.len() + more.len(),
            };
            drafts.extend(more);
            drafts = distinct(drafts, most);
            if kind == Kinds::Samples {
                let (ranked, others) = drafts.into_iter().partition(|d| d.source.is_known());
                drafts = interleaved(ranked, others);
                drafts.truncate(request.answers);
            }
            let candidate = |draft: &Draft| request.candidate(draft.clone(), charge_balanced);
            prediction.candidates = drafts.iter().map(candidate).collect();
            progress(&prediction.candidates);
        }
        if prediction.candidates.is_empty() {
            if request.space_group.is_some() {
                prediction.notes.push("no candidate has the space group asked for".to_owned());
            }
            progress(&[]);
        }
        Ok(prediction)
    }

    /// What the generator of one kind proposes. `nothing_yet` is whether no other kind proposed anything.
    fn proposals(
        &self,
        kind: Kinds,
        request: &Request,
        nothing_yet: bool,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(Vec<Draft>, Vec<String>), ModelError> {
        let search = Search { library: &self.prototypes.library };
        let generator: &dyn Generator = match kind {
            Kinds::Known => &*self.prototypes,
            Kinds::Samples if request.samples > 0 => &self.diffusion,
            Kinds::Starts if request.starts.map_or(nothing_yet, |starts| starts > 0) => &search,
            Kinds::Samples | Kinds::Starts => return Ok((Vec::new(), Vec::new())),
        };
        generator.generate(request, cancelled)
    }
}

/// Kinds of generators, the fastest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kinds {
    Known,
    Samples,
    Starts,
}

impl Predictor {
    /// The hull of the known structures at a composition.
    ///
    /// # Errors
    /// When there is none, see [`NoHull`].
    pub fn hull(&self, composition: &Composition) -> Result<Hull, NoHull> {
        let energies = self.energies.as_ref().ok_or(NoHull::NoEnergies)?;
        let phases = hull::phases(&self.prototypes.library, energies, composition);
        Hull::new(&phases, composition)
    }

    /// Gives the candidates of a prediction energies, relaxes them and ranks them again, see [`finish::finish`].
    ///
    /// # Errors
    /// As there.
    pub fn finish(
        &self,
        prediction: Prediction,
        request: &Request,
        options: &finish::Options,
        evaluate: &mut finish::Evaluate<'_>,
        progress: &mut dyn FnMut(&finish::Stage<'_>) -> bool,
    ) -> Result<Prediction, ModelError> {
        let hull = self.hull(&request.composition());
        let mut finished =
            finish::finish(prediction, hull, self.reranker.as_ref(), options, evaluate, progress)?;
        finished.candidates.truncate(request.answers);
        Ok(finished)
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
    pub(crate) fn candidate(&self, draft: Draft, charge_balanced: Option<bool>) -> Candidate {
        let Draft { mut structure, source, probability } = draft;
        let place = |site: &cellwright_crystal::Site| {
            self.composition.iter().position(|(e, _)| Some(*e) == site.element)
        };
        structure.sites.sort_by_key(place);
        let mut candidate = Candidate {
            units: units(&structure),
            density: 0.0,
            source,
            probability,
            energy: None,
            above_hull: None,
            relaxation: None,
            space_group: None,
            shortest: None,
            charge_balanced,
            structure: structure.clone(),
        };
        candidate.place(structure);
        candidate
    }
}

impl Candidate {
    /// Takes another structure of the same atoms, with what follows from it.
    pub(crate) fn place(&mut self, structure: Structure) {
        self.space_group = symmetry::detect(&structure, SYMPREC).ok().map(|d| (d.number, d.hm));
        // Coordinates that are no numbers have no distances.
        self.shortest = structure.closest_pair().ok().flatten().map(|pair| pair.distance);
        self.density = structure.density();
        self.structure = structure;
    }
}

/// Reduced formula units in a cell.
fn units(structure: &Structure) -> u32 {
    u32::try_from(structure.composition().reduced().1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
