//! Training on a set of crystals.

use std::path::Path;

use candle_core::Device;
use serde::{Deserialize, Serialize};

use super::config::Config;
use super::loss::{Diffuser, Draw, Noised, Terms};
use super::network::{Denoiser, parameters};
use crate::ModelError;
use crate::data::{Batch, Crystal, Sets, Split};
use crate::nn::parameters::{Parameters, Tensors};
use crate::nn::random::Random;
use crate::nn::train::{self, Epochs, Loss, Task};

/// A training run: data, model, optimiser. The file that `cellwright train equicsp` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// What is learned from.
    pub data: Sets,
    /// Seed of everything that chance decides.
    #[serde(default)]
    pub seed: u64,
    /// Crystals of one step \[256\].
    #[serde(default = "default_batch")]
    pub batch: usize,
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

/// Learning to denoise a set of crystals.
#[derive(Debug)]
pub struct Training {
    run: Run,
    split: Split,
    diffuser: Diffuser,
    parameters: Parameters,
    device: Device,
    epochs: Epochs,
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
    /// When the settings make no model, or an element is outside the embedding.
    pub fn new(run: &Run, split: Split, device: &Device) -> Result<Self, ModelError> {
        let largest = run.model.network.elements;
        let all = || split.train.iter().chain(&split.validation);
        if let Some((z, c)) = all()
            .flat_map(|c| c.numbers.iter().map(move |z| (usize::from(*z), c)))
            .find(|(z, _)| *z > largest)
        {
            return Err(ModelError::Unsupported(format!(
                "{} has element number {z}; this model goes to {largest}",
                c.id
            )));
        }
        let every: Vec<usize> = all().map(|c| c.numbers.len()).collect();
        let diffuser = Diffuser::new(&run.model, &every)?;
        let parameters = parameters(&run.model.network, &mut Epochs::weights(run.seed), device)?;
        let sizes = split.train.iter().map(|c| c.numbers.len()).collect();
        Ok(Self {
            run: run.clone(),
            epochs: Epochs::new(run.seed, run.batch, sizes),
            split,
            diffuser,
            parameters,
            device: device.clone(),
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
            let draws: Vec<Draw> =
                members.iter().map(|_| Draw::random(atoms, config, random)).collect();
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
        let Run { data, seed, batch, model, .. } = &self.run;
        serde_json::json!({
            "kind": "equicsp",
            "model": model,
            "data": data,
            "hash": self.split.hash,
            "seen": self.split.seen(),
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
        let mut gradients = Tensors::new();
        let weights = self.parameters.tensors();
        let crystals = &self.split.train;
        let loss = self.loss(crystals, &batch, &weights, &mut random, Some(&mut gradients))?;
        Ok((loss, gradients))
    }

    fn validate(&mut self, weights: &Tensors) -> Result<Loss, ModelError> {
        let sizes: Vec<usize> = self.split.validation.iter().map(|c| c.numbers.len()).collect();
        let mut random = Epochs::validation(self.run.seed);
        let mut mean = Loss::default();
        for start in (0..sizes.len()).step_by(self.run.batch.max(1)) {
            let end = (start + self.run.batch.max(1)).min(sizes.len());
            let batch = Batch::new(&sizes, start..end);
            let loss = self.loss(&self.split.validation, &batch, weights, &mut random, None)?;
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
        Run { data: Sets::default(), seed: 1, batch: 3, model, train }
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
    fn every_parameter_has_a_gradient() {
        for species in [false, true] {
            let mut run = run();
            run.model.network.species = species;
            let mut task = training(&run, crystals(), crystals()).unwrap();
            let (loss, gradients) = task.step(0, 0).unwrap();
            assert!(loss.total > 0.0 && loss.terms.len() == 6);
            assert_eq!(loss.terms["species"] > 0.0, species);
            for (name, variable) in task.parameters().iter() {
                let gradient = gradients.get(name).unwrap_or_else(|| panic!("{name} has none"));
                assert_eq!(gradient.dims(), variable.dims());
                let size = gradient.abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
                assert!(size > 0.0, "the gradient of {name} is zero");
            }
        }
    }

    #[test]
    fn gradients_are_derivatives() {
        let mut task = training(&run(), crystals(), crystals()).unwrap();
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

    /// Trains on the same few crystals again and again; the loss of every epoch.
    fn by_heart(mut run: Run, epochs: u64) -> Vec<Loss> {
        run.batch = 64;
        run.train.epochs = epochs;
        run.train.validate_every = epochs;
        run.train.rate.start = 5e-3;
        let many: Vec<Crystal> = crystals().into_iter().cycle().take(64).collect();
        let mut task = training(&run, many.clone(), many).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut losses = Vec::new();
        let mut watch = |event: train::Event| {
            if let train::Event::Epoch(point) = event {
                losses.push(point.train.clone());
            }
            Control::Continue
        };
        let end = train::train(&mut task, &run.train, dir.path(), false, &mut watch).unwrap();
        assert_eq!(end, End::Done);
        losses
    }

    #[test]
    fn a_few_crystals_are_learned_by_heart() {
        let mut run = run();
        run.model.network.hidden = 32;
        let losses = by_heart(run, 150);
        let mean = |part: &[Loss]| part.iter().map(|l| l.total).sum::<f64>() / part.len() as f64;
        let (first, last) = (mean(&losses[..5]), mean(&losses[145..]));
        assert!(last < 0.6 * first, "{first} {last}");
    }

    #[test]
    fn species_are_learned_where_they_are_diffused() {
        let mut run = run();
        // The noise of every element has to pass through the features.
        run.model.network.elements = 40;
        run.model.network.hidden = 64;
        run.model.network.species = true;
        let losses = by_heart(run, 80);
        let [first, last] = [&losses[0], &losses[79]].map(|loss| loss.terms["species"]);
        // 1 is what says nothing reaches.
        assert!(first > 0.9 && last < 0.4, "{first} {last}");
    }

    #[test]
    fn what_cannot_be_trained_on_is_refused() {
        let refused = |run: &Run, crystals: Vec<Crystal>| {
            training(run, crystals.clone(), crystals).unwrap_err().to_string()
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
