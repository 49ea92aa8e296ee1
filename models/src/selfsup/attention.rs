//! The attention of an atom to its neighbours, and the functions of an edge's length and elements that weigh it.

use std::sync::Arc;

use candle_core::{D, Result, Tensor};

use super::config::{Network, Sphere};
use super::graph::Graph;
use super::layers::{Affine, DegreeLinear, silu};
use crate::ModelError;
use crate::nn::gather::{Term, gather_sum};
use crate::nn::index::Index;
use crate::nn::norm::LayerNorm;
use crate::nn::parameters::{Named, Parameters};
use crate::nn::random::Random;
use crate::nn::so3::convolution::Convolution;
use crate::nn::so3::grid::Grid;
use crate::nn::so3::layout::Layout;
use crate::nn::so3::rotate::{to_atoms, to_edges};
use crate::nn::so3::sphere::SphereActivation;
use crate::nn::softmax::softmax;

/// Embeddings of elements on edges begin within this, as the release has it.
const EMBEDDING: f64 = 1e-3;

/// Slope of the attention's activation for negative numbers.
const LEAK: f64 = 0.2;

/// A network of an edge's length and the elements of its ends: two hidden layers with normalisation.
#[derive(Debug, Clone)]
pub(super) struct Radial {
    gaussians: Tensor,
    /// The first layer of the embedded elements, of the source with the bias, and of the target: (elements + 1, width).
    source: Tensor,
    target: Tensor,
    norms: [LayerNorm; 2],
    second: Affine,
    last: Affine,
}

impl Radial {
    /// `embeddings` is where the embeddings of the elements are, `name` where the layers.
    pub(super) fn parameters(
        p: &mut Parameters,
        config: &Network,
        [embeddings, name]: [&str; 2],
        out: usize,
        random: &mut Random,
    ) -> Result<()> {
        let Network { edge_channels: width, gaussians, elements, .. } = *config;
        for end in ["source", "target"] {
            let name = format!("{embeddings}.{end}_embedding.weight");
            p.uniform(&name, &[elements + 1, width], EMBEDDING, random)?;
        }
        p.linear(&format!("{name}.net.0"), [width, gaussians + 2 * width], true, random)?;
        p.norm(&format!("{name}.net.1"), width)?;
        p.linear(&format!("{name}.net.3"), [width, width], true, random)?;
        p.norm(&format!("{name}.net.4"), width)?;
        p.linear(&format!("{name}.net.6"), [out, width], true, random)
    }

    pub(super) fn new(
        named: &mut Named,
        config: &Network,
        [embeddings, name]: [&str; 2],
        out: usize,
    ) -> std::result::Result<Self, ModelError> {
        let Network { edge_channels: width, gaussians, elements, .. } = *config;
        let mut embedding = |end: &str| {
            named.take(&format!("{embeddings}.{end}_embedding.weight"), &[elements + 1, width])
        };
        let (source, target) = (embedding("source")?, embedding("target")?);
        let inner = gaussians + 2 * width;
        let first = named.take(&format!("{name}.net.0.weight"), &[width, inner])?;
        let bias = named.take(&format!("{name}.net.0.bias"), &[width])?;
        let part = |from: usize, count: usize| first.narrow(1, from, count)?.t()?.contiguous();
        let mut norm = |i: usize| {
            let gain = named.take(&format!("{name}.net.{i}.weight"), &[width])?;
            let offset = named.take(&format!("{name}.net.{i}.bias"), &[width])?;
            Ok::<_, ModelError>(LayerNorm { gain, offset })
        };
        Ok(Self {
            gaussians: part(0, gaussians)?,
            source: source.matmul(&part(gaussians, width)?)?.broadcast_add(&bias)?,
            target: target.matmul(&part(gaussians + width, width)?)?,
            norms: [norm(1)?, norm(4)?],
            second: Affine::new(named, &format!("{name}.net.3"), [width, width])?,
            last: Affine::new(named, &format!("{name}.net.6"), [out, width])?,
        })
    }

