use std::collections::BTreeMap;

use candle_core::{Tensor, Var};
use cellwright_crystal::Lattice;

use super::judge::distances;
use super::*;
use crate::data::{Crystal, Sets};
use crate::nn::checkpoint;
use crate::nn::random::Random;
use crate::nn::train::{self, Control, End, Event};
use crate::selfsup::config::Network;
use crate::selfsup::corruption::{Corrupted, Corruption};
use crate::selfsup::finetune::{self, Property};
use crate::selfsup::graph::Graph;
use crate::selfsup::network::{Equiformer, Output};
use crate::selfsup::task::Setup;
use crate::selfsup::testing::{crystals, network};
use crate::selfsup::tests::{small, weights};

fn run() -> Run {
    Run {
        generator: task::Run {
            data: Sets::default(),
            seed: 1,
            batch: 4,
            model: Setup { network: network(), ..Setup::default() },
            train: train::Settings { epochs: 3, average: 0.9, ..train::Settings::default() },
        },
        adversary: Adversary { every: 2, rate: 1e-3, ..Adversary::default() },
    }
}

fn split(train: Vec<Crystal>) -> Split {
    Sets::default().cut(train, crystals(), String::new()).unwrap()
}

fn training(run: &Run) -> Training {
    Training::new(run, split(crystals()), &Device::Cpu).unwrap()
}

#[test]
fn distances_are_those_by_hand() {
    // Probabilities (1/4, 3/4) and (1, 0).
    let logits = Tensor::new(&[[0.0, 3_f64.ln()], [1000.0, 0.0]], &Device::Cpu).unwrap();
    for (real, wanted) in [(true, [0.5, 2.0]), (false, [1.5, 0.0])] {
        let got = distances(&logits, real).unwrap().to_vec1::<f64>().unwrap();
        assert!(got.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12), "{got:?}");
    }
}

/// A crystal without symmetry and an answer in double precision.
struct Answer {
    known: Known,
    corrupted: Corrupted,
    logits: Vec<f64>,
    vectors: Vec<f64>,
}

impl Answer {
    fn new(elements: usize) -> Self {
        let known = Known {
            lattice: Lattice::from_parameters([3.9, 4.6, 5.2], [83.0, 97.0, 104.0]).unwrap(),
            crystal: Crystal {
                id: "odd".into(),
                numbers: vec![26, 8, 8, 57],
                frac: vec![
                    [0.02, 0.11, 0.97],
                    [0.48, 0.55, 0.07],
                    [0.31, 0.93, 0.52],
                    [0.77, 0.36, 0.61],
                ],
                lengths: [3.9, 4.6, 5.2],
                angles: [83.0, 97.0, 104.0],
            },
        };
        let mut random = Random::new(5, 0);
        let Crystal { numbers, frac, .. } = &known.crystal;
        let corrupted =
            Corruption::default().apply(&known.lattice, numbers, frac, &mut random).unwrap();
        let mut normal = |count: usize, scale: f64| {
            (0..count).map(|_| scale * random.normal()).collect::<Vec<_>>()
        };
        let (logits, vectors) = (normal(4 * elements, 1.5), normal(12, 0.1));
        Self { known, corrupted, logits, vectors }
    }

    fn said(logits: &Tensor, vectors: &Tensor) -> Output {
        Output { scalars: logits.clone(), vectors: Some(vectors.clone()) }
    }

    fn tensors(&self) -> [Tensor; 2] {
        let tensor = |numbers: &[f64]| {
            Tensor::from_slice(numbers, (4, numbers.len() / 4), &Device::Cpu).unwrap()
        };
        [tensor(&self.logits), tensor(&self.vectors)]
    }

    /// How far it is from being taken for real.
    fn distance(&self, config: &Network, judge: &Equiformer, said: &Output) -> Tensor {
        let generated =
            Generated::new(&[&self.known], std::slice::from_ref(&self.corrupted), said).unwrap();
        let graph = generated.graph(config, said).unwrap();
        distances(&judge.forward(&graph).unwrap().scalars, true).unwrap().mean_all().unwrap()
    }
}

