//! The denoising network: message passing between all atoms of a cell, without a cutoff.
//!
//! `h ← h + MLP_n([h', mean_j m_ij])` with `h' = LayerNorm(h)` and `m_ij = MLP_e([h'_i, h'_j, k, ψ(f_j − f_i)])`, all
//! ordered pairs, i = j included. The lattice enters as its six numbers only, so the network is invariant under
//! rotations; ψ has period 1 and sees differences only, so it is invariant under translations.

use candle_core::{DType, Device, Result, Tensor};

use super::config::Network;
use super::messages::{Geometry, messages};
use super::schedule::time_embedding;
use crate::ModelError;
use crate::nn::activation::silu_with_bias;
use crate::nn::norm::LayerNorm;
use crate::nn::parameters::{Named, Parameters, Tensors};
use crate::nn::random::Random;

/// The species of a group of crystals of the same number of atoms.
#[derive(Debug, Clone, Copy)]
pub enum Species<'a> {
    /// Atomic numbers, a row for every crystal.
    Known(&'a [&'a [u8]]),
    /// Noisy indicators, where the species are diffused too: for every atom a number for every element.
    Noisy {
        /// Atoms of a crystal.
        atoms: usize,
        /// `crystals · atoms · elements` numbers.
        values: &'a [f64],
    },
}

/// A group of crystals of the same number of atoms.
#[derive(Debug, Clone)]
pub struct Input {
    /// Atomic numbers, (crystals, atoms), u32; or indicators, (crystals, atoms, elements).
    pub species: Tensor,
    /// Embedded times, (crystals, D_t).
    pub time: Tensor,
    /// Six numbers of each lattice, (crystals, 6).
    pub lattice: Tensor,
    /// Fractional coordinates, (crystals, atoms, 3).
    pub frac: Tensor,
}

/// What the network says.
#[derive(Debug, Clone)]
pub struct Output {
    /// Noise of the lattice, (crystals, 6).
    pub lattice: Tensor,
    /// Displacements over their standard deviation, (crystals, atoms, 3).
    pub position: Tensor,
    /// Scores over theirs, (crystals, atoms, 3).
    pub score: Tensor,
    /// Noise of the species, (crystals, atoms, elements), where they are diffused too.
    pub species: Option<Tensor>,
}

impl Species<'_> {
    /// The tensor of [`Input::species`].
    fn tensor(
        &self,
        config: &Network,
        crystals: usize,
        device: &Device,
    ) -> std::result::Result<Tensor, ModelError> {
        let uneven = || ModelError::Data("a group needs crystals of one number of atoms".into());
        match *self {
            Self::Known(_) if config.species => {
                Err(ModelError::Unsupported("this model chooses the species itself".into()))
            }
            Self::Noisy { .. } if !config.species => {
                Err(ModelError::Unsupported("this model needs to be told the species".into()))
            }
            Self::Known(numbers) => {
                let atoms = numbers.first().map_or(0, |n| n.len());
                if atoms == 0
                    || numbers.len() != crystals
                    || numbers.iter().any(|n| n.len() != atoms)
                {
                    return Err(uneven());
                }
                let all = || numbers.iter().copied().flatten().copied();
                let largest = config.elements;
                if let Some(z) = all().find(|z| !(1..=largest).contains(&usize::from(*z))) {
                    return Err(ModelError::Unsupported(format!(
                        "this model knows the elements up to {largest}, not number {z}"
                    )));
                }
                let numbers: Vec<u32> = all().map(u32::from).collect();
                Ok(Tensor::from_vec(numbers, (crystals, atoms), device)?)
            }
            Self::Noisy { atoms, values } => {
                if atoms == 0 || values.len() != crystals * atoms * config.elements {
                    return Err(uneven());
                }
                let values: Vec<f32> = values.iter().map(|x| *x as f32).collect();
                Ok(Tensor::from_vec(values, (crystals, atoms, config.elements), device)?)
            }
        }
    }
}

