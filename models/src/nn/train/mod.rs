//! The training loop, for any model: gradient steps, averaged weights, validation, a falling rate, checkpoints, an
//! early stop.
//!
//! A run lives in a folder: `checkpoint.safetensors` (everything needed to go on, exactly), `model.safetensors`
//! (averaged weights at the best validation), `curve.jsonl` (one line for each epoch). Chance depends on seed, epoch
//! and step only, so a run that was stopped and taken up again gives the same numbers as one that was not.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::adam::{self, Adam};
use super::average::Average;
use super::checkpoint;
use super::parameters::{Named, Parameters, Tensors};
use super::plateau::{self, Plateau};
use crate::ModelError;

mod epochs;

pub use epochs::Epochs;

/// A loss and its terms by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// What is minimised.
    pub total: f64,
    /// What it is made of.
    #[serde(flatten)]
    pub terms: BTreeMap<String, f64>,
}

impl Loss {
    /// Adds `weight` times another loss.
    pub fn add(&mut self, other: &Self, weight: f64) {
        self.total += weight * other.total;
        for (name, value) in &other.terms {
            *self.terms.entry(name.clone()).or_default() += weight * value;
        }
    }
}

/// Something that can be trained.
pub trait Task {
    /// The variables.
    fn parameters(&self) -> &Parameters;

    /// What the weights belong to, as JSON text; a run is only taken up again by the same task.
    fn identity(&self) -> String;

    /// Tensors that belong to the weights in a file but are not trained.
    ///
    /// # Errors
    /// When the device is out of memory.
    fn constants(&self) -> Result<Tensors, ModelError> {
        Ok(Tensors::new())
    }

    /// Takes over the weights of an earlier run.
    ///
    /// # Errors
    /// When they are those of another network.
    fn start_from(&self, weights: &Tensors) -> Result<(), ModelError> {
        self.parameters().set(weights)
    }

    /// What else changes while training and has to be there to go on exactly.
    ///
    /// # Errors
    /// When the device is out of memory.
    fn memory(&self) -> Result<Tensors, ModelError> {
        Ok(Tensors::new())
    }

    /// Takes up where [`Self::memory`] was.
    ///
    /// # Errors
    /// When something is missing or of another task.
    fn remember(&mut self, memory: &Tensors) -> Result<(), ModelError> {
        Named::new(memory.clone()).finish()
    }

    /// Number of steps in an epoch.
    fn steps(&self) -> usize;

    /// Loss and gradients of a step. Chance depends on the epoch and step only.
    ///
    /// # Errors
    /// When the model fails.
    fn step(&mut self, epoch: u64, step: usize) -> Result<(Loss, Tensors), ModelError>;

    /// Loss on the validation set with given weights; the same chance every time.
    ///
    /// # Errors
    /// When the model fails.
    fn validate(&mut self, weights: &Tensors) -> Result<Loss, ModelError>;
}

/// How to train.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Number of epochs.
    pub epochs: u64,
    /// Validate after so many epochs.
    pub validate_every: u64,
    /// Stop after so many validations without improvement; none for never.
    pub early_stop: Option<u64>,
    /// Largest norm of the gradients; none for any.
    pub clip: Option<f64>,
    /// Decay of the averaged weights \[0.999\].
    pub average: f64,
    /// Seconds between checkpoints inside an epoch or between epochs.
    pub checkpoint_seconds: u64,
    /// The optimiser.
    pub adam: adam::Settings,
    /// The learning rate.
    pub rate: plateau::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            epochs: 1000,
            validate_every: 1,
            early_stop: None,
            clip: None,
            average: 0.999,
            checkpoint_seconds: 120,
            adam: adam::Settings::default(),
            rate: plateau::Settings::default(),
        }
    }
}

/// One line of the curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Number of the epoch, from 1.
    pub epoch: u64,
    /// Training time so far, seconds.
    pub seconds: f64,
    /// Learning rate during the epoch.
    pub rate: f64,
    /// Mean over the steps of the epoch.
    pub train: Loss,
    /// Loss on the validation set, if it was looked at.
    pub validation: Option<Loss>,
}

/// What happens while training.
#[derive(Debug)]
pub enum Event<'a> {
    /// A step is done: epoch from 1, steps done, steps of the epoch, its loss.
    Step(u64, usize, usize, &'a Loss),
    /// An epoch is done.
    Epoch(&'a Point),
}

/// What the watcher of a training run wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// Save a checkpoint and stop.
    Stop,
}

