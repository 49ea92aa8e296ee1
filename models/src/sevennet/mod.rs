//! SevenNet-0: an equivariant graph network potential (Park et al., J. Chem. Theory Comput. 20, 4857, 2024), which is NequIP
//! (Batzner et al., Nat. Commun. 13, 2453, 2022) trained on relaxations of the Materials Project.
//!
//! Written from these publications and held against the numbers of the reference program, with which energies, forces and
//! stresses agree to the rounding of single precision. The weights are those of July 2024 that the Python package `sevenn`
//! ships; they stay where the user's own package client has put them, under the licence of their authors.
//!
//! What it is for here: its stresses are more accurate than those of [`crate::chgnet`].

use std::path::Path;

use candle_core::Device;
use cellwright_crystal::Structure;

use crate::potential::{admit, apart, in_batches};
use crate::weights::{Installed, SEVENNET};
use crate::{Evaluation, ModelError, Potential, Provenance};

mod convolution;
mod edges;
mod evaluate;
mod layers;
mod network;
mod paths;

use edges::edges;
use evaluate::Crystal;
use network::{Network, is_known, species};

/// Pairs of one batch: more at once do not stay in the caches and take longer, pair by pair.
const BATCH_PAIRS: usize = 2_000;

/// Pairs of the largest crystal that is tried.
const MOST_PAIRS: usize = 50_000;

/// Memory that one of them takes while its crystal is evaluated (bytes): measured at 27 to 729 atoms.
const BYTES_PER_PAIR: usize = 38_000;

/// SevenNet-0 with its weights.
#[derive(Debug)]
pub struct Sevennet {
    device: Device,
    network: Network,
}

impl Sevennet {
    /// Loads converted weights (safetensors) from the data directory, see [`crate::weights`].
    ///
    /// # Errors
    /// [`ModelError::NotInstalled`] or [`ModelError::BadWeights`].
    pub fn load(dir: &Path, device: &Device) -> Result<Self, ModelError> {
        let mut parameters = Installed::open(&SEVENNET, dir, device)?;
        let network = Network::load(&mut parameters)?;
        parameters.finish()?;
        Ok(Self { device: device.clone(), network })
    }

    fn prepare<'a>(&self, structure: &'a Structure) -> Result<(Crystal<'a>, usize), ModelError> {
        let range = "SevenNet-0 knows the elements up to Pu without Po, At, Rn, Fr and Ra";
        admit(structure, is_known, range)?;
        let unsupported = |reason: String| ModelError::Unsupported(reason);
        let edges = edges(structure)
            .map_err(|e| unsupported(format!("no neighbours can be found: {e}")))?;
        if edges.len() > MOST_PAIRS {
            return Err(unsupported(format!(
                "{} pairs of atoms within 5 Å would take about {} GB of memory: try a smaller cell",
                edges.len(),
                edges.len() * BYTES_PER_PAIR / 1_000_000_000
            )));
        }
        apart(edges.iter().map(|e| (e.centre, e.neighbor, e.length)))?;
        let species = structure.sites.iter().filter_map(|s| species(s.element?)).collect();
        let pairs = edges.len();
        Ok((Crystal { structure, species, edges }, pairs))
    }
}

impl Potential for Sevennet {
    fn provenance(&self) -> Provenance {
        Provenance::new("SevenNet-0", SEVENNET.version, &self.device)
    }

    fn evaluate(&self, structures: &[&Structure]) -> Vec<Result<Evaluation, ModelError>> {
        let run =
            |crystals: Vec<Crystal<'_>>| evaluate::evaluate(&self.network, &crystals, &self.device);
        in_batches(structures, BATCH_PAIRS, |s| self.prepare(s), run)
    }
}
