//! What every atom is told of its whole crystal: which species it holds in which shares, and its volume per atom.
//!
//! Not in the publication. Stoichiometry and volume say much of a masked species, and an atom that sees its nearest
//! neighbours only, all of them displaced, knows neither; the cell itself carries no noise.

use candle_core::{Device, Result, Tensor};
use cellwright_crystal::Lattice;

use super::config::Network;
use super::graph::Graph;
use super::layers::{Affine, silu};
use crate::ModelError;
use crate::nn::parameters::{Named, Parameters};
use crate::nn::random::Random;

/// Edges of a cube with the volume of one atom (Å): the range that is resolved.
const LENGTHS: [f64; 2] = [1.5, 4.5];

/// Gaussians of the edge of a cube as large as the volume per atom, (crystals, gaussians), by row.
pub(super) fn volumes(config: &Network, cells: &[(&Lattice, usize)]) -> Vec<f64> {
    let count = config.gaussians;
    let [least, most] = LENGTHS;
    let spacing = (most - least) / (count - 1) as f64;
    let row = |(lattice, atoms): &(&Lattice, usize)| {
        let length = (lattice.volume() / *atoms as f64).cbrt().clamp(least, most);
        let place = (length - least) / spacing;
        (0..count).map(move |k| (-0.125 * (place - k as f64).powi(2)).exp()).collect::<Vec<_>>()
    };
    cells.iter().flat_map(row).collect()
}

/// A network of shares of species and volume.
#[derive(Debug, Clone)]
pub(super) struct Summary {
    table: Tensor,
    volume: Affine,
    layers: [Affine; 2],
}

impl Summary {
    const NAME: &'static str = "summary";

    pub(super) fn parameters(
        p: &mut Parameters,
        config: &Network,
        random: &mut Random,
    ) -> Result<()> {
        let Network { channels, feed_forward_hidden: width, gaussians, elements, .. } = *config;
        let name = |part: &str| format!("{}.{part}", Self::NAME);
        p.embedding(&name("species"), [elements + 1, width], random)?;
        p.linear(&name("volume"), [width, gaussians], true, random)?;
        p.linear(&name("first"), [width, width], true, random)?;
        p.linear(&name("second"), [channels, width], true, random)
    }

    pub(super) fn new(
        named: &mut Named,
        config: &Network,
    ) -> std::result::Result<Self, ModelError> {
        let Network { channels, feed_forward_hidden: width, gaussians, elements, .. } = *config;
        let name = |part: &str| format!("{}.{part}", Self::NAME);
        Ok(Self {
            table: named.take(&name("species.weight"), &[elements + 1, width])?,
            volume: Affine::new(named, &name("volume"), [width, gaussians])?,
            layers: [
                Affine::new(named, &name("first"), [width, width])?,
                Affine::new(named, &name("second"), [channels, width])?,
            ],
        })
    }

    /// (atoms, channels): for all atoms of a crystal the same.
    pub(super) fn forward(&self, graph: &Graph, device: &Device) -> Result<Tensor> {
        let Some(volumes) = &graph.volumes else {
            candle_core::bail!("this graph was made without the volumes of its crystals")
        };
        let species = graph.of_elements(&self.table)?;
        let shares = graph.sum_over_crystals(&species, |atoms| 1.0 / atoms as f64)?;
        let [first, second] = &self.layers;
        let x = silu(&(shares + self.volume.forward(volumes)?)?)?;
        let x = second.forward(&silu(&first.forward(&x)?)?)?;
        x.index_select(&graph.crystals.tensor(device)?, 0)
    }
}
