//! Pre-training on a set of crystals.

use std::path::Path;

use candle_core::{DType, Device};
use cellwright_crystal::Lattice;
use nalgebra::Vector3;
use serde::{Deserialize, Serialize};

use super::config::{Network, Pooling};
use super::corruption::{Corrupted, Corruption};
use super::graph::{Cell, Graph};
use super::loss::{Puzzle, Terms};
use super::network::{Equiformer, parameters};
use crate::ModelError;
use crate::data::{Crystal, Seen, Sets, Split};
use crate::nn::parameters::{Parameters, Tensors};
use crate::nn::random::Random;
use crate::nn::train::{self, Epochs, Loss, Task};

/// What a set of pre-trained weights belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Setup {
    /// The network.
    pub network: Network,
    /// What it learns to undo.
    pub corruption: Corruption,
    /// Weight of the mean square error of the displacements (Å⁻²). The published 200 is for fractional coordinates, whose
    /// squares are some 40 times smaller than those in Å \[5\].
    pub position: f64,
    /// Weight of the species of an atom that is not masked, beside 1 for a masked one \[1\].
    pub known: f64,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            network: Network::default(),
            corruption: Corruption::default(),
            position: 5.0,
            known: 1.0,
        }
    }
}

impl Setup {
    /// Refuses settings that make no model.
    ///
    /// # Errors
    /// Says which setting and why.
    pub fn check(&self) -> Result<(), ModelError> {
        self.network.check()?;
        self.corruption.check()?;
        let heads = self.network.vector && self.network.pooling == Pooling::None;
        let weights = [self.position, self.known].iter().all(|w| w.is_finite() && *w >= 0.0);
        if !heads || !weights {
            return Err(ModelError::Data(
                "selfsup: pre-training needs vectors, no pooling, and weights of at least 0".into(),
            ));
        }
        Ok(())
    }
}

/// A training run: the file that `cellwright train selfsup` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// What is learned from.
    pub data: Sets,
    /// Seed of everything that chance decides.
    #[serde(default)]
    pub seed: u64,
    /// Crystals of one step \[32\].
    #[serde(default = "default_batch")]
    pub batch: usize,
    /// Network, corruption and the weights of the loss.
    #[serde(default)]
    pub model: Setup,
    /// Optimiser and loop.
    #[serde(default)]
    pub train: train::Settings,
}

fn default_batch() -> usize {
    32
}

/// Learning to mend a set of crystals.
#[derive(Debug)]
pub struct Training {
    run: Run,
    hash: String,
    seen: Seen,
    parameters: Parameters,
    device: Device,
    crystals: Vec<Known>,
    validation: Vec<Known>,
    epochs: Epochs,
}

/// A crystal with its lattice.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) lattice: Lattice,
    pub(super) crystal: Crystal,
}

impl Training {
    /// Fresh weights for a run on the data sets in their folders below `data`.
    ///
    /// # Errors
    /// When the data cannot be read, and as [`Self::new`].
    pub fn open(run: &Run, data: &Path, device: &Device) -> Result<Self, ModelError> {
        Self::new(run, run.data.open(data)?, device)
    }

    /// Fresh weights for a run on these crystals.
    ///
    /// # Errors
    /// When the settings make no model, or a crystal has no graph.
    pub fn new(run: &Run, split: Split, device: &Device) -> Result<Self, ModelError> {
        run.model.check()?;
        let known = |crystals: Vec<Crystal>| {
            let known = crystals.into_iter().map(|c| Known::new(c, &run.model.network));
            known.collect::<Result<Vec<_>, _>>()
        };
        let seen = split.seen();
        let Split { train, validation, hash } = split;
        let sizes = train.iter().map(|c| c.numbers.len()).collect();
        Ok(Self {
            run: run.clone(),
            hash,
            seen,
            parameters: parameters(&run.model.network, &mut Epochs::weights(run.seed), device)?,
            device: device.clone(),
            epochs: Epochs::new(run.seed, run.batch, sizes),
            crystals: known(train)?,
            validation: known(validation)?,
        })
    }

