//! Pre-training on a set of crystals.

use std::collections::BTreeSet;
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
use crate::data::{self, Batch, Crystal, batches};
use crate::nn::parameters::{Parameters, Tensors};
use crate::nn::random::Random;
use crate::nn::train::{self, Loss, Task};

/// What a set of pre-trained weights belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// The network.
    pub network: Network,
    /// What it learns to undo.
    pub corruption: Corruption,
    /// Weight of the mean square error of the displacements (Å⁻²). The published 200 is for fractional coordinates, whose
    /// squares are some 40 times smaller than those in Å \[5\].
    pub position: f64,
}

impl Default for Model {
    fn default() -> Self {
        Self { network: Network::default(), corruption: Corruption::default(), position: 5.0 }
    }
}

impl Model {
    /// Refuses settings that make no model.
    ///
    /// # Errors
    /// Says which setting and why.
    pub fn check(&self) -> Result<(), ModelError> {
        self.network.check()?;
        self.corruption.check()?;
        let heads = self.network.vector && self.network.pooling == Pooling::None;
        if !heads || self.position < 0.0 || !self.position.is_finite() {
            return Err(ModelError::Data(
                "selfsup: pre-training needs vectors, no pooling, and a weight of at least 0"
                    .into(),
            ));
        }
        Ok(())
    }
}

/// A training run: the file that `cellwright train selfsup` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Name of the data set, a folder with `train.jsonl.zst` and `val.jsonl.zst`.
    pub dataset: String,
    /// File beside that folder with the identifiers of the training crystals to use, one a line; none for all.
    #[serde(default)]
    pub ids: Option<String>,
    /// Data set whose validation part is used; none for the same.
    #[serde(default)]
    pub validation_dataset: Option<String>,
    /// Seed of everything that chance decides.
    #[serde(default)]
    pub seed: u64,
    /// Crystals of one step \[32\].
    #[serde(default = "default_batch")]
    pub batch: usize,
    /// Crystals of the validation set that are looked at, the first ones; none for all.
    #[serde(default)]
    pub validation: Option<usize>,
    /// Crystals of the training set that are used, the first ones; none for all.
    #[serde(default)]
    pub training: Option<usize>,
    /// Model.
    #[serde(default)]
    pub model: Model,
    /// Optimiser and loop.
    #[serde(default)]
    pub train: train::Settings,
}

fn default_batch() -> usize {
    32
}

/// Streams of random numbers: of the weights, of the validation, and from the last one on, those of epochs and steps.
const WEIGHTS: u64 = 0;
const VALIDATION: u64 = 1;
const EPOCHS: u64 = 2;

/// Steps of one epoch have streams of their own, fewer than this.
const STREAMS: u64 = 1 << 20;

/// Learning to mend a set of crystals.
#[derive(Debug)]
pub struct Training {
    run: Run,
    data: String,
    parameters: Parameters,
    device: Device,
    crystals: Vec<Known>,
    validation: Vec<Known>,
    sizes: Vec<usize>,
    /// The mini-batches of an epoch.
    order: Option<(u64, Vec<Batch>)>,
}

/// A crystal with its lattice.
#[derive(Debug)]
struct Known {
    lattice: Lattice,
    crystal: Crystal,
}

impl Training {
    /// Fresh weights for a run on the data sets in their folders below `data`.
    ///
    /// # Errors
    /// When the data cannot be read, an identifier has no crystal, and as [`Self::new`].
    pub fn open(run: &Run, data: &Path, device: &Device) -> Result<Self, ModelError> {
        let file = |set: &str, split: &str| data.join(set).join(format!("{split}.jsonl.zst"));
        let validation = run.validation_dataset.as_ref().unwrap_or(&run.dataset);
        let (train, validation) = (file(&run.dataset, "train"), file(validation, "val"));
        let mut name = format!("{} {}", data::sha256(&train)?, data::sha256(&validation)?);
        let mut crystals = data::read(&train)?;
        if let Some(ids) = &run.ids {
            let path = data.join(ids);
            name = format!("{name} {}", data::sha256(&path)?);
            keep(&mut crystals, &std::fs::read_to_string(&path)?)?;
        }
        Self::new(run, crystals, data::read(&validation)?, &name, device)
    }

