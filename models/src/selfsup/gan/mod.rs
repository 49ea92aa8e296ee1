//! The second stage of training: the pre-trained network as a generator that has to convince a discriminator.
//!
//! The generator mends corrupted crystals as in pre-training. The discriminator is the same backbone with two classes for
//! a whole crystal (1: real); it begins as the classifier of stability that [`super::finetune`] makes, whose class 1 is
//! "stable", and learns to tell real crystals, shaken a little, from mended ones. Both learn in turns:
//!
//! - `L_W = mean Σ_k |y_k − p_k|` over crystals, p the softmax of the discriminator's two numbers. (The paper prints a
//!   logarithm of the softmax here, which is not between the labels 0 and 1; its release takes the softmax.)
//! - Generator, every step: `weight · L_W(mended, y = real) + species + position`, the discriminator held fixed.
//! - Discriminator, every tenth step: `L_W(real, y = real) + L_W(mended, y = mended)`, the generator held fixed.
//!
//! # What has a gradient
//! The release hands the mended crystal over detached, by the most probable species of each atom, so that its `L_W` is a number
//! without influence on the generator. Here the generator's term is handed over attached: species as shares (the
//! embedding of an atom is the mean of those of the elements, weighed by the softmax over them), positions through the
//! lengths and the directions of the edges. What has no gradient: which atoms are neighbours, and hence their number. When the
//! discriminator learns, it is shown the crystal that an answer would be made of: the most probable species, positions
//! wrapped into the cell, all detached.
//!
//! A mended crystal whose atoms lie on top of each other has no edges to be judged by; it is left out of `L_W`.
//!
//! Liu et al., arXiv:2312.14485, section IV; what is in brackets below is from there or from the release.

mod generated;
mod judge;
#[cfg(test)]
mod tests;

use std::path::Path;

use candle_core::{DType, Device};
use serde::{Deserialize, Serialize};

use self::generated::Generated;
use self::judge::{Judge, Verdict};
use super::course::Known;
use super::finetune::classifier;
use super::task;
use crate::ModelError;
use crate::data::Split;
use crate::nn::adam;
use crate::nn::parameters::{Parameters, Tensors};
use crate::nn::train::{Loss, Task};

/// How the discriminator takes part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adversary {
    /// Weight of the discriminator's opinion in the loss of the generator \[0.1\].
    pub weight: f64,
    /// The discriminator learns in one of so many steps \[10\].
    pub every: u64,
    /// Learning rate of the discriminator \[1e-5\].
    pub rate: f64,
    /// Real crystals are shaken by uniform numbers up to this, in units of their shortest distance \[0.001\].
    pub noise: f64,
    /// Optimiser of the discriminator \[0.5 for the first moment\].
    pub adam: adam::Settings,
}

impl Default for Adversary {
    fn default() -> Self {
        Self {
            weight: 0.1,
            every: 10,
            rate: 1e-5,
            noise: 0.001,
            adam: adam::Settings { first: 0.5, ..adam::Settings::default() },
        }
    }
}

impl Adversary {
    fn check(&self) -> Result<(), ModelError> {
        let numbers = [self.weight, self.rate].iter().all(|x| x.is_finite() && *x >= 0.0);
        if numbers && self.every > 0 && (0.0..=1.0).contains(&self.noise) {
            return Ok(());
        }
        Err(ModelError::Data(
            "selfsup: the adversary's weight and rate are at least 0, every is at least 1, noise is between 0 and 1"
                .into(),
        ))
    }
}

/// A run of this stage: the file that `cellwright train selfsup-gan` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Data, corruption and training of the generator, as for pre-training. The model answers for the elements and sizes of
    /// these data only, so they should be those of the pre-training.
    pub generator: task::Run,
    /// The discriminator.
    #[serde(default)]
    pub adversary: Adversary,
}

/// The generator's training, with a discriminator beside it.
#[derive(Debug)]
pub struct Training {
    generator: task::Training,
    adversary: Adversary,
    judge: Judge,
}

impl Training {
    /// Fresh weights for a run on the data sets in their folders below `data`.
    ///
    /// # Errors
    /// When the data cannot be read, and as [`Self::new`].
    pub fn open(run: &Run, data: &Path, device: &Device) -> Result<Self, ModelError> {
        Self::new(run, run.generator.data.open(data)?, device)
    }