impl Input {
    /// From species, times, lattices and coordinates of crystals of the same number of atoms.
    ///
    /// # Errors
    /// When there is no crystal or no atom, the lengths differ, an element is outside the embedding, or species are given to a
    /// model that chooses them, or not to one that does not.
    pub fn new(
        config: &Network,
        species: Species<'_>,
        times: &[usize],
        lattices: &[[f64; 6]],
        frac: &[Vec<[f64; 3]>],
        device: &Device,
    ) -> std::result::Result<Self, ModelError> {
        let crystals = times.len();
        let species = species.tensor(config, crystals, device)?;
        let atoms = species.dim(1)?;
        if frac.iter().any(|f| f.len() != atoms) || [lattices.len(), frac.len()] != [crystals; 2] {
            return Err(ModelError::Data("a group needs crystals of one number of atoms".into()));
        }
        let single = |v: Vec<f64>| v.into_iter().map(|x| x as f32).collect::<Vec<f32>>();
        let embed = |t: &usize| time_embedding(*t, config.time);
        let time = single(times.iter().flat_map(embed).collect());
        let lattice = single(lattices.as_flattened().to_vec());
        let frac = single(frac.iter().flatten().flatten().copied().collect());
        Ok(Self {
            species,
            time: Tensor::from_vec(time, (crystals, config.time), device)?,
            lattice: Tensor::from_vec(lattice, (crystals, 6), device)?,
            frac: Tensor::from_vec(frac, (crystals, atoms, 3), device)?,
        })
    }
}

/// One message-passing layer.
#[derive(Debug, Clone)]
struct Layer {
    norm: LayerNorm,
    /// Of receiver and sender, (2 · hidden, hidden): the columns of the first edge layer that meet h'.
    nodes: Tensor,
    /// (hidden, 6).
    lattice: Tensor,
    edge_bias: Tensor,
    /// (hidden, 6 · K).
    waves: Tensor,
    edge_second: Tensor,
    edge_second_bias: Tensor,
    /// (hidden, hidden), twice: the columns that meet h' and the messages.
    node_own: Tensor,
    node_messages: Tensor,
    node_bias: Tensor,
    node_second: Tensor,
    node_second_bias: Tensor,
}

/// The network over given weights.
#[derive(Debug, Clone)]
pub struct Denoiser {
    config: Network,
    embedding: Embedding,
    /// Columns of the first linear layer that meet the element and the time.
    element: Tensor,
    time: Tensor,
    bias: Tensor,
    layers: Vec<Layer>,
    norm: LayerNorm,
    /// (6, hidden).
    lattice_head: Tensor,
    /// Displacement and score, (6, hidden).
    atom_heads: Tensor,
    /// (elements, hidden) and its bias, where the species are diffused too.
    species_head: Option<[Tensor; 2]>,
}

/// How species become features.
#[derive(Debug, Clone)]
enum Embedding {
    /// A row for every element, (elements, hidden).
    Rows(Tensor),
    /// A linear layer on indicators, (hidden, elements) and its bias.
    Linear([Tensor; 2]),
}

impl Embedding {
    /// (crystals · atoms, hidden).
    fn forward(&self, species: &Tensor) -> Result<Tensor> {
        match self {
            Self::Rows(rows) => {
                let places = (species.to_dtype(DType::I64)? - 1.0)?.flatten_all()?;
                rows.index_select(&places.to_dtype(DType::U32)?, 0)
            }
            Self::Linear([weight, bias]) => {
                species.flatten_to(1)?.matmul(&weight.t()?)?.broadcast_add(bias)
            }
        }
    }
}

