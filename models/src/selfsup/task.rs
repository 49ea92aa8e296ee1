//! Pre-training on a set of crystals.

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::config::{Network, Pooling};
use super::corruption::{Corrupted, Corruption};
use super::course::{Course, Known};
use super::loss::{Puzzle, Terms};
use super::network::{Equiformer, Output, parameters};
use crate::ModelError;
use crate::data::{Seen, Sets, Split};
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
    pub(super) parameters: Parameters,
    pub(super) mending: Mending,
    pub(super) course: Course,
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
        let network = &run.model.network;
        Ok(Self {
            run: run.clone(),
            hash: split.hash.clone(),
            seen: split.seen(),
            parameters: parameters(network, &mut Epochs::weights(run.seed), device)?,
            mending: Mending { setup: run.model.clone(), device: device.clone() },
            course: Course::new(network, split, run.seed, run.batch)?,
        })
    }

    /// What the weights belong to.
    pub(super) fn describe(&self) -> serde_json::Value {
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
    }
}

/// Crystals corrupted, and what a network made of them.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) corrupted: Vec<Corrupted>,
    pub(super) said: Output,
    pub(super) loss: Loss,
    /// The total of the loss, for the gradients.
    pub(super) total: Tensor,
}

/// How crystals are corrupted and the attempt to mend them is judged.
#[derive(Debug)]
pub(super) struct Mending {
    pub(super) setup: Setup,
    pub(super) device: Device,
}

impl Mending {
    /// Over given weights.
    pub(super) fn network(&self, weights: &Tensors) -> Result<Equiformer, ModelError> {
        Equiformer::new(&self.setup.network, weights)
    }

    /// Corrupts crystals by chance and has them mended.
    pub(super) fn attempt(
        &self,
        network: &Equiformer,
        crystals: &[&Known],
        random: &mut Random,
    ) -> Result<Attempt, ModelError> {
        let Setup { network: config, corruption, position, known } = &self.setup;
        let corrupt =
            |k: &&Known| corruption.apply(&k.lattice, &k.crystal.numbers, &k.crystal.frac, random);
        let corrupted = crystals.iter().map(corrupt).collect::<Result<Vec<Corrupted>, _>>()?;
        let puzzle: Vec<_> = crystals
            .iter()
            .zip(&corrupted)
            .map(|(k, c)| (&k.lattice, k.crystal.numbers.as_slice(), c))
            .collect();
        let puzzle = Puzzle::new(config, &puzzle, *known, &self.device)?;
        let said = network.forward(&puzzle.graph)?;
        let terms = Terms::new(&said, &puzzle)?;
        let total = terms.total(*position)?;
        let names = Terms::NAMES.map(str::to_owned);
        let loss = Loss {
            total: total.to_dtype(DType::F64)?.to_scalar()?,
            terms: names.into_iter().zip(terms.values()?).collect(),
        };
        Ok(Attempt { corrupted, said, loss, total })
    }
}

impl Task for Training {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn identity(&self) -> String {
        self.describe().to_string()
    }

    fn steps(&self) -> usize {
        self.course.steps()
    }

    fn step(&mut self, epoch: u64, step: usize) -> Result<(Loss, Tensors), ModelError> {
        let (members, mut random) = self.course.draw(epoch, step)?;
        let network = self.mending.network(&self.parameters.tensors())?;
        let Attempt { loss, total, .. } = self.mending.attempt(&network, &members, &mut random)?;
        Ok((loss, self.parameters.gradients(&total)?))
    }

    fn validate(&mut self, weights: &Tensors) -> Result<Loss, ModelError> {
        let network = self.mending.network(weights)?;
        self.course.validate(Known::atoms, |part, random| {
            Ok(self.mending.attempt(&network, part, random)?.loss)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Crystal;
    use crate::nn::train::{Control, End};
    use crate::selfsup::testing::{crystals, network};

    fn run() -> Run {
        Run {
            data: Sets::default(),
            seed: 1,
            batch: 4,
            model: Setup { network: network(), ..Setup::default() },
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
