//! Training on a set of crystals.

use std::path::Path;

use candle_core::Device;
use serde::{Deserialize, Serialize};

use super::config::Config;
use super::loss::{Diffuser, Draw, Noised, Terms};
use super::network::{Denoiser, parameters};
use crate::ModelError;
use crate::data::{self, Batch, Crystal, batches};
use crate::nn::parameters::{Parameters, Tensors};
use crate::nn::random::Random;
use crate::nn::train::{self, Loss, Task};

/// A training run: model, optimiser, data order. The file that `cellwright train` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Name of the data set, a folder with `train.jsonl.zst` and `val.jsonl.zst`.
    pub dataset: String,
    /// Seed of everything that chance decides.
    #[serde(default)]
    pub seed: u64,
    /// Crystals of one step \[256\].
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
    pub model: Config,
    /// Optimiser and loop.
    #[serde(default)]
    pub train: train::Settings,
}

fn default_batch() -> usize {
    256
}

/// Streams of random numbers: of the weights, of the validation, and from the last one on, those of epochs and steps.
const WEIGHTS: u64 = 0;
const VALIDATION: u64 = 1;
const EPOCHS: u64 = 2;

/// Steps of one epoch have streams of their own, fewer than this.
const STREAMS: u64 = 1 << 20;

/// Learning to denoise a set of crystals.
#[derive(Debug)]
pub struct Training {
    run: Run,
    data: String,
    diffuser: Diffuser,
    parameters: Parameters,
    device: Device,
    crystals: Vec<Crystal>,
    validation: Vec<Crystal>,
    sizes: Vec<usize>,
    /// The mini-batches of an epoch.
    order: Option<(u64, Vec<Batch>)>,
}

impl Training {
    /// Fresh weights for a run on the data set in its folder below `data`.
    ///
    /// # Errors
    /// When the data cannot be read, and as [`Self::new`].
    pub fn open(run: &Run, data: &Path, device: &Device) -> Result<Self, ModelError> {
        let file = |split: &str| data.join(&run.dataset).join(format!("{split}.jsonl.zst"));
        let (train, validation) = (file("train"), file("val"));
        let name = format!("{} {}", data::sha256(&train)?, data::sha256(&validation)?);
        Self::new(run, data::read(&train)?, data::read(&validation)?, &name, device)
    }

    /// Fresh weights for a run on these crystals. `data` names them, for example by a hash.
    ///
    /// # Errors
    /// When a set is empty, the settings make no model, or an element is outside the embedding.
    pub fn new(
        run: &Run,
        mut crystals: Vec<Crystal>,
        mut validation: Vec<Crystal>,
        data: &str,
        device: &Device,
    ) -> Result<Self, ModelError> {
        crystals.truncate(run.training.unwrap_or(usize::MAX));
        validation.truncate(run.validation.unwrap_or(usize::MAX));
        if crystals.is_empty() || validation.is_empty() {
            return Err(ModelError::Data(
                "training and validation need at least one crystal".into(),
            ));
        }
        let largest = run.model.network.elements;
        let all = || crystals.iter().chain(&validation);
        if let Some((z, c)) = all()
            .flat_map(|c| c.numbers.iter().map(move |z| (usize::from(*z), c)))
            .find(|(z, _)| *z > largest)
        {
            return Err(ModelError::Unsupported(format!(
                "{} has element number {z}; this model goes to {largest}",
                c.id
            )));
        }
        let sizes: Vec<usize> = crystals.iter().map(|c| c.numbers.len()).collect();
        let every: Vec<usize> = all().map(|c| c.numbers.len()).collect();
        let diffuser = Diffuser::new(&run.model, &every)?;
        let mut random = Random::new(run.seed, WEIGHTS);
        let parameters = parameters(&run.model.network, &mut random, device)?;
        Ok(Self {
            run: run.clone(),
            data: data.to_owned(),
            diffuser,
            parameters,
            device: device.clone(),
            crystals,
            validation,
            sizes,
            order: None,
        })
    }

