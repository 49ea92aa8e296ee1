//! The discriminator: its weights, its optimiser, and what it says of crystals.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};

use super::Adversary;
use super::generated::Generated;
use crate::ModelError;
use crate::nn::adam::Adam;
use crate::nn::parameters::{Parameters, Tensors};
use crate::nn::random::Random;
use crate::nn::train::Epochs;
use crate::selfsup::config::Network;
use crate::selfsup::corruption::{Corrupted, displace, shortest};
use crate::selfsup::course::Known;
use crate::selfsup::finetune::Property;
use crate::selfsup::graph::{Cell, Graph};
use crate::selfsup::loss::log_softmax;
use crate::selfsup::network::{Equiformer, Output, parameters};

/// Names of what is remembered.
const PARAMETER: &str = "parameter.";
const STEPS: &str = "steps";

/// A discriminator that learns.
#[derive(Debug)]
pub(super) struct Judge {
    network: Network,
    pub(super) parameters: Parameters,
    adam: Adam,
    rate: f64,
    noise: f64,
    device: Device,
}

/// `Σ_k |y_k − p_k|` of each crystal, (crystals): p the softmax of the classes' numbers (crystals, 2), y the label.
///
/// # Errors
/// When the device is out of memory.
pub(super) fn distances(logits: &Tensor, real: bool) -> candle_core::Result<Tensor> {
    let label = if real { [0.0_f64, 1.0] } else { [1.0, 0.0] };
    let label = Tensor::new(&[label], logits.device())?.to_dtype(logits.dtype())?;
    log_softmax(logits)?.exp()?.broadcast_sub(&label)?.abs()?.sum(1)
}

/// What share of crystals is taken for real.
fn share_real(logits: &Tensor) -> candle_core::Result<f64> {
    logits.argmax(1)?.to_dtype(DType::F64)?.mean_all()?.to_scalar()
}

impl Judge {
    /// Fresh weights.
    ///
    /// # Errors
    /// When the backbone makes no network or the device is out of memory.
    pub(super) fn new(
        backbone: &Network,
        seed: u64,
        adversary: &Adversary,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let network = Property::Stable { within: 0.0 }.network(backbone);
        network.check()?;
        let parameters = parameters(&network, &mut Epochs::weights(seed), device)?;
        Ok(Self {
            adam: Adam::new(&adversary.adam, &parameters)?,
            network,
            parameters,
            rate: adversary.rate,
            noise: adversary.noise,
            device: device.clone(),
        })
    }

    /// Takes over weights.
    ///
    /// # Errors
    /// When they are those of another network.
    pub(super) fn start(&self, weights: &Tensors) -> Result<(), ModelError> {
        self.parameters.set(weights)
    }

