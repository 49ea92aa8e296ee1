//! Training the ranker.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::super::build::{Foreign, Known, build, read};
use super::super::library::{Library, Provenance};
use super::features::NUMBERS;
use super::lesson::{Lesson, Plan, lessons};
use super::network::{self, Batch};
use super::{MEAN, SCALE};
use crate::ModelError;
use crate::data::{self, Crystal};
use crate::nn::parameters::{Parameters, Tensors};
use crate::nn::random::Random;
use crate::nn::train::{self, Loss, Task};

/// A training run: data, questions, optimiser. The file that `cellwright train ranker` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Data sets of the library, each of whose crystals is asked for in turn.
    pub sets: Vec<String>,
    /// Data sets that share no crystal with it: validation and tests.
    pub clean_of: Vec<String>,
    /// Data set (below the folder of the data) that training is judged by.
    pub validation: String,
    /// Seed of everything that chance decides.
    #[serde(default)]
    pub seed: u64,
    /// Questions of one step.
    pub batch: usize,
    /// Hits of a question that are ranked.
    pub hits: usize,
    /// Share of questions that do not say how large the cell is.
    pub without_cell: f64,
    /// Share of questions to which the library may know the answer; then that is the most stable crystal it knows.
    pub with_itself: f64,
    /// Questions for each crystal; all but the first look at a thinned library.
    pub copies: usize,
    /// At most this share of the library is left out then.
    pub thinned: f64,
    /// Pull of the free part of the elements' places towards zero.
    pub decay: f64,
    /// Optimiser and loop.
    #[serde(default)]
    pub train: train::Settings,
}

/// Learning to rank.
#[derive(Debug)]
pub struct Training {
    run: Run,
    data: BTreeMap<String, String>,
    parameters: Parameters,
    properties: Tensor,
    mean: Vec<f32>,
    scale: Vec<f32>,
    lessons: Vec<Lesson>,
    validation: Vec<Lesson>,
    /// The batches of an epoch.
    order: Option<(u64, Vec<Vec<usize>>)>,
    device: Device,
}

impl Training {
    /// Builds the library and asks its questions: minutes.
    ///
    /// # Errors
    /// When data cannot be read or there is nothing to learn from.
    pub fn open(run: &Run, data: &Path, device: &Device) -> Result<Self, ModelError> {
        let (known, hashes) = read(data, &run.sets)?;
        let (others, _) = read(data, &run.clean_of)?;
        let foreign = Foreign::new([], others);
        let kept: Vec<Known> = known.into_iter().filter(|k| !foreign.holds(k)).collect();
        let crystals: Vec<Crystal> = kept.iter().map(|k| k.entry.crystal.clone()).collect();
        let library = build(kept, Provenance { data: hashes.clone(), ..Provenance::default() });
        let validation = data::read(&data.join(format!("{}.jsonl.zst", run.validation)))?;
        Self::new(run, &library, &crystals, &validation, device)
    }

    /// Learns from crystals that are looked for in a library.
    ///
    /// # Errors
    /// When no question has a hit.
    pub fn new(
        run: &Run,
        library: &Library,
        crystals: &[Crystal],
        validation: &[Crystal],
        device: &Device,
    ) -> Result<Self, ModelError> {
        let plan = Plan {
            seed: run.seed,
            hits: run.hits,
            without_cell: run.without_cell,
            with_itself: run.with_itself,
            copies: run.copies.max(1),
            thinned: run.thinned,
        };
        let taught = lessons(library, crystals, plan);
        let plan = Plan { without_cell: 0.0, with_itself: 0.0, copies: 1, ..plan };
        let validation = lessons(library, validation, plan);
        if taught.is_empty() || validation.is_empty() {
            return Err(ModelError::Data(
                "no crystal of the sets has a prototype among the others".into(),
            ));
        }
        let (mean, scale) = normalisation(&taught);
        Ok(Self {
            run: run.clone(),
            data: library.provenance().data.clone(),
            parameters: network::parameters(&mut Random::new(run.seed, u64::MAX), device)?,
            properties: network::properties(device)?,
            mean,
            scale,
            lessons: taught,
            validation,
            order: None,
            device: device.clone(),
        })
    }

    /// Number of questions to learn from and to be judged by.
    #[must_use]
    pub fn questions(&self) -> [usize; 2] {
        [self.lessons.len(), self.validation.len()]
    }