    /// Fresh weights for a run on these crystals; this stage is meant to go on from others ([`Task::start_from`] and
    /// [`Self::start_discriminator`]).
    ///
    /// # Errors
    /// When the settings make no model, or a crystal has no graph.
    pub fn new(run: &Run, split: Split, device: &Device) -> Result<Self, ModelError> {
        run.adversary.check()?;
        let backbone = &run.generator.model.network;
        if backbone.outputs != backbone.elements {
            return Err(ModelError::Data(
                "selfsup: what is generated is judged only where outputs are as many as elements"
                    .into(),
            ));
        }
        Ok(Self {
            generator: task::Training::new(&run.generator, split, device)?,
            judge: Judge::new(backbone, run.generator.seed, &run.adversary, device)?,
            adversary: run.adversary.clone(),
        })
    }

    /// The discriminator begins as a classifier of stability: the contents of the file `name` that
    /// `cellwright train selfsup-finetune` wrote.
    ///
    /// # Errors
    /// When they are of another kind or another network.
    pub fn start_discriminator(&self, bytes: &[u8], name: &str) -> Result<(), ModelError> {
        let mending = &self.generator.mending;
        let weights = classifier(bytes, name, &mending.setup.network, &mending.device)?;
        self.judge.start(&weights)
    }
}

impl Task for Training {
    fn parameters(&self) -> &Parameters {
        self.generator.parameters()
    }

    fn identity(&self) -> String {
        let mut identity = self.generator.describe();
        identity["adversary"] = serde_json::json!(self.adversary);
        identity.to_string()
    }

    fn memory(&self) -> Result<Tensors, ModelError> {
        self.judge.memory()
    }

    fn remember(&mut self, memory: &Tensors) -> Result<(), ModelError> {
        self.judge.remember(memory)
    }

    fn steps(&self) -> usize {
        self.generator.steps()
    }

    /// Terms beside those of pre-training: `adversarial`, the generator's `L_W`, and `fooled`, the share of mended crystals
    /// (their species as shares) that the discriminator takes for real.
    fn step(&mut self, epoch: u64, step: usize) -> Result<(Loss, Tensors), ModelError> {
        let number = epoch * self.steps() as u64 + step as u64;
        let task::Training { parameters, mending, course, .. } = &mut self.generator;
        let (members, mut random) = course.draw(epoch, step)?;
        let network = mending.network(&parameters.tensors())?;
        let task::Attempt { corrupted, said, mut loss, mut total } =
            mending.attempt(&network, &members, &mut random)?;
        let generated = Generated::new(&members, &corrupted, &said)?;
        if let Some((distance, fooled)) = self.judge.opinion(&generated, &said)? {
            let value: f64 = distance.to_dtype(DType::F64)?.to_scalar()?;
            total = (total + (distance * self.adversary.weight)?)?;
            loss.total += self.adversary.weight * value;
            loss.terms.insert("adversarial".into(), value);
            loss.terms.insert("fooled".into(), fooled);
        }
        let gradients = parameters.gradients(&total)?;
        if number.is_multiple_of(self.adversary.every) {
            self.judge.learn(&members, &generated, &mut random)?;
        }
        Ok((loss, gradients))
    }

    /// The loss of pre-training, on the same puzzles; what the discriminator makes of mended crystals (most probable
    /// species) is not part of it, because the discriminator changes: `discriminator` is its loss, `accuracy_real` and
    /// `accuracy_mended` are the shares that it tells right.
    fn validate(&mut self, weights: &Tensors) -> Result<Loss, ModelError> {
        let task::Training { mending, course, .. } = &self.generator;
        let network = mending.network(weights)?;
        let mut verdict = Verdict::default();
        let mut loss = course.validate(Known::atoms, |part, random| {
            let attempt = mending.attempt(&network, part, random)?;
            let generated = Generated::new(part, &attempt.corrupted, &attempt.said)?;
            // A copy, so that the puzzles are those of pre-training.
            verdict.add(self.judge.examine(part, &generated, &mut random.clone())?.1);
            Ok(attempt.loss)
        })?;
        loss.terms.extend(verdict.terms());
        Ok(loss)
    }
}