/// Why training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All epochs are done.
    Done,
    /// The validation loss did not fall any more.
    Early,
    /// The watcher asked for it; the run can be taken up again.
    Stopped,
}

/// Where a run is: with the tensors of the checkpoint, all there is to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct State {
    epoch: u64,
    step: usize,
    adam_steps: i32,
    average_steps: u64,
    plateau: Plateau,
    best: Option<f64>,
    since_best: u64,
    seconds: f64,
    /// Sum over the steps of this epoch.
    train: Loss,
    curve: Vec<Point>,
}

struct Run<'a> {
    task: &'a mut dyn Task,
    settings: &'a Settings,
    folder: &'a Path,
    state: State,
    adam: Adam,
    average: Average,
    saved: Instant,
    resumed: Instant,
    before: f64,
}

const CHECKPOINT: &str = "checkpoint.safetensors";

/// Trains until the end or until `watch` says stop. With `resume` the run in `folder` is taken up again; without,
/// there must be none.
///
/// # Errors
/// When the task fails, the loss is not a number, a file cannot be written, or the folder holds a run that is not
/// wanted or of another task.
pub fn train(
    task: &mut dyn Task,
    settings: &Settings,
    folder: &Path,
    resume: bool,
    watch: &mut dyn FnMut(Event) -> Control,
) -> Result<End, ModelError> {
    let mut run = Run::start(task, settings, folder, resume)?;
    let end = run.epochs(watch)?;
    run.save()?;
    Ok(end)
}

impl<'a> Run<'a> {
    fn start(
        task: &'a mut dyn Task,
        settings: &'a Settings,
        folder: &'a Path,
        resume: bool,
    ) -> Result<Self, ModelError> {
        let adam = Adam::new(&settings.adam, task.parameters())?;
        let average = Average::new(settings.average, task.parameters())?;
        let state = State {
            epoch: 0,
            step: 0,
            adam_steps: 0,
            average_steps: 0,
            plateau: Plateau::new(&settings.rate),
            best: None,
            since_best: 0,
            seconds: 0.0,
            train: Loss::default(),
            curve: Vec::new(),
        };
        let now = Instant::now();
        let mut run = Self {
            task,
            settings,
            folder,
            state,
            adam,
            average,
            saved: now,
            resumed: now,
            before: 0.0,
        };
        let path = folder.join(CHECKPOINT);
        match (path.exists(), resume) {
            (true, true) => run.restore(&path)?,
            (false, false) => run.write_curve()?,
            (true, false) => {
                return Err(ModelError::Data(format!(
                    "{} holds a run already: go on with --resume or choose another folder",
                    folder.display()
                )));
            }
            (false, true) => {
                return Err(ModelError::Data(format!(
                    "{} holds no run to go on with",
                    folder.display()
                )));
            }
        }
        Ok(run)
    }

    fn restore(&mut self, path: &Path) -> Result<(), ModelError> {
        let device = candle_core::Device::Cpu;
        let (tensors, text) = checkpoint::read(path, &device)?;
        if text.get("task") != Some(&self.task.identity()) {
            return Err(ModelError::Data(format!(
                "{} is a run of another model or other data: {}",
                path.display(),
                text.get("task").map_or("unknown", String::as_str)
            )));
        }
        let state = text.get("state").map_or("", String::as_str);
        self.state = serde_json::from_str(state)
            .map_err(|e| ModelError::BadWeights(format!("{}: {e}", path.display())))?;
        self.before = self.state.seconds;
        let to_device = self.task.parameters().device().clone();
        let part = |prefix: &str| -> candle_core::Result<Tensors> {
            let of = tensors.iter().filter_map(|(n, t)| Some((n.strip_prefix(prefix)?, t)));
            of.map(|(n, t)| Ok((n.to_owned(), t.to_device(&to_device)?))).collect()
        };
        self.task.parameters().set(&part("parameter.")?)?;
        self.adam.restore(self.state.adam_steps, &part("")?)?;
        self.average.restore(self.state.average_steps, part("average.")?);
        self.task.remember(&part("memory.")?)?;
        self.write_curve()
    }