    /// −log of the chance that was given to the hits that match, or to none of them where none does, and how often the
    /// first one matches.
    fn loss(&self, lessons: &[&Lesson], weights: &Tensors) -> Result<(Tensor, Loss), ModelError> {
        let asked: Vec<_> = lessons.iter().map(|l| &l.asked).collect();
        let batch = Batch::new(&asked, &self.mean, &self.scale, &self.device)?;
        let distances = network::distances(weights, &self.properties)?;
        let scores = network::scores(weights, &distances, &batch)?;
        let (questions, width) = scores.dims2()?;
        let mut right = vec![-1e4_f32; questions * width];
        for (q, lesson) in lessons.iter().enumerate() {
            for (h, matches) in lesson.matching.iter().enumerate() {
                if *matches {
                    right[q * width + h] = 0.0;
                }
            }
            if !lesson.matching.contains(&true) {
                right[(q + 1) * width - 1] = 0.0;
            }
        }
        let mask = Tensor::from_vec(right, (questions, width), &self.device)?;
        let likelihood = ((&scores + mask)?.log_sum_exp(1)? - scores.log_sum_exp(1)?)?;
        let loss = likelihood.neg()?.mean_all()?;
        let hits = scores.narrow(1, 0, width - 1)?.argmax(1)?.to_vec1::<u32>()?;
        let first = lessons
            .iter()
            .zip(&hits)
            .filter(|(lesson, hit)| lesson.matching.get(**hit as usize) == Some(&true))
            .count();
        let total = f64::from(loss.to_scalar::<f32>()?);
        let terms = BTreeMap::from([("first".to_owned(), first as f64 / questions as f64)]);
        Ok((loss, Loss { total, terms }))
    }

    /// Batches of questions with the same number of slots.
    fn batches(&self, epoch: u64) -> Vec<Vec<usize>> {
        let mut random = Random::new(self.run.seed, epoch);
        let mut by_slots = BTreeMap::<usize, Vec<usize>>::new();
        for (i, lesson) in self.lessons.iter().enumerate() {
            by_slots.entry(slots(lesson)).or_default().push(i);
        }
        let mut batches = Vec::new();
        for mut group in by_slots.into_values() {
            group.shuffle(random.source());
            batches.extend(group.chunks(self.run.batch.max(1)).map(<[usize]>::to_vec));
        }
        batches.shuffle(random.source());
        batches
    }
}

fn slots(lesson: &Lesson) -> usize {
    lesson.asked.hits[0].pairs[0].len()
}

/// Mean and one over the deviation of each number.
fn normalisation(lessons: &[Lesson]) -> (Vec<f32>, Vec<f32>) {
    let rows = || lessons.iter().flat_map(|l| &l.asked.hits).map(|h| &h.numbers);
    let count = rows().count().max(1) as f64;
    let mean = |k: usize| rows().map(|r| f64::from(r[k])).sum::<f64>() / count;
    let mut means = Vec::new();
    let mut scales = Vec::new();
    for k in 0..NUMBERS {
        let middle = mean(k);
        let variance = rows().map(|r| (f64::from(r[k]) - middle).powi(2)).sum::<f64>() / count;
        means.push(middle as f32);
        scales.push((1.0 / variance.sqrt().max(1e-3)) as f32);
    }
    (means, scales)
}

impl Task for Training {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn identity(&self) -> String {
        let identity = serde_json::json!({ "model": "ranker", "run": self.run, "data": self.data });
        identity.to_string()
    }

    fn constants(&self) -> Result<Tensors, ModelError> {
        let list = |numbers: &[f32]| Tensor::new(numbers, &Device::Cpu);
        Ok(Tensors::from([
            (MEAN.to_owned(), list(&self.mean)?),
            (SCALE.to_owned(), list(&self.scale)?),
        ]))
    }

    fn steps(&self) -> usize {
        self.batches(0).len()
    }

    fn step(&mut self, epoch: u64, step: usize) -> Result<(Loss, Tensors), ModelError> {
        if self.order.as_ref().is_none_or(|(e, _)| *e != epoch) {
            self.order = Some((epoch, self.batches(epoch)));
        }
        let batch = self.order.as_ref().map_or(&[][..], |(_, batches)| &batches[step]);
        let lessons: Vec<&Lesson> = batch.iter().map(|i| &self.lessons[*i]).collect();
        let weights = self.parameters.tensors();
        let (loss, told) = self.loss(&lessons, &weights)?;
        let pull = (weights["places.free.weight"].sqr()?.mean_all()? * self.run.decay)?;
        let store = (loss + pull)?.backward()?;
        let gradients = self.parameters.iter().filter_map(|(name, variable)| {
            Some((name.clone(), store.get(variable.as_tensor())?.clone()))
        });
        Ok((told, gradients.collect()))
    }

    fn validate(&mut self, weights: &Tensors) -> Result<Loss, ModelError> {
        let mut by_slots = BTreeMap::<usize, Vec<&Lesson>>::new();
        for lesson in &self.validation {
            by_slots.entry(slots(lesson)).or_default().push(lesson);
        }
        let mut mean = Loss::default();
        for part in by_slots.values().flat_map(|group| group.chunks(self.run.batch.max(1))) {
            let (_, loss) = self.loss(part, weights)?;
            mean.add(&loss, part.len() as f64 / self.validation.len() as f64);
        }
        Ok(mean)
    }
}