/// Fresh trainable weights, drawn as PyTorch draws them.
///
/// # Errors
/// When the device is out of memory.
pub fn parameters(config: &Network, random: &mut Random, device: &Device) -> Result<Parameters> {
    let Network { hidden, frequencies, time, elements, .. } = *config;
    let mut p = Parameters::new(device);
    if config.species {
        p.linear("node_embedding", [hidden, elements], true, random)?;
    } else {
        p.embedding("node_embedding", [elements, hidden], random)?;
    }
    p.linear("atom_latent_emb", [hidden, hidden + time], true, random)?;
    for layer in 0..config.layers {
        let name = |part: &str| format!("csp_layer_{layer}.{part}");
        let edge = 2 * hidden + 6 + 6 * frequencies;
        p.linear(&name("edge_mlp.0"), [hidden, edge], true, random)?;
        p.linear(&name("edge_mlp.2"), [hidden, hidden], true, random)?;
        p.linear(&name("node_mlp.0"), [hidden, 2 * hidden], true, random)?;
        p.linear(&name("node_mlp.2"), [hidden, hidden], true, random)?;
        p.norm(&name("layer_norm"), hidden)?;
    }
    p.norm("final_layer_norm", hidden)?;
    p.linear("coord_out", [3, hidden], false, random)?;
    p.linear("log_out", [3, hidden], false, random)?;
    p.linear("lattice_out", [6, hidden], false, random)?;
    if config.species {
        p.linear("type_out", [elements, hidden], true, random)?;
    }
    Ok(p)
}