    /// The loss of a mini-batch, and its gradients if wanted.
    fn loss(
        &self,
        crystals: &[Crystal],
        batch: &Batch,
        weights: &Tensors,
        random: &mut Random,
        mut gradients: Option<&mut Tensors>,
    ) -> Result<Loss, ModelError> {
        // Once for every mini-batch: parts of the weights are joined to new tensors.
        let config = &self.diffuser.config;
        let denoiser = Denoiser::new(&config.network, weights)?;
        let mut sum = Loss::default();
        for (&atoms, group) in &batch.groups {
            let members: Vec<&Crystal> = group.iter().map(|i| &crystals[*i]).collect();
            let steps = config.diffusion.steps;
            let draws: Vec<Draw> =
                members.iter().map(|_| Draw::random(atoms, steps, random)).collect();
            let noised = Noised::new(&self.diffuser, &members, &draws, &self.device)?;
            let terms = Terms::new(&denoiser, &noised, batch.crystals(), batch.atoms())?;
            let total = terms.total(config)?;
            if let Some(gradients) = &mut gradients {
                let store = total.backward()?;
                for (name, variable) in self.parameters.iter() {
                    let Some(gradient) = store.get(variable) else { continue };
                    let sum = match gradients.get(name) {
                        Some(sum) => (sum + gradient)?,
                        None => gradient.clone(),
                    };
                    gradients.insert(name.clone(), sum);
                }
            }
            let values = terms.values()?;
            let names = Terms::NAMES.map(str::to_owned);
            let loss = Loss {
                total: total.to_dtype(candle_core::DType::F64)?.to_scalar()?,
                terms: names.into_iter().zip(values).collect(),
            };
            sum.add(&loss, 1.0);
        }
        Ok(sum)
    }
}