#[test]
fn the_generators_loss_has_the_gradient_of_central_differences() {
    for degree in [1, 2] {
        let backbone =
            Network { lmax: degree, mmax: degree, outputs: 103, summary: true, ..small() };
        let config = Property::Stable { within: 0.0 }.network(&backbone);
        let judge = Equiformer::new(&config, &weights(&config, 3, DType::F64)).unwrap();
        let answer = Answer::new(103);
        let [logits, vectors] = answer.tensors().map(|t| Var::from_tensor(&t).unwrap());
        let distance = answer.distance(&config, &judge, &Answer::said(&logits, &vectors));
        let gradients = distance.backward().unwrap();
        let numbers =
            |v: &Var| gradients.get(v).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
        let value = |answer: &Answer| {
            let [logits, vectors] = answer.tensors();
            let said = Answer::said(&logits, &vectors);
            answer.distance(&config, &judge, &said).to_scalar::<f64>().unwrap()
        };
        let pick: [fn(&mut Answer) -> &mut Vec<f64>; 2] = [|a| &mut a.logits, |a| &mut a.vectors];
        for (variable, pick, stride) in [(&logits, pick[0], 17), (&vectors, pick[1], 1)] {
            let gradient = numbers(variable);
            let scale = gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
            assert!(scale > 1e-4, "degree {degree}: {scale:e}");
            for i in (0..gradient.len()).step_by(stride) {
                let at = |step: f64| {
                    let mut moved = Answer::new(103);
                    pick(&mut moved)[i] += step;
                    value(&moved)
                };
                let wanted = (at(1e-5) - at(-1e-5)) / 2e-5;
                let error = (gradient[i] - wanted).abs() / scale;
                assert!(error < 1e-5, "degree {degree}, {i}: {} {wanted}", gradient[i]);
            }
        }
    }
}

#[test]
fn pure_shares_are_elements() {
    let backbone = Network { outputs: 103, summary: true, ..small() };
    let config = Property::Stable { within: 0.0 }.network(&backbone);
    let judge = Equiformer::new(&config, &weights(&config, 3, DType::F64)).unwrap();
    let mut answer = Answer::new(103);
    for (i, logit) in answer.logits.iter_mut().enumerate() {
        *logit = if i % 103 == [25, 7, 7, 56][i / 103] { 900.0 } else { 0.0 };
    }
    let [logits, vectors] = answer.tensors();
    let said = Answer::said(&logits, &vectors);
    let generated =
        Generated::new(&[&answer.known], std::slice::from_ref(&answer.corrupted), &said).unwrap();
    assert_eq!(generated.cells()[0].numbers, [26, 8, 8, 57]);
    let plain = Graph::new(&config, &generated.cells(), DType::F64, &Device::Cpu).unwrap();
    let plain = distances(&judge.forward(&plain).unwrap().scalars, true).unwrap();
    let mixed = answer.distance(&config, &judge, &said).to_scalar::<f64>().unwrap();
    assert!((plain.to_vec1::<f64>().unwrap()[0] - mixed).abs() < 1e-12);
}

#[test]
fn atoms_on_top_of_each_other_are_not_judged() {
    let mut answer = Answer::new(103);
    let apart = answer.corrupted.frac[1] - answer.corrupted.frac[0];
    let apart = answer.known.lattice.to_cartesian(&apart);
    answer.vectors.fill(0.0);
    answer.vectors[3..6].copy_from_slice(apart.as_slice());
    let [logits, vectors] = answer.tensors();
    let said = Answer::said(&logits, &vectors);
    let corrupted = [answer.corrupted.clone()];
    let generated = Generated::new(&[&answer.known], &corrupted, &said).unwrap();
    assert_eq!(generated.len(), 0);
    let task = training(&run());
    assert!(task.judge.opinion(&generated, &said).unwrap().is_none());
    let (_, verdict) =
        task.judge.examine(&[&answer.known], &generated, &mut Random::new(1, 1)).unwrap();
    let terms = verdict.terms();
    assert!(terms.contains_key("accuracy_real") && !terms.contains_key("accuracy_mended"));
}