    /// (edges, out).
    pub(super) fn forward(&self, graph: &Graph) -> Result<Tensor> {
        let lengths = graph.gaussians.matmul(&self.gaussians)?;
        let [(source, of_source), (target, of_target)] =
            graph.of_ends([&self.source, &self.target])?;
        let terms = vec![Term::own_rows(0), Term::new(1, 0, of_source), Term::new(2, 0, of_target)];
        let (rows, width) = lengths.dims2()?;
        let x = gather_sum([&lengths, &source, &target], terms, rows, width)?;
        let x = silu(&self.norms[0].forward(&x)?)?;
        let x = silu(&self.norms[1].forward(&self.second.forward(&x)?)?)?;
        self.last.forward(&x)
    }
}

/// How many edges an atom has and in which directions: the first features of an atom beside its element.
#[derive(Debug, Clone)]
pub(super) struct Surroundings {
    radial: Radial,
    rows: usize,
    scale: f64,
}

impl Surroundings {
    const NAMES: [&'static str; 2] = ["edge_degree_embedding", "edge_degree_embedding.rad_func"];

    pub(super) fn parameters(
        p: &mut Parameters,
        config: &Network,
        random: &mut Random,
    ) -> Result<()> {
        Radial::parameters(p, config, Self::NAMES, (config.lmax + 1) * config.channels, random)
    }

    pub(super) fn new(
        named: &mut Named,
        config: &Network,
    ) -> std::result::Result<Self, ModelError> {
        let rows = config.lmax + 1;
        let radial = Radial::new(named, config, Self::NAMES, rows * config.channels)?;
        Ok(Self { radial, rows, scale: 1.0 / config.degree })
    }

    pub(super) fn forward(&self, graph: &Graph) -> Result<Tensor> {
        let x = self.radial.forward(graph)?;
        let (edges, columns) = x.dims2()?;
        // Around its own axis an edge looks the same: only m = 0.
        let x = x.reshape((edges, self.rows, columns / self.rows))?;
        to_atoms(&x, &graph.frames, &graph.target)? * self.scale
    }
}

/// One attention layer.
#[derive(Debug, Clone)]
pub(super) struct Attention {
    radial: Radial,
    first: Convolution,
    first_weights: Tensor,
    activation: SphereActivation,
    second: Convolution,
    second_weights: Tensor,
    norm: LayerNorm,
    /// (heads, alpha channels).
    dot: Tensor,
    projection: DegreeLinear,
}

/// The grid for the features of edges.
pub(super) fn edge_grid(config: &Network) -> Grid {
    let layout = Layout { lmax: config.lmax, mmax: config.mmax };
    match config.sphere {
        Sphere::Published => Grid::published_of_edges(layout),
        // Measured: errors under rotation of 1e-8 at M = 1, 1e-7 to 4e-6 at M = 2 and L = 2 to 4. How many polar
        // angles there are does not matter for them.
        Sphere::Fine => Grid::of_edges(layout, config.lmax + 1, 4 * config.mmax + 6),
    }
}

/// Both convolutions of an attention layer.
fn convolutions(config: &Network) -> [Convolution; 2] {
    let layout = Layout { lmax: config.lmax, mmax: config.mmax };
    let Network { channels, attention_hidden: hidden, heads, .. } = *config;
    let extra = heads * config.alpha_channels + hidden;
    let first = Convolution { layout, input: 2 * channels, output: hidden, extra };
    let second =
        Convolution { layout, input: hidden, output: heads * config.value_channels, extra: 0 };
    [first, second]
}

fn take_convolution(
    named: &mut Named,
    name: &str,
    convolution: Convolution,
) -> std::result::Result<Tensor, ModelError> {
    let shape = convolution.weight_shape(0);
    let mut weights = vec![named.take(&format!("{name}.fc_m0.weight"), &shape)?];
    let bias = named.take(&format!("{name}.fc_m0.bias"), &shape[..1])?;
    for m in 1..=convolution.layout.mmax {
        let name = format!("{name}.so2_m_conv.{}.fc.weight", m - 1);
        weights.push(named.take(&name, &convolution.weight_shape(m))?);
    }
    Ok(convolution.join(&weights, &bias)?)
}

impl Attention {
    pub(super) fn parameters(
        p: &mut Parameters,
        config: &Network,
        name: &str,
        out: usize,
        random: &mut Random,
    ) -> Result<()> {
        let [first, second] = convolutions(config);
        let part = |part: &str| format!("{name}.{part}");
        let weights = first.layout.pairs() * first.input;
        Radial::parameters(p, config, [name, &part("so2_conv_1.rad_func")], weights, random)?;
        for (which, convolution) in [("so2_conv_1", first), ("so2_conv_2", second)] {
            let name = part(which);
            p.linear(&format!("{name}.fc_m0"), convolution.weight_shape(0), true, random)?;
            for m in 1..=convolution.layout.mmax {
                let name = format!("{name}.so2_m_conv.{}.fc", m - 1);
                p.linear(&name, convolution.weight_shape(m), false, random)?;
            }
        }
        p.norm(&part("alpha_norm"), config.alpha_channels)?;
        let shape = [config.heads, config.alpha_channels];
        let bound = 1.0 / (config.alpha_channels as f64).sqrt();
        p.uniform(&part("alpha_dot"), &shape, bound, random)?;
        DegreeLinear::parameters(p, &part("proj"), config.lmax, [out, second.output], random)
    }