impl Task for Training {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn identity(&self) -> String {
        let Run { dataset, seed, batch, validation, training, model, .. } = &self.run;
        serde_json::json!({
            "kind": "equicsp",
            "model": model,
            "dataset": dataset,
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
        let batch = self.order.as_ref().and_then(|(_, order)| order.get(step)).cloned();
        let batch =
            batch.ok_or_else(|| ModelError::Data(format!("an epoch has no step {step}")))?;
        let mut random = Random::new(self.run.seed, stream + 1 + step as u64);
        let mut gradients = Tensors::new();
        let weights = self.parameters.tensors();
        let loss =
            self.loss(&self.crystals, &batch, &weights, &mut random, Some(&mut gradients))?;
        Ok((loss, gradients))
    }

    fn validate(&mut self, weights: &Tensors) -> Result<Loss, ModelError> {
        let sizes: Vec<usize> = self.validation.iter().map(|c| c.numbers.len()).collect();
        let mut random = Random::new(self.run.seed, VALIDATION);
        let mut mean = Loss::default();
        for start in (0..sizes.len()).step_by(self.run.batch.max(1)) {
            let end = (start + self.run.batch.max(1)).min(sizes.len());
            let batch = Batch::new(&sizes, start..end);
            let loss = self.loss(&self.validation, &batch, weights, &mut random, None)?;
            mean.add(&loss, (end - start) as f64 / sizes.len() as f64);
        }
        Ok(mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::equicsp::config::{Diffusion, Network};
    use crate::nn::train::{Control, End};

    /// Rock salt, perovskite and a single atom, of different sizes and shapes.
    fn crystals() -> Vec<Crystal> {
        let crystal = |numbers: &[u8], frac: &[[f64; 3]], a: f64| Crystal {
            id: "x".into(),
            numbers: numbers.to_vec(),
            frac: frac.to_vec(),
            lengths: [a, a, a + 0.1],
            angles: [90.0, 90.0, 89.0],
        };
        let perovskite = [[0.0; 3], [0.5; 3], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]];
        vec![
            crystal(&[11, 17], &[[0.0; 3], [0.5; 3]], 3.9),
            crystal(&[38, 22, 8, 8, 8], &perovskite, 3.9),
            crystal(&[29], &[[0.0; 3]], 2.5),
            crystal(&[12, 8], &[[0.0; 3], [0.5; 3]], 3.0),
        ]
    }

    fn run() -> Run {
        let network =
            Network { hidden: 16, layers: 2, frequencies: 4, time: 8, ..Network::default() };
        let diffusion = Diffusion { table_draws: 2000, ..Diffusion::default() };
        let model = Config { network, diffusion, ..Config::default() };
        let train = train::Settings { epochs: 2, ..train::Settings::default() };
        Run {
            dataset: "x".into(),
            seed: 1,
            batch: 3,
            validation: None,
            training: None,
            model,
            train,
        }
    }

    #[test]
    fn every_parameter_has_a_gradient() {
        let mut task = Training::new(&run(), crystals(), crystals(), "", &Device::Cpu).unwrap();
        let (loss, gradients) = task.step(0, 0).unwrap();
        assert!(loss.total > 0.0 && loss.terms.len() == 5);
        for (name, variable) in task.parameters().iter() {
            let gradient = gradients.get(name).unwrap_or_else(|| panic!("{name} has none"));
            assert_eq!(gradient.dims(), variable.dims());
            let size = gradient.abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(size > 0.0, "the gradient of {name} is zero");
        }
    }

    #[test]
    fn gradients_are_derivatives() {
        let mut task = Training::new(&run(), crystals(), crystals(), "", &Device::Cpu).unwrap();
        let (_, gradients) = task.step(0, 0).unwrap();
        let start = task.parameters().values().unwrap();
        for name in
            ["csp_layer_0.edge_mlp.0.weight", "csp_layer_1.layer_norm.weight", "log_out.weight"]
        {
            // Along the gradient itself the slope is the square of its norm.
            let direction = &gradients[name];
            let square =
                f64::from(direction.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap());
            let h = 0.01 / square.sqrt();
            let mut at = |h: f64| {
                let mut moved = start.clone();
                moved.insert(name.into(), (&start[name] + (direction * h).unwrap()).unwrap());
                task.parameters().set(&moved).unwrap();
                task.step(0, 0).unwrap().0.total
            };
            let slope = (at(h) - at(-h)) / (2.0 * h);
            task.parameters().set(&start).unwrap();
            assert!((slope / square - 1.0).abs() < 0.02, "{name}: {slope} {square}");
        }
    }

    #[test]
    fn a_few_crystals_are_learned_by_heart() {
        let mut run = run();
        run.model.network.hidden = 32;
        run.batch = 64;
        run.train.epochs = 150;
        run.train.validate_every = 150;
        run.train.rate.start = 5e-3;
        let many: Vec<Crystal> = crystals().into_iter().cycle().take(64).collect();
        let mut task = Training::new(&run, many.clone(), many, "", &Device::Cpu).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut losses = Vec::new();
        let mut watch = |event: train::Event| {
            if let train::Event::Epoch(point) = event {
                losses.push(point.train.total);
            }
            Control::Continue
        };
        let end = train::train(&mut task, &run.train, dir.path(), false, &mut watch).unwrap();
        assert_eq!(end, End::Done);
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        let (first, last) = (mean(&losses[..5]), mean(&losses[145..]));
        assert!(last < 0.6 * first, "{first} {last}");
    }

    #[test]
    fn what_cannot_be_trained_on_is_refused() {
        let refused = |run: &Run, crystals: Vec<Crystal>| {
            Training::new(run, crystals.clone(), crystals, "", &Device::Cpu)
                .unwrap_err()
                .to_string()
        };
        assert!(refused(&run(), Vec::new()).contains("at least one crystal"));
        let mut small = run();
        small.model.network.elements = 20;
        assert!(refused(&small, crystals()).contains("goes to 20"));
        let mut odd = run();
        odd.model.network.time = 7;
        assert!(refused(&odd, crystals()).contains("time is even"));
    }
}