/// Trains and returns the terms of every epoch, of training and of validation.
fn curve(task: &mut Training, settings: &train::Settings) -> Vec<[BTreeMap<String, f64>; 2]> {
    let dir = tempfile::tempdir().unwrap();
    let mut points = Vec::new();
    let mut watch = |event: Event| {
        if let Event::Epoch(point) = event {
            let validation = point.validation.as_ref().map(|v| v.terms.clone());
            points.push([point.train.terms.clone(), validation.unwrap_or_default()]);
        }
        Control::Continue
    };
    train::train(task, settings, dir.path(), false, &mut watch).unwrap();
    points
}

/// A run in which the discriminator learns and the generator does not.
fn discriminating() -> Run {
    let mut run = run();
    run.adversary = Adversary { every: 1, rate: 3e-3, ..run.adversary };
    run.generator.batch = 10;
    let settings = &mut run.generator.train;
    (settings.epochs, settings.rate.start, settings.rate.floor) = (60, 0.0, 0.0);
    run
}

#[test]
fn the_discriminator_learns_to_tell() {
    let run = discriminating();
    let points = curve(&mut training(&run), &run.generator.train);
    let [_, first] = &points[0];
    let [_, last] = &points[59];
    assert!(first["discriminator"] > 1.0 && last["discriminator"] < 0.2, "{first:?} {last:?}");
    assert!(last["accuracy_real"] > 0.9 && last["accuracy_mended"] > 0.9, "{last:?}");
}

#[test]
fn the_generator_learns_to_convince() {
    // A discriminator that has learned, then stands still, before a generator that cares for little else.
    let mut run = discriminating();
    let mut task = training(&run);
    curve(&mut task, &run.generator.train);
    run.adversary = Adversary { weight: 1000.0, rate: 0.0, ..run.adversary };
    let settings = &mut run.generator.train;
    (settings.epochs, settings.rate.start) = (40, 3e-3);
    let mut second = training(&run);
    second.judge.start(&task.judge.parameters.values().unwrap()).unwrap();
    let points = curve(&mut second, &run.generator.train);
    let adversarial = |range: std::ops::Range<usize>| {
        let count = range.len() as f64;
        points[range].iter().map(|[terms, _]| terms["adversarial"]).sum::<f64>() / count
    };
    let (before, after) = (adversarial(0..3), adversarial(37..40));
    assert!(after < 0.7 * before, "{before} {after}");
}

#[test]
fn a_few_crystals_are_learned_by_heart() {
    let mut run = run();
    run.generator.batch = 20;
    let settings = &mut run.generator.train;
    (settings.epochs, settings.rate.start, settings.validate_every) = (120, 1e-2, 120);
    let few = crystals().into_iter().take(4).cycle().take(20).collect();
    let mut task = Training::new(&run, split(few), &Device::Cpu).unwrap();
    let points = curve(&mut task, &run.generator.train);
    let mean = |name: &str| points[110..].iter().map(|[t, _]| t[name]).sum::<f64>() / 10.0;
    assert!(mean("restored") > 0.9, "restored {}", mean("restored"));
    assert!(mean("removed") > 0.4, "removed {}", mean("removed"));
}

#[test]
fn validation_is_that_of_pre_training() {
    let run = run();
    let mut second = training(&run);
    let mut first = task::Training::new(&run.generator, split(crystals()), &Device::Cpu).unwrap();
    let weights = first.parameters().values().unwrap();
    let (first, second) = (first.validate(&weights).unwrap(), second.validate(&weights).unwrap());
    assert_eq!(first.total, second.total);
    for (name, value) in &first.terms {
        assert_eq!(second.terms[name], *value, "{name}");
    }
    assert_eq!(second.terms.len(), first.terms.len() + 3);
}