    fn epochs(&mut self, watch: &mut dyn FnMut(Event) -> Control) -> Result<End, ModelError> {
        while self.state.epoch < self.settings.epochs {
            let steps = self.task.steps();
            let mut stop = false;
            while self.state.step < steps {
                let loss = self.step()?;
                self.state.seconds = self.before + self.resumed.elapsed().as_secs_f64();
                let event = Event::Step(self.state.epoch + 1, self.state.step, steps, &loss);
                stop = watch(event) == Control::Stop;
                if stop && self.state.step < steps {
                    return Ok(End::Stopped);
                }
                if self.saved.elapsed() > Duration::from_secs(self.settings.checkpoint_seconds) {
                    self.save()?;
                }
            }
            let point = self.finish_epoch()?;
            if watch(Event::Epoch(&point)) == Control::Stop || stop {
                return Ok(End::Stopped);
            }
            if self.settings.early_stop.is_some_and(|patience| self.state.since_best >= patience) {
                return Ok(End::Early);
            }
        }
        Ok(End::Done)
    }

    fn step(&mut self) -> Result<Loss, ModelError> {
        let (loss, mut gradients) = self.task.step(self.state.epoch, self.state.step)?;
        if !loss.total.is_finite() {
            return Err(ModelError::Data(format!(
                "the loss is not a number in epoch {} step {}: a smaller learning rate or clip may help",
                self.state.epoch + 1,
                self.state.step + 1
            )));
        }
        if let Some(largest) = self.settings.clip {
            adam::clip(&mut gradients, largest)?;
        }
        self.adam.step(self.task.parameters(), &gradients, self.state.plateau.rate)?;
        self.average.update(self.task.parameters())?;
        self.state.train.add(&loss, 1.0);
        self.state.step += 1;
        Ok(loss)
    }

    fn finish_epoch(&mut self) -> Result<Point, ModelError> {
        let mut train = Loss::default();
        train.add(&self.state.train, 1.0 / self.state.step.max(1) as f64);
        let rate = self.state.plateau.rate;
        self.state.epoch += 1;
        self.state.step = 0;
        self.state.train = Loss::default();
        let look = self.state.epoch.is_multiple_of(self.settings.validate_every.max(1))
            || self.state.epoch == self.settings.epochs;
        let validation = look.then(|| self.task.validate(self.average.values())).transpose()?;
        if let Some(loss) = &validation {
            self.state.plateau.look(loss.total, &self.settings.rate);
            self.state.since_best += 1;
            if self.state.best.is_none_or(|best| loss.total < best) {
                self.state.best = Some(loss.total);
                self.state.since_best = 0;
                self.write_model(loss)?;
            }
        }
        let seconds = self.before + self.resumed.elapsed().as_secs_f64();
        self.state.seconds = seconds;
        let point = Point { epoch: self.state.epoch, seconds, rate, train, validation };
        self.state.curve.push(point.clone());
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join("curve.jsonl"))?;
        writeln!(file, "{}", line(&point)?)?;
        Ok(point)
    }

    fn write_model(&self, validation: &Loss) -> Result<(), ModelError> {
        let text = BTreeMap::from([
            ("task".to_owned(), self.task.identity()),
            ("epoch".to_owned(), self.state.epoch.to_string()),
            ("validation".to_owned(), line(validation)?),
        ]);
        let mut tensors = self.task.constants()?;
        tensors.extend(self.average.values().clone());
        checkpoint::write(&self.folder.join("model.safetensors"), &tensors, &text)
    }

    /// The curve as the checkpoint has it: a run that was killed may have written lines after its last checkpoint.
    fn write_curve(&self) -> Result<(), ModelError> {
        let mut text = String::new();
        for point in &self.state.curve {
            text.push_str(&line(point)?);
            text.push('\n');
        }
        crate::weights::write_atomically(&self.folder.join("curve.jsonl"), text.as_bytes())
    }

    fn save(&mut self) -> Result<(), ModelError> {
        let (adam_steps, mut tensors) = self.adam.state();
        let prefixed = |prefix: &str, of: &Tensors| {
            of.iter().map(|(n, t)| (format!("{prefix}{n}"), t.clone())).collect::<Vec<_>>()
        };
        tensors.extend(prefixed("parameter.", &self.task.parameters().values()?));
        tensors.extend(prefixed("average.", self.average.values()));
        tensors.extend(prefixed("memory.", &self.task.memory()?));
        self.state.adam_steps = adam_steps;
        self.state.average_steps = self.average.steps();
        let text = BTreeMap::from([
            ("task".to_owned(), self.task.identity()),
            ("state".to_owned(), line(&self.state)?),
        ]);
        checkpoint::write(&self.folder.join(CHECKPOINT), &tensors, &text)?;
        self.saved = Instant::now();
        Ok(())
    }
}

fn line(value: &impl Serialize) -> Result<String, ModelError> {
    serde_json::to_string(value).map_err(|e| ModelError::Data(e.to_string()))
}

#[cfg(test)]
mod tests;