impl Denoiser {
    /// Over named weights: the tensors of [`parameters`] for training, plain ones for the rest. The names are those of
    /// the authors' release.
    ///
    /// # Errors
    /// When a weight is missing, has another shape, or there are more.
    pub fn new(config: &Network, weights: &Tensors) -> std::result::Result<Self, ModelError> {
        let Network { hidden: h, frequencies, time, elements, .. } = *config;
        let mut named = Named::new(weights.clone());
        let mut linear = |name: &str, [out, inner]: [usize; 2]| {
            let weight = named.take(&format!("{name}.weight"), &[out, inner])?;
            Ok::<_, ModelError>([weight, named.take(&format!("{name}.bias"), &[out])?])
        };
        let (embedding, species_head) = if config.species {
            let embedding = Embedding::Linear(linear("node_embedding", [h, elements])?);
            (embedding, Some(linear("type_out", [elements, h])?))
        } else {
            (Embedding::Rows(named.take("node_embedding.weight", &[elements, h])?), None)
        };
        let first = named.take("atom_latent_emb.weight", &[h, h + time])?;
        let bias = named.take("atom_latent_emb.bias", &[h])?;
        let layers = (0..config.layers)
            .map(|i| Layer::new(&mut named, &format!("csp_layer_{i}"), h, 6 * frequencies))
            .collect::<std::result::Result<_, _>>()?;
        let norm = norm(&mut named, "final_layer_norm", h)?;
        let heads = [("coord_out", 3), ("log_out", 3), ("lattice_out", 6)]
            .map(|(name, rows)| named.take(&format!("{name}.weight"), &[rows, h]));
        named.finish()?;
        let [position, score, lattice_head] = heads;
        Ok(Self {
            config: config.clone(),
            embedding,
            element: first.narrow(1, 0, h)?,
            time: first.narrow(1, h, time)?,
            bias,
            layers,
            norm,
            lattice_head: lattice_head?,
            atom_heads: Tensor::cat(&[position?, score?], 0)?,
            species_head,
        })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Network {
        &self.config
    }

    /// What the network says of a group of crystals.
    ///
    /// # Errors
    /// When shapes do not fit or the device is out of memory.
    pub fn forward(&self, input: &Input) -> Result<Output> {
        self.forward_observed(input, &mut |_, _| ())
    }

    /// [`Self::forward`] that shows the features after each stage: `embedding`, `layer 0`, …, `norm`; (crystals ·
    /// atoms, hidden).
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn forward_observed(
        &self,
        input: &Input,
        observe: &mut dyn FnMut(&str, &Tensor),
    ) -> Result<Output> {
        let (crystals, atoms, _) = input.frac.dims3()?;
        let h = self.config.hidden;
        let elements = self.embedding.forward(&input.species)?;
        let elements = elements.matmul(&self.element.t()?)?.reshape((crystals, atoms, h))?;
        let time = input.time.matmul(&self.time.t()?)?.broadcast_add(&self.bias)?;
        let mut features = elements.broadcast_add(&time.unsqueeze(1)?)?;
        observe("embedding", &features);
        let geometry = Geometry::new(&input.frac, self.config.frequencies)?;
        for (i, layer) in self.layers.iter().enumerate() {
            features = layer.forward(&features, &input.lattice, &geometry)?;
            observe(&format!("layer {i}"), &features);
        }
        let features = self.norm.forward(&features)?;
        observe("norm", &features);
        let lattice = features.mean(1)?.matmul(&self.lattice_head.t()?)?;
        let features = features.reshape((crystals * atoms, h))?;
        let species = self.species_head.as_ref().map(|[weight, bias]| {
            let rows = features.matmul(&weight.t()?)?.broadcast_add(bias)?;
            rows.reshape((crystals, atoms, self.config.elements))
        });
        let atoms_out = features.matmul(&self.atom_heads.t()?)?;
        let mut atoms_out = atoms_out.reshape((crystals, atoms, 6))?;
        if self.config.add_means {
            atoms_out = atoms_out.broadcast_add(&atoms_out.mean_keepdim(1)?)?;
        }
        Ok(Output {
            lattice,
            position: atoms_out.narrow(2, 0, 3)?,
            score: atoms_out.narrow(2, 3, 3)?,
            species: species.transpose()?,
        })
    }
}

fn norm(named: &mut Named, name: &str, width: usize) -> std::result::Result<LayerNorm, ModelError> {
    let gain = named.take(&format!("{name}.weight"), &[width])?;
    let offset = named.take(&format!("{name}.bias"), &[width])?;
    Ok(LayerNorm { gain, offset })
}

impl Layer {
    fn new(
        named: &mut Named,
        name: &str,
        h: usize,
        waves: usize,
    ) -> std::result::Result<Self, ModelError> {
        let mut linear = |part: &str, inner: usize| {
            let weight = named.take(&format!("{name}.{part}.weight"), &[h, inner])?;
            Ok::<_, ModelError>((weight, named.take(&format!("{name}.{part}.bias"), &[h])?))
        };
        let (edge, edge_bias) = linear("edge_mlp.0", 2 * h + 6 + waves)?;
        let (edge_second, edge_second_bias) = linear("edge_mlp.2", h)?;
        let (node, node_bias) = linear("node_mlp.0", 2 * h)?;
        let (node_second, node_second_bias) = linear("node_mlp.2", h)?;
        Ok(Self {
            norm: norm(named, &format!("{name}.layer_norm"), h)?,
            nodes: Tensor::cat(&[edge.narrow(1, 0, h)?, edge.narrow(1, h, h)?], 0)?,
            lattice: edge.narrow(1, 2 * h, 6)?,
            edge_bias,
            waves: edge.narrow(1, 2 * h + 6, waves)?,
            edge_second,
            edge_second_bias,
            node_own: node.narrow(1, 0, h)?,
            node_messages: node.narrow(1, h, h)?,
            node_bias,
            node_second,
            node_second_bias,
        })
    }

