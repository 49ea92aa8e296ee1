//! The network: atoms' features through blocks of attention and feed-forward, then the heads.

use candle_core::{Device, Result, Tensor};

use super::attention::{Attention, Surroundings, edge_grid};
use super::config::{Network, Pooling};
use super::graph::Graph;
use super::layers::{AtomNetwork, Normalise, ScalarHead, atom_grid};
use super::summary::Summary;
use crate::ModelError;
use crate::nn::parameters::{Named, Parameters, Tensors};
use crate::nn::random::Random;

/// What the network says.
#[derive(Debug, Clone)]
pub struct Output {
    /// Invariant numbers: (atoms, outputs) or, pooled, (crystals, outputs).
    pub scalars: Tensor,
    /// A vector for each atom, (atoms, 3), which turns with the crystal.
    pub vectors: Option<Tensor>,
}

impl Output {
    /// The vectors of a network that has them.
    ///
    /// # Errors
    /// When it has none.
    pub fn vectors(&self) -> std::result::Result<&Tensor, ModelError> {
        let none = || ModelError::Data("selfsup: this network knows no displacements".into());
        self.vectors.as_ref().ok_or_else(none)
    }
}

#[derive(Debug, Clone)]
struct Block {
    first: Normalise,
    attention: Attention,
    second: Normalise,
    network: AtomNetwork,
}

/// EquiformerV2 over given weights.
#[derive(Debug, Clone)]
pub struct Equiformer {
    config: Network,
    embedding: Tensor,
    surroundings: Surroundings,
    summary: Option<Summary>,
    blocks: Vec<Block>,
    norm: Normalise,
    scalars: ScalarHead,
    vectors: Option<Attention>,
}

/// Fresh trainable weights.
///
/// # Errors
/// When the device is out of memory.
pub fn parameters(config: &Network, random: &mut Random, device: &Device) -> Result<Parameters> {
    let Network { channels, elements, .. } = *config;
    let mut p = Parameters::new(device);
    p.embedding("sphere_embedding", [elements + 1, channels], random)?;
    Surroundings::parameters(&mut p, config, random)?;
    if config.summary {
        Summary::parameters(&mut p, config, random)?;
    }
    for i in 0..config.blocks {
        let name = |part: &str| format!("blocks.{i}.{part}");
        Normalise::parameters(&mut p, config, &name("norm_1"))?;
        Attention::parameters(&mut p, config, &name("ga"), channels, random)?;
        Normalise::parameters(&mut p, config, &name("norm_2"))?;
        AtomNetwork::parameters(&mut p, config, &name("ffn"), random)?;
    }
    Normalise::parameters(&mut p, config, "norm")?;
    ScalarHead::parameters(&mut p, config, "output_block", random)?;
    if config.vector {
        Attention::parameters(&mut p, config, "force_block", 1, random)?;
    }
    Ok(p)
}

impl Equiformer {
    /// Over named weights: the tensors of [`parameters`] for training, plain ones for the rest. The names are those of
    /// the authors' release.
    ///
    /// # Errors
    /// When the settings make no network, or a weight is missing, has another shape, or there are more.
    pub fn new(config: &Network, weights: &Tensors) -> std::result::Result<Self, ModelError> {
        config.check()?;
        let Network { channels, elements, .. } = *config;
        let mut named = Named::new(weights.clone());
        let named = &mut named;
        let (edges, atoms) = (edge_grid(config), atom_grid(config));
        let embedding = named.take("sphere_embedding.weight", &[elements + 1, channels])?;
        let surroundings = Surroundings::new(named, config)?;
        let summary = config.summary.then(|| Summary::new(named, config)).transpose()?;
        let blocks = (0..config.blocks)
            .map(|i| {
                let name = |part: &str| format!("blocks.{i}.{part}");
                Ok(Block {
                    first: Normalise::new(named, config, &name("norm_1"))?,
                    attention: Attention::new(named, config, &edges, &name("ga"), channels)?,
                    second: Normalise::new(named, config, &name("norm_2"))?,
                    network: AtomNetwork::new(named, config, &atoms, &name("ffn"))?,
                })
            })
            .collect::<std::result::Result<_, ModelError>>()?;
        let network = Self {
            config: config.clone(),
            embedding,
            surroundings,
            summary,
            blocks,
            norm: Normalise::new(named, config, "norm")?,
            scalars: ScalarHead::new(named, config, "output_block")?,
            vectors: config
                .vector
                .then(|| Attention::new(named, config, &edges, "force_block", 1))
                .transpose()?,
        };
        std::mem::replace(named, Named::new(Tensors::new())).finish()?;
        Ok(network)
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Network {
        &self.config
    }

    /// # Errors
    /// When shapes do not fit or the device is out of memory.
    pub fn forward(&self, graph: &Graph) -> Result<Output> {
        self.forward_observed(graph, &mut |_, _| ())
    }

    /// [`Self::forward`] that shows the features (atoms, (L + 1)², channels) after each stage: `embedding`, `block 0`,
    /// …, `norm`.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn forward_observed(
        &self,
        graph: &Graph,
        observe: &mut dyn FnMut(&str, &Tensor),
    ) -> Result<Output> {
        let around = self.surroundings.forward(graph)?;
        let (atoms, rows, channels) = around.dims3()?;
        let mut own = graph.of_elements(&self.embedding)?;
        if let Some(summary) = &self.summary {
            own = (own + summary.forward(graph, around.device())?)?;
        }
        let own = own.unsqueeze(1)?;
        let rest = Tensor::zeros((atoms, rows - 1, channels), own.dtype(), own.device())?;
        let mut x = (around + Tensor::cat(&[own, rest], 1)?)?;
        observe("embedding", &x);
        for (i, block) in self.blocks.iter().enumerate() {
            x = (&x + block.attention.forward(&block.first.forward(&x)?, graph)?)?;
            x = (&x + block.network.forward(&block.second.forward(&x)?)?)?;
            observe(&format!("block {i}"), &x);
        }
        let x = self.norm.forward(&x)?;
        observe("norm", &x);
        let scalars = self.pool(&self.scalars.forward(&x)?, graph)?;
        let vectors = self.vectors.as_ref().map(|head| {
            // The components of degree 1 are x, y, z.
            head.forward(&x, graph)?.narrow(1, 1, 3)?.contiguous()?.squeeze(2)
        });
        Ok(Output { scalars, vectors: vectors.transpose()? })
    }

    fn pool(&self, x: &Tensor, graph: &Graph) -> Result<Tensor> {
        match self.config.pooling {
            Pooling::None => Ok(x.clone()),
            Pooling::Mean => graph.sum_over_crystals(x, |atoms| 1.0 / atoms as f64),
            Pooling::Sum { divisor } => graph.sum_over_crystals(x, |_| 1.0 / divisor),
        }
    }
}