    /// The loss of some crystals, corrupted by chance, with its terms for the gradients.
    fn loss(
        &self,
        network: &Equiformer,
        crystals: &[&Known],
        random: &mut Random,
    ) -> Result<(Loss, candle_core::Tensor), ModelError> {
        let corruption = &self.run.model.corruption;
        let corrupt =
            |k: &&Known| corruption.apply(&k.lattice, &k.crystal.numbers, &k.crystal.frac, random);
        let corrupted = crystals.iter().map(corrupt).collect::<Result<Vec<Corrupted>, _>>()?;
        let puzzle: Vec<_> = crystals
            .iter()
            .zip(&corrupted)
            .map(|(k, c)| (&k.lattice, k.crystal.numbers.as_slice(), c))
            .collect();
        let Setup { network: config, known, .. } = &self.run.model;
        let puzzle = Puzzle::new(config, &puzzle, *known, &self.device)?;
        let terms = Terms::new(network, &puzzle)?;
        let total = terms.total(self.run.model.position)?;
        let names = Terms::NAMES.map(str::to_owned);
        let loss = Loss {
            total: total.to_dtype(DType::F64)?.to_scalar()?,
            terms: names.into_iter().zip(terms.values()?).collect(),
        };
        Ok((loss, total))
    }
}

impl Known {
    pub(super) fn new(crystal: Crystal, network: &Network) -> Result<Self, ModelError> {
        let id = crystal.id.clone();
        let named = |e: &dyn std::fmt::Display| ModelError::Data(format!("{id}: {e}"));
        let lattice =
            Lattice::from_parameters(crystal.lengths, crystal.angles).map_err(|e| named(&e))?;
        let known = Self { lattice, crystal };
        let (numbers, frac) = (&known.crystal.numbers, known.frac());
        let cell = Cell { lattice: &known.lattice, numbers, frac: &frac };
        Graph::new(network, &[cell], DType::F32, &Device::Cpu).map_err(|e| named(&e))?;
        Ok(known)
    }

    pub(super) fn frac(&self) -> Vec<Vector3<f64>> {
        self.crystal.frac.iter().map(|f| Vector3::from(*f)).collect()
    }
}

impl Task for Training {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn identity(&self) -> String {
        let Run { data, seed, batch, model, .. } = &self.run;
        serde_json::json!({
            "kind": "selfsup",
            "model": model,
            "data": data,
            "hash": self.hash,
            "seen": self.seen,
            "seed": seed,
            "batch": batch,
        })
        .to_string()
    }

    fn steps(&self) -> usize {
        self.epochs.steps()
    }

    fn step(&mut self, epoch: u64, step: usize) -> Result<(Loss, Tensors), ModelError> {
        let (batch, mut random) = self.epochs.draw(epoch, step)?;
        let members: Vec<&Known> =
            batch.groups.values().flatten().map(|i| &self.crystals[*i]).collect();
        let network = Equiformer::new(&self.run.model.network, &self.parameters.tensors())?;
        let (loss, total) = self.loss(&network, &members, &mut random)?;
        let gradients = self.parameters.gradients(&total)?;
        Ok((loss, gradients))
    }