    fn forward(&self, features: &Tensor, lattice: &Tensor, geometry: &Geometry) -> Result<Tensor> {
        let (crystals, atoms, h) = features.dims3()?;
        let rows = crystals * atoms;
        let own = self.norm.forward(features)?.reshape((rows, h))?;
        // Every edge of a crystal has the same lattice: it is added to the receiver's half.
        let cell = lattice.matmul(&self.lattice.t()?)?.broadcast_add(&self.edge_bias)?;
        let cell = Tensor::cat(&[&cell, &cell.zeros_like()?], 1)?.unsqueeze(1)?;
        let ends = own.matmul(&self.nodes.t()?)?.reshape((crystals, atoms, 2 * h))?;
        let ends = ends.broadcast_add(&cell)?;
        let weights = [&self.waves, &self.edge_second, &self.edge_second_bias];
        let message = messages(&ends, geometry, weights)?.reshape((rows, h))?;
        let sum = (own.matmul(&self.node_own.t()?)? + message.matmul(&self.node_messages.t()?)?)?;
        let hidden = silu_with_bias(&sum, &self.node_bias)?.matmul(&self.node_second.t()?)?;
        let update = silu_with_bias(&hidden, &self.node_second_bias)?;
        features + update.reshape((crystals, atoms, h))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiny() -> Network {
        Network {
            hidden: 12,
            layers: 2,
            frequencies: 5,
            time: 8,
            elements: 30,
            ..Network::default()
        }
    }

    const FRAC: [[f64; 3]; 3] = [[0.1, 0.2, 0.3], [0.55, 0.9, 0.02], [0.7, 0.4, 0.65]];

    fn run(frac: &[[f64; 3]], numbers: &[u8]) -> [Vec<f32>; 3] {
        let config = tiny();
        let device = Device::Cpu;
        let weights = parameters(&config, &mut Random::new(1, 0), &device).unwrap();
        let denoiser = Denoiser::new(&config, &weights.values().unwrap()).unwrap();
        let k = [1.4, 1.5, 1.9, 0.0, 0.2, -0.4];
        let input = Input::new(
            &config,
            Species::Known(&[numbers]),
            &[300],
            &[k],
            &[frac.to_vec()],
            &device,
        );
        let output = denoiser.forward(&input.unwrap()).unwrap();
        [output.lattice, output.position, output.score]
            .map(|t| t.flatten_all().unwrap().to_vec1().unwrap())
    }

    fn assert_close(a: &[f32], b: &[f32]) {
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() < 2e-5, "{a} {b}");
        }
    }

    #[test]
    fn the_origin_does_not_matter() {
        let moved = FRAC.map(|f| [f[0] + 0.37, f[1] - 1.2, (f[2] + 0.81) % 1.0]);
        let (here, there) = (run(&FRAC, &[3, 8, 26]), run(&moved, &[3, 8, 26]));
        for (a, b) in here.iter().zip(&there) {
            assert_close(a, b);
        }
    }

    #[test]
    fn the_order_of_atoms_does_not_matter() {
        let here = run(&FRAC, &[3, 8, 26]);
        let there = run(&[FRAC[2], FRAC[0], FRAC[1]], &[26, 3, 8]);
        assert_close(&here[0], &there[0]);
        for head in 1..3 {
            assert_close(&here[head][..3], &there[head][3..6]);
            assert_close(&here[head][3..6], &there[head][6..]);
            assert_close(&here[head][6..], &there[head][..3]);
        }
    }

    #[test]
    fn species_and_positions_do_matter() {
        let here = run(&FRAC, &[3, 8, 26]);
        assert_ne!(here[0], run(&FRAC, &[3, 8, 27])[0]);
        let mut moved = FRAC;
        moved[1][1] += 0.05;
        assert_ne!(here[2], run(&moved, &[3, 8, 26])[2]);
    }

    #[test]
    fn groups_of_different_sizes_are_refused() {
        let (two, one) = (vec![[0.0; 3]; 2], vec![[0.0; 3]]);
        let numbers: [&[u8]; 2] = [&[1, 1], &[1]];
        let group = Input::new(
            &tiny(),
            Species::Known(&numbers),
            &[1, 1],
            &[[0.0; 6]; 2],
            &[two, one],
            &Device::Cpu,
        );
        assert!(group.is_err());
        let none = Input::new(&tiny(), Species::Known(&[]), &[], &[], &[], &Device::Cpu);
        assert!(none.is_err());
    }
}
