//! Fine-tuning: the pre-trained backbone with a fresh head learns a property of whole crystals.
//!
//! Without weights to start from the same run learns from scratch; the difference is what pre-training is worth.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::config::{Network, Pooling};
use super::course::{Course, Known, graph};
use super::loss::log_softmax;
use super::network::{Equiformer, parameters};
use crate::ModelError;
use crate::data::{Label, Sets, Split, labels};
use crate::nn::checkpoint;
use crate::nn::parameters::{Parameters, Tensors};
use crate::nn::train::{self, Epochs, Loss, Task};

/// What the weights of a property call themselves.
const KIND: &str = "selfsup-property";

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
    pub(super) fn network(self, backbone: &Network) -> Network {
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
    parameters: Parameters,
    target: Target,
    course: Course,
}

/// The property of every crystal, and how far a network is from it.
#[derive(Debug)]
struct Target {
    property: Property,
    network: Network,
    device: Device,
    /// By identifier of the crystal.
    labels: BTreeMap<String, f64>,
    /// Mean and standard deviation of the property over the training set.
    scale: [f64; 2],
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
        Self::new(run, run.data.open(data)?, known, device)
    }

    /// Fresh weights for a run on these crystals, whose property `labels` gives by their identifiers.
    ///
    /// # Errors
    /// When the settings make no network, a crystal has no graph, or no crystal has the property.
    pub fn new(
        run: &Run,
        mut split: Split,
        labels: BTreeMap<String, f64>,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let network = run.property.network(&run.network);
        network.check()?;
        for set in [&mut split.train, &mut split.validation] {
            set.retain(|c| labels.contains_key(&c.id));
        }
        if split.train.is_empty() || split.validation.is_empty() {
            return Err(ModelError::Data(
                "training and validation need at least one crystal with the property".into(),
            ));
        }
        let known = || split.train.iter().filter_map(|c| labels.get(&c.id));
        let count = split.train.len() as f64;
        let mean = known().sum::<f64>() / count;
        let variance = known().map(|l| (l - mean).powi(2)).sum::<f64>() / count;
        let spread = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        Ok(Self {
            run: run.clone(),
            hash: split.hash.clone(),
            parameters: parameters(&network, &mut Epochs::weights(run.seed), device)?,
            course: Course::new(&network, split, run.seed, run.batch)?,
            target: Target {
                property: run.property,
                network,
                device: device.clone(),
                labels,
                scale: [mean, spread],
            },
        })
    }
}

impl Target {
    /// The loss of some crystals, with the tensor for its gradients.
    fn loss(
        &self,
        network: &Equiformer,
        crystals: &[&Known],
    ) -> Result<(Loss, Tensor), ModelError> {
        let label = |k: &&Known| self.labels.get(&k.crystal.id).copied();
        let labels: Vec<f64> = crystals.iter().filter_map(label).collect();
        let said = network.forward(&graph(&self.network, crystals, &self.device)?)?.scalars;
        let (total, term, value) = match self.property {
            Property::Stable { within } => {
                let classes: Vec<u32> =
                    labels.iter().map(|hull| u32::from(*hull <= within)).collect();
                let classes = Tensor::from_vec(classes, (crystals.len(), 1), &self.device)?;
                let right = said.argmax_keepdim(1)?.eq(&classes)?.to_dtype(DType::F64)?;
                let total = log_softmax(&said)?.gather(&classes, 1)?.mean_all()?.neg()?;
                (total, "accuracy", right.mean_all()?.to_scalar()?)
            }
            Property::FormationEnergy => {
                let [mean, spread] = self.scale;
                let wanted: Vec<f32> =
                    labels.iter().map(|e| ((e - mean) / spread) as f32).collect();
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
            "kind": KIND,
            "network": self.target.network,
            "property": property,
            "scale": self.target.scale,
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
        self.course.steps()
    }

    fn step(&mut self, epoch: u64, step: usize) -> Result<(Loss, Tensors), ModelError> {
        let (members, _) = self.course.draw(epoch, step)?;
        let network = Equiformer::new(&self.target.network, &self.parameters.tensors())?;
        let (loss, total) = self.target.loss(&network, &members)?;
        Ok((loss, self.parameters.gradients(&total)?))
    }

    fn validate(&mut self, weights: &Tensors) -> Result<Loss, ModelError> {
        let network = Equiformer::new(&self.target.network, weights)?;
        self.course.validate(|_| 1, |part, _| Ok(self.target.loss(&network, part)?.0))
    }
}

/// The weights of a classifier of stability with the given backbone: class 1 is a stable crystal.
///
/// # Errors
/// When the file is damaged, of another kind, of another property or of another network.
pub(super) fn classifier(
    bytes: &[u8],
    name: &str,
    backbone: &Network,
    device: &Device,
) -> Result<Tensors, ModelError> {
    #[derive(Deserialize)]
    struct Identity {
        network: Network,
        property: Property,
    }
    let (weights, found): (_, Identity) = checkpoint::trained(bytes, name, KIND, device)?;
    if !matches!(found.property, Property::Stable { .. }) {
        return Err(ModelError::BadWeights(format!("{name} tells no stable crystals from others")));
    }
    if found.network != found.property.network(backbone) {
        return Err(ModelError::BadWeights(format!("{name} has another network")));
    }
    Ok(weights)
}

#[cfg(test)]
mod tests;