    fn validate(&mut self, weights: &Tensors) -> Result<Loss, ModelError> {
        let network = Equiformer::new(&self.run.model.network, weights)?;
        let mut random = Epochs::validation(self.run.seed);
        let all: Vec<&Known> = self.validation.iter().collect();
        let atoms = |part: &[&Known]| part.iter().map(|k| k.crystal.numbers.len()).sum::<usize>();
        let mut mean = Loss::default();
        for part in all.chunks(self.run.batch.max(1)) {
            let (loss, _) = self.loss(&network, part, &mut random)?;
            mean.add(&loss, atoms(part) as f64 / atoms(&all) as f64);
        }
        Ok(mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::train::{Control, End};

    /// Ten salts and perovskites of different elements and sizes.
    fn crystals() -> Vec<Crystal> {
        let crystal = |numbers: &[u8], frac: &[[f64; 3]], a: f64, angle: f64| Crystal {
            id: format!("{numbers:?}"),
            numbers: numbers.to_vec(),
            frac: frac.to_vec(),
            lengths: [a; 3],
            angles: [angle; 3],
        };
        let pair = [[0.0; 3], [0.5; 3]];
        let perovskite = [[0.0; 3], [0.5; 3], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]];
        let salts = [(11, 17, 3.99), (12, 8, 2.98), (3, 9, 2.85), (19, 35, 4.67), (20, 16, 4.02)];
        let oxides = [(38, 22, 3.91), (57, 13, 3.79), (56, 40, 4.19)];
        let mut crystals: Vec<Crystal> =
            salts.map(|(a, b, l)| crystal(&[a, b], &pair, l, 60.0)).to_vec();
        crystals.extend(oxides.map(|(a, b, l)| crystal(&[a, b, 8, 8, 8], &perovskite, l, 90.0)));
        crystals.push(crystal(&[55, 17], &pair, 4.12, 90.0));
        crystals.push(crystal(&[29], &[[0.0; 3]], 2.55, 60.0));
        crystals
    }

    fn run() -> Run {
        let network = Network {
            lmax: 1,
            mmax: 1,
            blocks: 1,
            channels: 16,
            attention_hidden: 8,
            heads: 2,
            alpha_channels: 4,
            value_channels: 8,
            feed_forward_hidden: 16,
            edge_channels: 8,
            gaussians: 24,
            radius: 6.0,
            neighbors: 6,
            ..Network::default()
        };
        Run {
            data: Sets::default(),
            seed: 1,
            batch: 4,
            model: Setup { network, ..Setup::default() },
            train: train::Settings { epochs: 2, ..train::Settings::default() },
        }
    }

    fn training(
        run: &Run,
        train: Vec<Crystal>,
        validation: Vec<Crystal>,
    ) -> Result<Training, ModelError> {
        let split = Sets::default().cut(train, validation, String::new())?;
        Training::new(run, split, &Device::Cpu)
    }

    #[test]
    fn every_parameter_learns() {
        let mut run = run();
        run.model.network.summary = true;
        let mut task = training(&run, crystals(), crystals()).unwrap();
        let (loss, gradients) = task.step(0, 0).unwrap();
        assert!(loss.total > 0.0 && loss.terms.len() == 4);
        for (name, variable) in task.parameters().iter() {
            let gradient = gradients.get(name).unwrap_or_else(|| panic!("{name} has none"));
            assert_eq!(gradient.dims(), variable.dims());
            let size = gradient.abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
            // Vectors are degree 1: a shift of degree 0 does not reach them.
            assert_eq!(size == 0.0, name == "force_block.proj.bias", "{name}");
        }
    }

    #[test]
    fn ten_crystals_are_learned_by_heart() {
        let mut run = run();
        run.batch = 40;
        run.train.epochs = 250;
        run.train.validate_every = 250;
        run.train.rate.start = 1e-2;
        let many: Vec<Crystal> = crystals().into_iter().cycle().take(40).collect();
        let mut task = training(&run, many, crystals()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut last = Vec::new();
        let mut watch = |event: train::Event| {
            if let train::Event::Epoch(point) = event {
                last.push(point.train.terms.clone());
            }
            Control::Continue
        };
        let end = train::train(&mut task, &run.train, dir.path(), false, &mut watch).unwrap();
        assert_eq!(end, End::Done);
        let mean = |name: &str, part: &[std::collections::BTreeMap<String, f64>]| {
            part.iter().map(|t| t[name]).sum::<f64>() / part.len() as f64
        };
        let late = &last[230..];
        assert!(mean("species", &last[..3]) > 3.0);
        assert!(mean("restored", late) > 0.9, "restored {}", mean("restored", late));
        assert!(mean("removed", late) > 0.4, "removed {}", mean("removed", late));
    }

    #[test]
    fn what_cannot_be_trained_on_is_refused() {
        let refused = |run: &Run, crystals: Vec<Crystal>| {
            training(run, crystals.clone(), crystals).unwrap_err().to_string()
        };
        assert!(refused(&run(), Vec::new()).contains("at least one crystal"));
        let mut small = run();
        small.model.network.elements = 20;
        assert!(refused(&small, crystals()).contains("up to 20"));
        let mut pooled = run();
        pooled.model.network.pooling = Pooling::Mean;
        assert!(refused(&pooled, crystals()).contains("no pooling"));
    }
}
