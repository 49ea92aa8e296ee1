//! Fine-tuning: the pre-trained backbone with a fresh head learns a property of whole crystals.
//!
//! Without weights to start from the same run learns from scratch; the difference is what pre-training is worth.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::config::{Network, Pooling};
use super::graph::{Cell, Graph};
use super::loss::log_softmax;
use super::network::{Equiformer, parameters};
use super::task::Known;
use crate::ModelError;
use crate::data::{Label, Sets, Split, labels};
use crate::nn::parameters::{Parameters, Tensors};
use crate::nn::train::{self, Epochs, Loss, Task};

/// Weights of the head, which no pre-training knows.
const HEAD: &str = "output_block.";

/// What is learned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Property {
    /// Whether a crystal is stable.
    Stable {
        /// Largest energy above the hull of a stable one (eV/atom) \[0\].
        within: f64,
    },
    /// Energy of formation from the elements (eV/atom).
    FormationEnergy,
}

impl Property {
    fn label(self) -> Label {
        match self {
            Self::Stable { .. } => Label::Hull,
            Self::FormationEnergy => Label::Formation,
        }
    }

    /// The backbone with the head that this needs: two classes, or one number, of a whole crystal.
    fn network(self, backbone: &Network) -> Network {
        let outputs = match self {
            Self::Stable { .. } => 2,
            Self::FormationEnergy => 1,
        };
        Network { outputs, vector: false, pooling: Pooling::Mean, ..backbone.clone() }
    }
}

/// A fine-tuning run: the file that `cellwright train selfsup-finetune` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// What is learned from. Crystals without the property are left out.
    pub data: Sets,
    /// What is learned.
    pub property: Property,
    /// Seed of everything that chance decides.
    #[serde(default)]
    pub seed: u64,
    /// Crystals of one step \[64\].
    #[serde(default = "default_batch")]
    pub batch: usize,
    /// The backbone, as in the settings of the pre-training; heads and pooling are those of the property.
    pub network: Network,
    /// Optimiser and loop.
    #[serde(default)]
    pub train: train::Settings,
}

fn default_batch() -> usize {
    64
}

/// Learning a property.
#[derive(Debug)]
pub struct Training {
    run: Run,
    hash: String,
    network: Network,
    parameters: Parameters,
    device: Device,
    crystals: Vec<(Known, f64)>,
    validation: Vec<(Known, f64)>,
    /// Mean and standard deviation of the property over the training set.
    scale: [f64; 2],
    epochs: Epochs,
}

impl Training {
    /// Fresh weights for a run on the data sets in their folders below `data`.
    ///
    /// # Errors
    /// When the data cannot be read, and as [`Self::new`].
    pub fn open(run: &Run, data: &Path, device: &Device) -> Result<Self, ModelError> {
        let [train, validation] = run.data.files(data);
        let mut known = labels(&train, run.property.label())?;
        known.extend(labels(&validation, run.property.label())?);
        Self::new(run, run.data.open(data)?, &known, device)
    }

    /// Fresh weights for a run on these crystals, whose property `labels` gives by their identifiers.
    ///
    /// # Errors
    /// When the settings make no network, a crystal has no graph, or no crystal has the property.
    pub fn new(
        run: &Run,
        split: Split,
        labels: &BTreeMap<String, f64>,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let network = run.property.network(&run.network);
        network.check()?;
        let labelled = |crystals: Vec<crate::data::Crystal>| {
            let with = crystals.into_iter().filter_map(|c| labels.get(&c.id).map(|l| (c, *l)));
            with.map(|(c, l)| Ok((Known::new(c, &network)?, l)))
                .collect::<Result<Vec<_>, ModelError>>()
        };
        let (crystals, validation) = (labelled(split.train)?, labelled(split.validation)?);
        if crystals.is_empty() || validation.is_empty() {
            return Err(ModelError::Data(
                "training and validation need at least one crystal with the property".into(),
            ));
        }
        let count = crystals.len() as f64;
        let mean = crystals.iter().map(|(_, l)| l).sum::<f64>() / count;
        let variance = crystals.iter().map(|(_, l)| (l - mean).powi(2)).sum::<f64>() / count;
        let spread = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        let sizes = crystals.iter().map(|(k, _)| k.crystal.numbers.len()).collect();
        Ok(Self {
            run: run.clone(),
            hash: split.hash,
            parameters: parameters(&network, &mut Epochs::weights(run.seed), device)?,
            network,
            device: device.clone(),
            crystals,
            validation,
            scale: [mean, spread],
            epochs: Epochs::new(run.seed, run.batch, sizes),
        })
    }

