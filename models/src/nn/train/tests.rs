use candle_core::{Device, Tensor};

use super::*;
use crate::nn::random::Random;

/// Fits a line through noisy points.
struct Line {
    parameters: Parameters,
    name: &'static str,
}

impl Line {
    fn new(name: &'static str) -> Self {
        let mut parameters = Parameters::new(&Device::Cpu);
        parameters.linear("line", [1, 2], true, &mut Random::new(4, 0)).unwrap();
        Self { parameters, name }
    }

    fn loss(weights: &Tensors, random: &mut Random) -> candle_core::Result<Tensor> {
        let x: Vec<f32> = (0..16).map(|_| random.normal() as f32).collect();
        let x = Tensor::from_vec(x, (8, 2), &Device::Cpu)?;
        let wanted = (x.narrow(1, 0, 1)? * 2.0)?.broadcast_sub(&x.narrow(1, 1, 1)?)?;
        let noise = (0..8).map(|_| 0.1 * random.normal() as f32).collect();
        let wanted = (wanted + Tensor::from_vec::<_, f32>(noise, (8, 1), &Device::Cpu)?)?;
        let y = x.matmul(&weights["line.weight"].t()?)?.broadcast_add(&weights["line.bias"])?;
        (y - wanted)?.sqr()?.mean_all()
    }
}

fn value(loss: &Tensor) -> Loss {
    let total = f64::from(loss.to_scalar::<f32>().unwrap());
    Loss { total, terms: BTreeMap::from([("square".to_owned(), total)]) }
}

impl Task for Line {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn identity(&self) -> String {
        self.name.to_owned()
    }

    fn steps(&self) -> usize {
        5
    }

    fn step(&mut self, epoch: u64, step: usize) -> Result<(Loss, Tensors), ModelError> {
        let mut random = Random::new(epoch, step as u64);
        let loss = Self::loss(&self.parameters.tensors(), &mut random)?;
        let store = loss.backward()?;
        let gradients =
            self.parameters.iter().map(|(n, v)| (n.clone(), store.get(v).unwrap().clone()));
        Ok((value(&loss), gradients.collect()))
    }

    fn validate(&mut self, weights: &Tensors) -> Result<Loss, ModelError> {
        Ok(value(&Self::loss(weights, &mut Random::new(99, 99))?))
    }
}

fn settings(epochs: u64) -> Settings {
    let rate = plateau::Settings { start: 0.05, ..plateau::Settings::default() };
    Settings { epochs, rate, clip: Some(1.0), average: 0.9, ..Settings::default() }
}

fn go_on(_: Event) -> Control {
    Control::Continue
}

fn curve(folder: &Path) -> Vec<Point> {
    let text = std::fs::read_to_string(folder.join("curve.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_line_is_learned() {
    let dir = tempfile::tempdir().unwrap();
    let mut task = Line::new("line");
    let end = train(&mut task, &settings(60), dir.path(), false, &mut go_on).unwrap();
    assert_eq!(end, End::Done);
    let points = curve(dir.path());
    assert_eq!(points.len(), 60);
    assert!(points[0].train.total > 0.5);
    let last = points[59].validation.as_ref().unwrap();
    assert!(last.total < 0.05 && last.terms["square"] == last.total, "{last:?}");
    let (weights, text) =
        checkpoint::read(&dir.path().join("model.safetensors"), &Device::Cpu).unwrap();
    let slope = weights["line.weight"].to_vec2::<f32>().unwrap();
    assert!((slope[0][0] - 2.0).abs() < 0.15 && (slope[0][1] + 1.0).abs() < 0.15, "{slope:?}");
    assert_eq!(text["task"], "line");
}

#[test]
fn stopped_and_taken_up_again_is_the_same_as_never_stopped() {
    let (straight, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    train(&mut Line::new("line"), &settings(6), straight.path(), false, &mut go_on).unwrap();
    let mut stop_in_the_middle = |event: Event| match event {
        Event::Step(3, 2, ..) => Control::Stop,
        _ => Control::Continue,
    };
    let mut task = Line::new("line");
    let end =
        train(&mut task, &settings(6), broken.path(), false, &mut stop_in_the_middle).unwrap();
    assert_eq!((end, curve(broken.path()).len()), (End::Stopped, 2));
    // A line that was written after the checkpoint, before a power cut.
    let mut file =
        std::fs::OpenOptions::new().append(true).open(broken.path().join("curve.jsonl")).unwrap();
    writeln!(file, "lost").unwrap();
    train(&mut Line::new("line"), &settings(6), broken.path(), true, &mut go_on).unwrap();
    let strip =
        |points: Vec<Point>| points.into_iter().map(|p| (p.epoch, p.rate, p.train, p.validation));
    assert!(strip(curve(straight.path())).eq(strip(curve(broken.path()))));
    let weights = |dir: &Path| {
        let (tensors, _) =
            checkpoint::read(&dir.join("checkpoint.safetensors"), &Device::Cpu).unwrap();
        tensors
            .into_iter()
            .map(|(n, t)| (n, t.flatten_all().unwrap().to_vec1::<f32>().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(weights(straight.path()), weights(broken.path()));
}

#[test]
fn a_stop_at_the_last_step_of_an_epoch_finishes_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut stop_once = |event: Event| match event {
        Event::Step(2, 5, ..) => Control::Stop,
        _ => Control::Continue,
    };
    let end =
        train(&mut Line::new("line"), &settings(9), dir.path(), false, &mut stop_once).unwrap();
    assert_eq!((end, curve(dir.path()).len()), (End::Stopped, 2));
}

#[test]
fn a_run_is_not_overwritten_nor_mistaken() {
    let dir = tempfile::tempdir().unwrap();
    let missing = train(&mut Line::new("line"), &settings(1), dir.path(), true, &mut go_on);
    assert!(missing.unwrap_err().to_string().contains("no run to go on with"));
    train(&mut Line::new("line"), &settings(1), dir.path(), false, &mut go_on).unwrap();
    let twice = train(&mut Line::new("line"), &settings(1), dir.path(), false, &mut go_on);
    assert!(twice.unwrap_err().to_string().contains("holds a run already"));
    let other = train(&mut Line::new("parabola"), &settings(1), dir.path(), true, &mut go_on);
    assert!(other.unwrap_err().to_string().contains("another model"));
}

#[test]
fn it_stops_early_when_nothing_is_gained() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = Settings { early_stop: Some(3), ..settings(500) };
    settings.rate.start = 0.0;
    settings.rate.floor = 0.0;
    let end = train(&mut Line::new("line"), &settings, dir.path(), false, &mut go_on).unwrap();
    assert_eq!((end, curve(dir.path()).len()), (End::Early, 4));
}

#[test]
fn a_loss_that_is_no_number_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(50);
    (settings.clip, settings.rate.start) = (None, 1e30);
    let error =
        train(&mut Line::new("line"), &settings, dir.path(), false, &mut go_on).unwrap_err();
    assert!(error.to_string().contains("not a number"), "{error}");
}
