use super::*;
use crate::data::Crystal;
use crate::data::testing::caesium_chloride;
use crate::nn::train::{Control, Event, train};
use crate::selfsup::task::{self, Setup};

fn backbone() -> Network {
    Network {
        lmax: 1,
        mmax: 1,
        blocks: 1,
        channels: 12,
        attention_hidden: 8,
        heads: 2,
        alpha_channels: 4,
        value_channels: 6,
        feed_forward_hidden: 12,
        edge_channels: 8,
        gaussians: 16,
        radius: 6.0,
        neighbors: 6,
        summary: true,
        ..Network::default()
    }
}

/// Caesium chloride cells with a property that follows their elements.
fn crystals() -> (Vec<Crystal>, BTreeMap<String, f64>) {
    let pairs =
        [(11, 17, 3.5), (19, 35, 4.1), (55, 53, 4.6), (3, 9, 2.5), (28, 13, 2.9), (29, 30, 2.95)];
    let crystals: Vec<Crystal> = pairs.map(caesium_chloride).to_vec();
    let labels = [0.0, 0.0, 0.2, 0.0, 0.3, 0.4];
    let labels = crystals.iter().map(|c| c.id.clone()).zip(labels).collect();
    (crystals, labels)
}

fn training(property: Property) -> Training {
    let (crystals, labels) = crystals();
    let run = Run {
        data: Sets::default(),
        property,
        seed: 1,
        batch: 6,
        network: backbone(),
        train: train::Settings::default(),
    };
    let split = Sets::default().cut(crystals.clone(), crystals, String::new()).unwrap();
    Training::new(&run, split, labels, &Device::Cpu).unwrap()
}

const STABLE: Property = Property::Stable { within: 0.05 };

#[test]
fn every_parameter_learns() {
    for property in [STABLE, Property::FormationEnergy] {
        let mut task = training(property);
        let (_, gradients) = task.step(0, 0).unwrap();
        for (name, _) in task.parameters().iter() {
            let gradient = gradients.get(name).unwrap_or_else(|| panic!("{name} has none"));
            let size = gradient.abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(size > 0.0, "{name}");
        }
    }
}

#[test]
fn a_few_crystals_are_learned_by_heart() {
    for (property, term, wanted) in [
        (STABLE, "accuracy", 1.0..=1.0),
        (Property::FormationEnergy, "mean_absolute_error", 0.0..=0.03),
    ] {
        let mut task = training(property);
        let dir = tempfile::tempdir().unwrap();
        let mut settings = train::Settings { epochs: 150, ..train::Settings::default() };
        settings.rate.start = 5e-3;
        settings.average = 0.9;
        let mut last = Loss::default();
        let mut watch = |event: Event| {
            if let Event::Epoch(point) = event {
                last = point.validation.clone().unwrap();
            }
            Control::Continue
        };
        train(&mut task, &settings, dir.path(), false, &mut watch).unwrap();
        assert!(wanted.contains(&last.terms[term]), "{property:?}: {last:?}");
    }
}

#[test]
fn the_backbone_comes_from_pre_training_and_the_head_does_not() {
    let pretraining = |network: Network| {
        let run = task::Run {
            data: Sets::default(),
            seed: 7,
            batch: 6,
            model: Setup { network, ..Setup::default() },
            train: train::Settings::default(),
        };
        let (crystals, _) = crystals();
        let split = Sets::default().cut(crystals.clone(), crystals, String::new()).unwrap();
        task::Training::new(&run, split, &Device::Cpu).unwrap().parameters().values().unwrap()
    };
    let task = training(STABLE);
    let before = task.parameters().values().unwrap();
    let pretrained = pretraining(backbone());
    task.start_from(&pretrained).unwrap();
    let numbers = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    for (name, value) in task.parameters().values().unwrap() {
        let from = if name.starts_with(HEAD) { &before[&name] } else { &pretrained[&name] };
        assert_eq!(numbers(&value), numbers(from), "{name}");
    }
    let other = pretraining(Network { blocks: 2, channels: 8, ..backbone() });
    assert!(task.start_from(&other).is_err());
    let smaller = pretraining(Network { summary: false, ..backbone() });
    let error = task.start_from(&smaller).unwrap_err().to_string();
    assert!(error.contains("another network"), "{error}");
}

#[test]
fn a_property_that_nobody_knows_is_refused() {
    let (crystals, _) = crystals();
    let task = training(STABLE);
    let split = Sets::default().cut(crystals.clone(), crystals, String::new()).unwrap();
    let error = Training::new(&task.run, split, BTreeMap::new(), &Device::Cpu).unwrap_err();
    assert!(error.to_string().contains("with the property"), "{error}");
}