    /// The loss of some crystals, with the tensor for its gradients.
    fn loss(
        &self,
        network: &Equiformer,
        crystals: &[&(Known, f64)],
    ) -> Result<(Loss, Tensor), ModelError> {
        let parts: Vec<_> = crystals.iter().map(|(k, _)| (k, k.frac())).collect();
        let cells: Vec<Cell> = parts
            .iter()
            .map(|(k, frac)| Cell { lattice: &k.lattice, numbers: &k.crystal.numbers, frac })
            .collect();
        let graph = Graph::new(&self.network, &cells, DType::F32, &self.device)?;
        let said = network.forward(&graph)?.scalars;
        let (total, term, value) = match self.run.property {
            Property::Stable { within } => {
                let classes: Vec<u32> =
                    crystals.iter().map(|(_, hull)| u32::from(*hull <= within)).collect();
                let classes = Tensor::from_vec(classes, (crystals.len(), 1), &self.device)?;
                let right = said.argmax_keepdim(1)?.eq(&classes)?.to_dtype(DType::F64)?;
                let total = log_softmax(&said)?.gather(&classes, 1)?.mean_all()?.neg()?;
                (total, "accuracy", right.mean_all()?.to_scalar()?)
            }
            Property::FormationEnergy => {
                let [mean, spread] = self.scale;
                let wanted: Vec<f32> =
                    crystals.iter().map(|(_, e)| ((e - mean) / spread) as f32).collect();
                let wanted = Tensor::from_vec(wanted, (crystals.len(), 1), &self.device)?;
                let apart = (said - wanted)?;
                let error: f64 = apart.abs()?.mean_all()?.to_dtype(DType::F64)?.to_scalar()?;
                (apart.sqr()?.mean_all()?, "mean_absolute_error", spread * error)
            }
        };
        let loss = Loss {
            total: total.to_dtype(DType::F64)?.to_scalar()?,
            terms: BTreeMap::from([(term.to_owned(), value)]),
        };
        Ok((loss, total))
    }
}

impl Task for Training {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn identity(&self) -> String {
        let Run { data, property, seed, batch, .. } = &self.run;
        serde_json::json!({
            "kind": "selfsup-property",
            "network": self.network,
            "property": property,
            "scale": self.scale,
            "data": data,
            "hash": self.hash,
            "seed": seed,
            "batch": batch,
        })
        .to_string()
    }

    /// The backbone of pre-trained weights; the head stays fresh.
    fn start_from(&self, weights: &Tensors) -> Result<(), ModelError> {
        let mut all = self.parameters.values()?;
        for (name, value) in all.iter_mut().filter(|(name, _)| !name.starts_with(HEAD)) {
            *value = weights.get(name).cloned().ok_or_else(|| {
                ModelError::BadWeights(format!("these weights have no '{name}': another network"))
            })?;
        }
        self.parameters.set(&all)
    }

    fn steps(&self) -> usize {
        self.epochs.steps()
    }

    fn step(&mut self, epoch: u64, step: usize) -> Result<(Loss, Tensors), ModelError> {
        let (batch, _) = self.epochs.draw(epoch, step)?;
        let members: Vec<_> = batch.groups.values().flatten().map(|i| &self.crystals[*i]).collect();
        let network = Equiformer::new(&self.network, &self.parameters.tensors())?;
        let (loss, total) = self.loss(&network, &members)?;
        let gradients = self.parameters.gradients(&total)?;
        Ok((loss, gradients))
    }

    fn validate(&mut self, weights: &Tensors) -> Result<Loss, ModelError> {
        let network = Equiformer::new(&self.network, weights)?;
        let all: Vec<_> = self.validation.iter().collect();
        let mut mean = Loss::default();
        for part in all.chunks(self.run.batch.max(1)) {
            let (loss, _) = self.loss(&network, part)?;
            mean.add(&loss, part.len() as f64 / all.len() as f64);
        }
        Ok(mean)
    }
}

#[cfg(test)]
mod tests;
