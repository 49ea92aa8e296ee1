//! CHGNet: a charge-informed graph network potential (Deng et al., Nat. Mach. Intell. 5, 1031, 2023).
//!
//! The network and its weights are those of version 0.3.0, published with the Python package `chgnet` (github.com/CederGroupHub/chgnet);
//! energies, forces, stresses and moments agree with it to the rounding of single precision. Differences, all of them on purpose:
//! the volume of a left-handed cell is positive here, so its stress has the right sign; atoms without neighbours are treated and
//! named in a caution; structures that cannot be treated are refused with the reason.

use std::path::Path;

use candle_core::{Device, DeviceLocation};
use cellwright_crystal::Structure;

use crate::{Evaluation, ModelError, Potential, Provenance};

mod basis;
mod batch;
mod config;
mod evaluate;
mod graph;
mod layers;
mod network;
mod parameters;

use batch::{Batch, Crystal};
pub use config::Config;
use graph::Graph;
use network::Network;
use parameters::Parameters;

/// Directed bonds and angles of one batch: some 300 MB of intermediate results.
const BATCH_ROWS: usize = 50_000;

/// CHGNet 0.3.0 with its weights.
#[derive(Debug)]
pub struct Chgnet {
    device: Device,
    network: Network,
}

/// Sizes of the graph that the model sees, in the words of the reference program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphSize {
    /// Ordered pairs of atoms within 6 Å.
    pub directed_edges: usize,
    /// Unordered ones.
    pub bonds: usize,
    /// Ordered pairs of bonds within 3 Å that share an atom.
    pub angles: usize,
}

impl Chgnet {
    /// Loads converted weights (safetensors) from the data directory, see [`crate::weights`].
    ///
    /// # Errors
    /// [`ModelError::NotInstalled`] or [`ModelError::BadWeights`].
    pub fn load(dir: &Path, device: &Device) -> Result<Self, ModelError> {
        let mut parameters = Parameters::load(dir, device)?;
        let network = Network::load(&mut parameters, Config::V0_3_0)?;
        parameters.finish()?;
        Ok(Self { device: device.clone(), network })
    }

    /// The size of the graph of a structure.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] when it has none.
    pub fn graph_size(&self, structure: &Structure) -> Result<GraphSize, ModelError> {
        let graph = self.graph(structure)?;
        Ok(GraphSize {
            directed_edges: graph.directed.len(),
            bonds: graph.bonds.len(),
            angles: graph.angles.len(),
        })
    }

    /// The graph of a structure, if the model can treat it.
    fn graph(&self, structure: &Structure) -> Result<Graph, ModelError> {
        let unsupported = |reason: String| Err(ModelError::Unsupported(reason));
        let config = &self.network.config;
        if structure.is_empty() {
            return unsupported("the cell holds no atoms".to_owned());
        }
        for (i, site) in structure.sites.iter().enumerate() {
            let Some(element) = site.element else {
                return unsupported(format!("site {} is masked: its species is not known", i + 1));
            };
            if (site.occupancy - 1.0).abs() > 1e-6 {
                return unsupported(format!(
                    "site {} ({}) has occupancy {}: the model needs an ordered structure",
                    i + 1,
                    element.symbol(),
                    site.occupancy
                ));
            }
            if usize::from(element.z()) > config.elements {
                return unsupported(format!(
                    "site {} is {}: CHGNet knows the elements up to Pu (Z = {})",
                    i + 1,
                    element.symbol(),
                    config.elements
                ));
            }
        }
        let graph =
            Graph::new(structure, config).map_err(|e| ModelError::Unsupported(e.to_string()))?;
        if graph.shortest < SAME_PLACE {
            let pair = graph.directed.iter().find(|d| d.length < SAME_PLACE);
            let (i, j) = pair.map_or((0, 0), |d| (d.centre + 1, d.neighbor + 1));
            return unsupported(format!("sites {i} and {j} are at the same place"));
        }
        Ok(graph)
    }

    /// Evaluates crystals that can be treated; all share a fate if a tensor operation fails.
    fn run(&self, crystals: Vec<(usize, Crystal<'_>)>, results: &mut [Option<Outcome>]) {
        let (places, crystals): (Vec<_>, Vec<_>) = crystals.into_iter().unzip();
        match evaluate::evaluate(&self.network, &Batch::new(crystals), &self.device) {
            Ok(evaluations) => {
                for (place, evaluation) in places.into_iter().zip(evaluations) {
                    results[place] = Some(finite(evaluation));
                }
            }
            Err(error) => {
                let text = error.to_string();
                for place in places {
                    results[place] = Some(Err(candle_core::Error::msg(&text).into()));
                }
            }
        }
    }
}

type Outcome = Result<Evaluation, ModelError>;

/// Atoms closer than this (Å) have no direction between them.
const SAME_PLACE: f64 = 1e-6;

/// Refuses numbers that are none.
fn finite(evaluation: Evaluation) -> Outcome {
    let finite = evaluation.energy_per_atom.is_finite()
        && evaluation.forces.iter().flatten().chain(&evaluation.stress).all(|x| x.is_finite());
    if finite {
        Ok(evaluation)
    } else {
        Err(ModelError::Unsupported("the model gives no finite energy here".to_owned()))
    }
}

impl Potential for Chgnet {
    fn provenance(&self) -> Provenance {
        let device = match self.device.location() {
            DeviceLocation::Cpu => "cpu".to_owned(),
            DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
            DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
        };
        Provenance { model: "CHGNet".to_owned(), version: "0.3.0".to_owned(), device }
    }

    fn evaluate(&self, structures: &[&Structure]) -> Vec<Outcome> {
        let mut results: Vec<Option<Outcome>> = structures.iter().map(|_| None).collect();
        let (mut waiting, mut rows) = (Vec::new(), 0);
        for (place, structure) in structures.iter().enumerate() {
            let graph = match self.graph(structure) {
                Ok(graph) => graph,
                Err(error) => {
                    results[place] = Some(Err(error));
                    continue;
                }
            };
            let own = graph.directed.len() + graph.angles.len();
            if rows + own > BATCH_ROWS && !waiting.is_empty() {
                self.run(std::mem::take(&mut waiting), &mut results);
                rows = 0;
            }
            rows += own;
            let (frequencies, config) = (&self.network.frequencies, &self.network.config);
            waiting.push((place, Crystal::new(structure, graph, frequencies, config)));
        }
        if !waiting.is_empty() {
            self.run(waiting, &mut results);
        }
        let missing = || Err(ModelError::Unsupported("not evaluated".to_owned()));
        results.into_iter().map(|r| r.unwrap_or_else(missing)).collect()
    }
}
