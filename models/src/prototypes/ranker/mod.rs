//! How likely each hit of a question is to be the structure.
//!
//! Every hit is described by numbers: kernel sums over its class, differences of elements to the nearest members,
//! stability of the templates. Beside these, distances between elements are learned, in several heads: a hit's value in
//! a head is log Σ exp(−Σ D(asked, known)) over its nearest members, a kernel density whose metric comes from data. A
//! small network turns both into a score. A softmax over all hits *and* the answer "none of these" makes scores
//! probabilities. They are trained as such (the likelihood of all hits that match), so they are calibrated as far as the
//! questions of the training set are like the one asked.
//!
//! Training leaves compositions out: a crystal is looked for without any entry of its formula, but for a share of
//! questions whose answer is the most stable known crystal of the formula.

use std::path::Path;

use candle_core::{Device, Tensor};

use super::library::Library;
use super::query::Hit;
use super::question::Question;
use crate::ModelError;
use crate::nn::checkpoint;
use crate::nn::parameters::{Named, Tensors};
use crate::nn::random::Random;

mod features;
mod lesson;
mod network;
mod train;

use features::{Asked, NUMBERS, describe};
use network::Batch;
pub use train::{Run, Training};

/// Names of the two lists in a file that are no parameters.
const MEAN: &str = "mean";
const SCALE: &str = "scale";

/// Trained weights.
#[derive(Debug, Clone)]
pub struct Ranker {
    weights: Tensors,
    distances: Tensor,
    mean: Vec<f32>,
    scale: Vec<f32>,
}

impl Ranker {
    fn new(mut weights: Tensors) -> Result<Self, ModelError> {
        let mut named = Named::new(weights.clone());
        let device = Device::Cpu;
        for (name, variable) in network::parameters(&mut Random::new(0, 0), &device)?.iter() {
            named.take(name, variable.dims())?;
        }
        let mean = named.take(MEAN, &[NUMBERS])?.to_vec1()?;
        let scale = named.take(SCALE, &[NUMBERS])?.to_vec1()?;
        named.finish()?;
        weights.remove(MEAN);
        weights.remove(SCALE);
        let distances = network::distances(&weights, &network::properties(&device)?)?;
        Ok(Self { weights, distances, mean, scale })
    }

    /// From the bytes of a file of weights.
    ///
    /// # Errors
    /// When they are not those of a ranker.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let tensors = candle_core::safetensors::load_buffer(bytes, &Device::Cpu)
            .map_err(|e| ModelError::BadWeights(format!("no weights of a ranker: {e}")))?;
        Self::new(tensors.into_iter().collect())
    }

    /// From a file of weights.
    ///
    /// # Errors
    /// When it cannot be read or holds something else.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        Self::new(checkpoint::read(path, &Device::Cpu)?.0)
    }

    /// The chance that each hit is the structure; what is missing to 1 is the chance that none is. `total` is how many
    /// hits there were before the list was cut.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn rank(
        &self,
        library: &Library,
        question: &Question,
        hits: &[Hit],
        total: usize,
    ) -> Result<Vec<f64>, ModelError> {
        if hits.is_empty() {
            return Ok(Vec::new());
        }
        self.probabilities(&describe(library, question, hits, total))
    }

    fn probabilities(&self, asked: &Asked) -> Result<Vec<f64>, ModelError> {
        let input = Batch::new(&[asked], &self.mean, &self.scale, &Device::Cpu)?;
        let scores = network::scores(&self.weights, &self.distances, &input)?;
        let scores: Vec<f32> = scores.squeeze(0)?.to_vec1()?;
        let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let weights: Vec<f64> = scores.iter().map(|s| f64::from(s - most).exp()).collect();
        let sum: f64 = weights.iter().sum();
        Ok(weights[..asked.hits.len()].iter().map(|w| w / sum).collect())
    }
}

#[cfg(test)]
mod tests;