    pub(super) fn new(
        named: &mut Named,
        config: &Network,
        grid: &Grid,
        name: &str,
        out: usize,
    ) -> std::result::Result<Self, ModelError> {
        let [first, second] = convolutions(config);
        let Network { heads, alpha_channels, attention_hidden: hidden, .. } = *config;
        let part = |part: &str| format!("{name}.{part}");
        let weights = first.layout.pairs() * first.input;
        let radial = Radial::new(named, config, [name, &part("so2_conv_1.rad_func")], weights)?;
        let norm = LayerNorm {
            gain: named.take(&part("alpha_norm.weight"), &[alpha_channels])?,
            offset: named.take(&part("alpha_norm.bias"), &[alpha_channels])?,
        };
        let alphas = heads * alpha_channels;
        Ok(Self {
            radial,
            first,
            first_weights: take_convolution(named, &part("so2_conv_1"), first)?,
            activation: SphereActivation::new(grid.clone(), hidden, alphas, first.extra),
            second,
            second_weights: take_convolution(named, &part("so2_conv_2"), second)?,
            norm,
            dot: named.take(&part("alpha_dot"), &[heads, alpha_channels])?,
            projection: DegreeLinear::new(named, &part("proj"), config.lmax, [out, second.output])?,
        })
    }

    /// (atoms, (L + 1)², channels) to (atoms, (L + 1)², out).
    pub(super) fn forward(&self, x: &Tensor, graph: &Graph) -> Result<Tensor> {
        let ends = [Arc::clone(&graph.source), Arc::clone(&graph.target)];
        let messages = to_edges(x, &graph.frames, &ends)?;
        let radial = self.radial.forward(graph)?;
        let hidden = self.first.forward(&messages, Some(&radial), &self.first_weights)?;
        let weights = self.weights(&hidden, &graph.target)?;
        let edges = graph.edges();
        let rows = self.first.layout.rows();
        let signals =
            self.activation.forward(&hidden)?.reshape((edges, rows, self.first.output))?;
        let values = self.second.forward(&signals, None, &self.second_weights)?;
        let heads = self.dot.dim(0)?;
        let width = self.second.output;
        let values = values.reshape((edges, rows, heads, width / heads))?;
        let weighed = values.broadcast_mul(&weights.reshape((edges, 1, heads, 1))?)?;
        let sums = to_atoms(&weighed.reshape((edges, rows, width))?, &graph.frames, &graph.target)?;
        self.projection.forward(&sums)
    }

    /// How much each edge counts, (edges, heads): sums to 1 over the edges of an atom.
    fn weights(&self, hidden: &Tensor, target: &Arc<Index>) -> Result<Tensor> {
        let (heads, channels) = self.dot.dims2()?;
        let edges = hidden.dim(0)?;
        let x = hidden.narrow(1, 0, heads * channels)?.contiguous()?;
        let x = self.norm.forward(&x.reshape((edges, heads, channels))?)?;
        // The smooth leaky rectifier (1+a)/2 x + (1−a)/2 x (2σ(x) − 1) is a x + (1 − a) silu(x).
        let x = ((silu(&x)? * (1.0 - LEAK))? + (x * LEAK)?)?;
        softmax(&x.broadcast_mul(&self.dot)?.sum(D::Minus1)?, target)
    }
}