    /// Fresh weights for a run on these crystals. `data` names them, for example by a hash.
    ///
    /// # Errors
    /// When a set is empty, the settings make no model, or a crystal has no graph.
    pub fn new(
        run: &Run,
        mut crystals: Vec<Crystal>,
        mut validation: Vec<Crystal>,
        data: &str,
        device: &Device,
    ) -> Result<Self, ModelError> {
        run.model.check()?;
        crystals.truncate(run.training.unwrap_or(usize::MAX));
        validation.truncate(run.validation.unwrap_or(usize::MAX));
        if crystals.is_empty() || validation.is_empty() {
            return Err(ModelError::Data(
                "training and validation need at least one crystal".into(),
            ));
        }
        let known = |crystals: Vec<Crystal>| {
            crystals.into_iter().map(|c| Known::new(c, &run.model.network)).collect()
        };
        let (crystals, validation): (Result<Vec<_>, _>, Result<Vec<_>, _>) =
            (known(crystals), known(validation));
        let crystals = crystals?;
        let mut random = Random::new(run.seed, WEIGHTS);
        Ok(Self {
            run: run.clone(),
            data: data.to_owned(),
            parameters: parameters(&run.model.network, &mut random, device)?,
            device: device.clone(),
            sizes: crystals.iter().map(|k| k.crystal.numbers.len()).collect(),
            crystals,
            validation: validation?,
            order: None,
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
        let puzzle = Puzzle::new(&self.run.model.network, &puzzle, &self.device)?;
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
    fn new(crystal: Crystal, network: &Network) -> Result<Self, ModelError> {
        let named = |e: &dyn std::fmt::Display| ModelError::Data(format!("{}: {e}", crystal.id));
        let lattice =
            Lattice::from_parameters(crystal.lengths, crystal.angles).map_err(|e| named(&e))?;
        let frac: Vec<Vector3<f64>> = crystal.frac.iter().map(|f| Vector3::from(*f)).collect();
        let cell = Cell { lattice: &lattice, numbers: &crystal.numbers, frac: &frac };
        Graph::new(network, &[cell], DType::F32, &Device::Cpu).map_err(|e| named(&e))?;
        Ok(Self { lattice, crystal })
    }
}

/// Keeps the crystals whose identifiers are lines of `ids`.
fn keep(crystals: &mut Vec<Crystal>, ids: &str) -> Result<(), ModelError> {
    let mut wanted: BTreeSet<&str> =
        ids.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    crystals.retain(|c| wanted.remove(c.id.as_str()));
    match wanted.first() {
        None => Ok(()),
        Some(id) => Err(ModelError::Data(format!(
            "{} identifiers are not in the training set, {id} the first",
            wanted.len()
        ))),
    }
}

impl Task for Training {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn identity(&self) -> String {
        let Run {
            dataset, ids, validation_dataset, seed, batch, validation, training, model, ..
        } = &self.run;
        serde_json::json!({
            "kind": "selfsup",
            "model": model,
            "dataset": dataset,
            "ids": ids,
            "validation_dataset": validation_dataset,
            "data": self.data,
            "seed": seed,
            "batch": batch,
            "validation": validation,
            "training": training,
        })
        .to_string()
    }

    fn steps(&self) -> usize {
        self.crystals.len().div_ceil(self.run.batch.max(1))
    }

    fn step(&mut self, epoch: u64, step: usize) -> Result<(Loss, Tensors), ModelError> {
        let stream = EPOCHS + epoch * STREAMS;
        if self.order.as_ref().is_none_or(|(of, _)| *of != epoch) {
            let order =
                batches(&self.sizes, self.run.batch, &mut Random::new(self.run.seed, stream));
            self.order = Some((epoch, order));
        }
        let batch = self.order.as_ref().and_then(|(_, order)| order.get(step));
        let batch =
            batch.ok_or_else(|| ModelError::Data(format!("an epoch has no step {step}")))?;
        let members: Vec<&Known> =
            batch.groups.values().flatten().map(|i| &self.crystals[*i]).collect();
        let mut random = Random::new(self.run.seed, stream + 1 + step as u64);
        let network = Equiformer::new(&self.run.model.network, &self.parameters.tensors())?;
        let (loss, total) = self.loss(&network, &members, &mut random)?;
        let store = total.backward()?;
        let gradients = self
            .parameters
            .iter()
            .filter_map(|(name, variable)| Some((name.clone(), store.get(variable)?.clone())))
            .collect();
        Ok((loss, gradients))
    }

    fn validate(&mut self, weights: &Tensors) -> Result<Loss, ModelError> {
        let network = Equiformer::new(&self.run.model.network, weights)?;
        let mut random = Random::new(self.run.seed, VALIDATION);
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
            dataset: "x".into(),
            ids: None,
            validation_dataset: None,
            seed: 1,
            batch: 4,
            validation: None,
            training: None,
            model: Model { network, ..Model::default() },
            train: train::Settings { epochs: 2, ..train::Settings::default() },
        }
    }

    #[test]
    fn every_parameter_learns() {
        let mut task = Training::new(&run(), crystals(), crystals(), "", &Device::Cpu).unwrap();
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
        let mut task = Training::new(&run, many, crystals(), "", &Device::Cpu).unwrap();
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
            let done = Training::new(run, crystals.clone(), crystals, "", &Device::Cpu);
            done.unwrap_err().to_string()
        };
        assert!(refused(&run(), Vec::new()).contains("at least one crystal"));
        let mut small = run();
        small.model.network.elements = 20;
        assert!(refused(&small, crystals()).contains("up to 20"));
        let mut pooled = run();
        pooled.model.network.pooling = Pooling::Mean;
        assert!(refused(&pooled, crystals()).contains("no pooling"));
    }

    #[test]
    fn identifiers_choose_crystals() {
        let mut some = crystals();
        let (first, third) = (some[0].id.clone(), some[2].id.clone());
        keep(&mut some, &format!("{third}\n\n{first}\n")).unwrap();
        assert_eq!(some.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), [first, third]);
        let error = keep(&mut some, "mp-1").unwrap_err().to_string();
        assert!(error.contains("mp-1"), "{error}");
    }
}
