//! What every training on crystals has in common: the crystals, which of them a step learns from, and going through the
//! validation set.

use candle_core::{DType, Device};
use cellwright_crystal::Lattice;
use nalgebra::Vector3;

use super::config::Network;
use super::graph::{Cell, Graph};
use crate::ModelError;
use crate::data::{Crystal, Split};
use crate::nn::random::Random;
use crate::nn::train::{Epochs, Loss};

/// A crystal with its lattice.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) lattice: Lattice,
    pub(super) crystal: Crystal,
}

impl Known {
    /// A crystal that has a graph.
    fn new(crystal: Crystal, network: &Network) -> Result<Self, ModelError> {
        let id = crystal.id.clone();
        let named = |e: &dyn std::fmt::Display| ModelError::Data(format!("{id}: {e}"));
        let lattice =
            Lattice::from_parameters(crystal.lengths, crystal.angles).map_err(|e| named(&e))?;
        let known = Self { lattice, crystal };
        graph(network, &[&known], &Device::Cpu).map_err(|e| named(&e))?;
        Ok(known)
    }

    pub(super) fn atoms(&self) -> usize {
        self.crystal.numbers.len()
    }
}

/// Crystals as they are, in single precision.
///
/// # Errors
/// As [`Graph::new`].
pub(super) fn graph(
    network: &Network,
    crystals: &[&Known],
    device: &Device,
) -> Result<Graph, ModelError> {
    let frac: Vec<Vec<Vector3<f64>>> = crystals
        .iter()
        .map(|k| k.crystal.frac.iter().map(|f| Vector3::from(*f)).collect())
        .collect();
    let cells: Vec<Cell> = crystals
        .iter()
        .zip(&frac)
        .map(|(k, frac)| Cell { lattice: &k.lattice, numbers: &k.crystal.numbers, frac })
        .collect();
    Graph::new(network, &cells, DType::F32, device)
}

/// Crystals to learn from and to be judged by.
#[derive(Debug)]
pub(super) struct Course {
    train: Vec<Known>,
    validation: Vec<Known>,
    seed: u64,
    batch: usize,
    epochs: Epochs,
}

impl Course {
    /// `batch` crystals of `split` a step.
    ///
    /// # Errors
    /// When a crystal has no graph for this network.
    pub(super) fn new(
        network: &Network,
        split: Split,
        seed: u64,
        batch: usize,
    ) -> Result<Self, ModelError> {
        let known = |crystals: Vec<Crystal>| {
            crystals.into_iter().map(|c| Known::new(c, network)).collect::<Result<Vec<_>, _>>()
        };
        let (train, validation) = (known(split.train)?, known(split.validation)?);
        let epochs = Epochs::new(seed, batch, train.iter().map(Known::atoms).collect());
        Ok(Self { train, validation, seed, batch, epochs })
    }

    /// Number of steps in an epoch.
    pub(super) fn steps(&self) -> usize {
        self.epochs.steps()
    }

    /// The crystals of a step and its random numbers.
    ///
    /// # Errors
    /// When an epoch has no such step.
    pub(super) fn draw(
        &mut self,
        epoch: u64,
        step: usize,
    ) -> Result<(Vec<&Known>, Random), ModelError> {
        let (batch, random) = self.epochs.draw(epoch, step)?;
        Ok((batch.groups.values().flatten().map(|i| &self.train[*i]).collect(), random))
    }

    /// The mean of a loss over the validation set, each part of it weighing as much as its `size`; the same chance every
    /// time.
    ///
    /// # Errors
    /// When the loss fails.
    pub(super) fn validate(
        &self,
        size: impl Fn(&Known) -> usize,
        mut loss: impl FnMut(&[&Known], &mut Random) -> Result<Loss, ModelError>,
    ) -> Result<Loss, ModelError> {
        let mut random = Epochs::validation(self.seed);
        let all: Vec<&Known> = self.validation.iter().collect();
        let sizes = |part: &[&Known]| part.iter().map(|k| size(k)).sum::<usize>() as f64;
        let mut mean = Loss::default();
        for part in all.chunks(self.batch.max(1)) {
            mean.add(&loss(part, &mut random)?, sizes(part) / sizes(&all));
        }
        Ok(mean)
    }
}