#[test]
fn stopped_and_taken_up_again_is_the_same_as_never_stopped() {
    let run = run();
    let settings = &run.generator.train;
    let (straight, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut go_on = |_: Event| Control::Continue;
    train::train(&mut training(&run), settings, straight.path(), false, &mut go_on).unwrap();
    let mut stop = |event: Event| match event {
        Event::Step(2, 2, ..) => Control::Stop,
        _ => Control::Continue,
    };
    let end = train::train(&mut training(&run), settings, broken.path(), false, &mut stop).unwrap();
    assert_eq!(end, End::Stopped);
    let mut task = training(&run);
    train::train(&mut task, settings, broken.path(), true, &mut go_on).unwrap();
    let numbers = |dir: &Path| {
        let file = dir.join("checkpoint.safetensors");
        let (tensors, _) = checkpoint::read(&file, &Device::Cpu).unwrap();
        let values = |t: Tensor| t.to_dtype(DType::F64).unwrap().flatten_all().unwrap();
        let all = tensors.into_iter().map(|(n, t)| (n, values(t).to_vec1::<f64>().unwrap()));
        all.collect::<BTreeMap<_, _>>()
    };
    let (one, other) = (numbers(straight.path()), numbers(broken.path()));
    assert_eq!(one, other);
    // Nine steps, of which the discriminator learned in numbers 0, 2, 4, 6 and 8.
    assert_eq!(one["memory.steps"], [5.0]);
    assert!(one.contains_key("memory.parameter.norm.affine_weight"));
    // A run of pre-training has no discriminator to go on with.
    let mut first = task::Training::new(&run.generator, split(crystals()), &Device::Cpu).unwrap();
    let error = train::train(&mut first, settings, broken.path(), true, &mut go_on).unwrap_err();
    assert!(error.to_string().contains("another model"), "{error}");
    assert!(task.remember(&Tensors::new()).is_err());
}

#[test]
fn the_discriminator_begins_as_a_classifier_of_stability() {
    let file = |property: Property, backbone: Network| {
        let run = finetune::Run {
            data: Sets::default(),
            property,
            seed: 9,
            batch: 4,
            network: backbone,
            train: train::Settings::default(),
        };
        let labels = crystals().into_iter().map(|c| (c.id, 0.0)).collect();
        let task = finetune::Training::new(&run, split(crystals()), labels, &Device::Cpu).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.safetensors");
        let text = BTreeMap::from([("task".to_owned(), task.identity())]);
        let values = task.parameters().values().unwrap();
        checkpoint::write(&path, &values, &text).unwrap();
        (std::fs::read(path).unwrap(), values)
    };
    let task = training(&run());
    let stable = Property::Stable { within: 0.1 };
    let (bytes, values) = file(stable, network());
    task.start_discriminator(&bytes, "ours").unwrap();
    let numbers = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    for (name, value) in task.judge.parameters.values().unwrap() {
        assert_eq!(numbers(&value), numbers(&values[&name]), "{name}");
    }
    let refused = |bytes: &[u8]| task.start_discriminator(bytes, "theirs").unwrap_err().to_string();
    let (energy, _) = file(Property::FormationEnergy, network());
    assert!(refused(&energy).contains("theirs tells no stable crystals"));
    let (larger, _) = file(stable, Network { channels: 20, ..network() });
    assert!(refused(&larger).contains("theirs has another network"));
    assert!(refused(b"nothing").contains("no file of weights"));
}

#[test]
fn nonsense_is_refused() {
    let refused = |change: fn(&mut Run)| {
        let mut run = run();
        change(&mut run);
        Training::new(&run, split(crystals()), &Device::Cpu).unwrap_err().to_string()
    };
    assert!(refused(|r| r.adversary.every = 0).contains("every is at least 1"));
    assert!(refused(|r| r.adversary.rate = f64::NAN).contains("rate"));
    assert!(refused(|r| r.generator.model.network.outputs = 100).contains("as many as elements"));
}