    /// How far mended crystals are from being taken for real, with gradients to what was said of them, and the share that
    /// is. None where no crystal can be judged.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub(super) fn opinion(
        &self,
        generated: &Generated,
        said: &Output,
    ) -> Result<Option<(Tensor, f64)>, ModelError> {
        if generated.len() == 0 {
            return Ok(None);
        }
        let network = Equiformer::new(&self.network, &self.parameters.values()?)?;
        let logits = network.forward(&generated.graph(&self.network, said)?)?.scalars;
        Ok(Some((distances(&logits, true)?.mean_all()?, share_real(&logits)?)))
    }

    /// The loss on real crystals, shaken, and mended ones.
    ///
    /// # Errors
    /// When a crystal has no graph or the device is out of memory.
    pub(super) fn examine(
        &self,
        real: &[&Known],
        generated: &Generated,
        random: &mut Random,
    ) -> Result<(Tensor, Verdict), ModelError> {
        let shaken = real.iter().map(|k| self.shake(k, random)).collect::<Result<Vec<_>, _>>()?;
        let mut cells: Vec<Cell> = real
            .iter()
            .zip(&shaken)
            .map(|(k, shaken)| Cell {
                lattice: &k.lattice,
                numbers: &k.crystal.numbers,
                frac: &shaken.frac,
            })
            .collect();
        cells.extend(generated.cells());
        let graph = Graph::new(&self.network, &cells, DType::F32, &self.device)?;
        let network = Equiformer::new(&self.network, &self.parameters.tensors())?;
        let logits = network.forward(&graph)?.scalars;
        let mut total = Tensor::zeros((), DType::F32, &self.device)?;
        let mut verdict = Verdict::default();
        let sides = [(true, 0, real.len()), (false, real.len(), generated.len())];
        for (is_real, first, count) in sides.into_iter().filter(|(.., count)| *count > 0) {
            let logits = logits.narrow(0, first, count)?;
            let distance = distances(&logits, is_real)?;
            total = (total + distance.mean_all()?)?;
            let side = &mut verdict.sides[usize::from(is_real)];
            let right = share_real(&logits)?;
            side.count += count as f64;
            side.right += count as f64 * if is_real { right } else { 1.0 - right };
            side.distance += distance.sum_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()?;
        }
        Ok((total, verdict))
    }

    /// A step of learning.
    ///
    /// # Errors
    /// As [`Self::examine`], and when the loss is not a number.
    pub(super) fn learn(
        &mut self,
        real: &[&Known],
        generated: &Generated,
        random: &mut Random,
    ) -> Result<(), ModelError> {
        let (total, _) = self.examine(real, generated, random)?;
        if !total.to_scalar::<f32>()?.is_finite() {
            return Err(ModelError::Data("the discriminator's loss is not a number".into()));
        }
        let gradients = self.parameters.gradients(&total)?;
        self.adam.step(&self.parameters, &gradients, self.rate)
    }

    /// A real crystal with every coordinate moved a little.
    fn shake(&self, known: &Known, random: &mut Random) -> Result<Corrupted, ModelError> {
        let frac = &known.crystal.frac;
        let size = self.noise * shortest(&known.lattice, frac)?;
        let uniform: Vec<[f64; 3]> =
            frac.iter().map(|_| [(); 3].map(|()| 2.0 * random.uniform() - 1.0)).collect();
        Ok(displace(&known.lattice, frac, size, &uniform))
    }

    /// Weights and optimiser.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub(super) fn memory(&self) -> Result<Tensors, ModelError> {
        let (steps, mut memory) = self.adam.state();
        let values = self.parameters.values()?;
        memory.extend(values.into_iter().map(|(name, t)| (format!("{PARAMETER}{name}"), t)));
        memory.insert(STEPS.to_owned(), Tensor::new(&[i64::from(steps)], &self.device)?);
        Ok(memory)
    }

    /// Takes up where [`Self::memory`] was.
    ///
    /// # Errors
    /// When something is missing.
    pub(super) fn remember(&mut self, memory: &Tensors) -> Result<(), ModelError> {
        let named =
            |(n, t): (&String, &Tensor)| Some((n.strip_prefix(PARAMETER)?.into(), t.clone()));
        self.parameters.set(&memory.iter().filter_map(named).collect())?;
        let missing = || ModelError::BadWeights("the checkpoint has no discriminator".into());
        let steps = memory.get(STEPS).ok_or_else(missing)?.to_vec1::<i64>()?;
        let steps = steps.first().and_then(|s| i32::try_from(*s).ok()).ok_or_else(missing)?;
        self.adam.restore(steps, memory)
    }
}

/// Sums over crystals.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Side {
    count: f64,
    right: f64,
    distance: f64,
}

/// How a discriminator did: of mended crystals, then of real ones.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Verdict {
    sides: [Side; 2],
}

impl Verdict {
    /// Adds what was said of other crystals.
    pub(super) fn add(&mut self, other: Self) {
        for (side, other) in self.sides.iter_mut().zip(other.sides) {
            side.count += other.count;
            side.right += other.right;
            side.distance += other.distance;
        }
    }

    /// Loss and shares of right answers by name; none of a side without crystals.
    pub(super) fn terms(&self) -> BTreeMap<String, f64> {
        let some = self.sides.iter().filter(|s| s.count > 0.0);
        let mut terms = BTreeMap::from([(
            "discriminator".to_owned(),
            some.map(|s| s.distance / s.count).sum::<f64>(),
        )]);
        for (side, name) in self.sides.iter().zip(["accuracy_mended", "accuracy_real"]) {
            if side.count > 0.0 {
                terms.insert(name.to_owned(), side.right / side.count);
            }
        }
        terms
    }
}
