//! CHGNet: a charge-informed graph network potential (Deng et al., Nat. Mach. Intell. 5, 1031, 2023).
//!
//! The network and its weights are those of version 0.3.0, published with the Python package `chgnet` (github.com/CederGroupHub/chgnet);
//! energies, forces, stresses and moments agree with it to the rounding of single precision. Differences, all of them on purpose:
//! the volume of a left-handed cell is positive here, so its stress has the right sign; atoms without neighbours are treated and
//! named in a caution; structures that cannot be treated are refused with the reason.

use std::path::Path;

use candle_core::Device;
use cellwright_crystal::{Element, Structure};

use crate::potential::{admit, apart, in_batches};
use crate::weights::{CHGNET, Installed};
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
        let mut parameters = Installed::open(&CHGNET, dir, device)?;
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
        let config = &self.network.config;
        let knows = |element: Element| usize::from(element.z()) <= config.elements;
        let range = format!("CHGNet knows the elements up to Pu (Z = {})", config.elements);
        admit(structure, knows, &range)?;
        let graph =
            Graph::new(structure, config).map_err(|e| ModelError::Unsupported(e.to_string()))?;
        apart(graph.directed.iter().map(|d| (d.centre, d.neighbor, d.length)))?;
        Ok(graph)
    }
}

impl Potential for Chgnet {
    fn provenance(&self) -> Provenance {
        Provenance::new("CHGNet", "0.3.0", &self.device)
    }

    fn evaluate(&self, structures: &[&Structure]) -> Vec<Result<Evaluation, ModelError>> {
        let (frequencies, config) = (&self.network.frequencies, &self.network.config);
        let prepare = |structure| {
            let graph = self.graph(structure)?;
            let rows = graph.directed.len() + graph.angles.len();
            Ok((Crystal::new(structure, graph, frequencies, config), rows))
        };
        let run = |crystals| evaluate::evaluate(&self.network, &Batch::new(crystals), &self.device);
        in_batches(structures, BATCH_ROWS, prepare, run)
    }
}
