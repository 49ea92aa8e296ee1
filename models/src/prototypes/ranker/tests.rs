use super::lesson::{Plan, lessons};
use super::*;
use crate::data::{Crystal, Entry};
use crate::nn::train::{Control, End, Task, train};
use crate::prototypes::{Known, Provenance, build};
use cellwright_crystal::Element;

/// Halides of the alkali metals: those of caesium in its own structure, the others like rock salt.
fn salts() -> Vec<Crystal> {
    let mut crystals = Vec::new();
    for (metal, size) in [("Li", 0.8), ("Na", 1.0), ("K", 1.4), ("Rb", 1.5), ("Cs", 1.7)] {
        for (halide, more) in [("F", 1.3), ("Cl", 1.8), ("Br", 2.0), ("I", 2.2)] {
            let distance = size + more;
            let (a, angle) = if metal == "Cs" {
                (distance * 2.0 / 3.0_f64.sqrt(), 90.0)
            } else {
                (distance * 2.0_f64.sqrt(), 60.0)
            };
            let z = |symbol: &str| symbol.parse::<Element>().unwrap().z();
            crystals.push(Crystal {
                id: format!("{metal}{halide}-1"),
                numbers: vec![z(metal), z(halide)],
                frac: vec![[0.0; 3], [0.5; 3]],
                lengths: [a; 3],
                angles: [angle; 3],
            });
        }
    }
    crystals
}

fn library(crystals: &[Crystal]) -> Library {
    let known = |crystal: &Crystal| {
        let entry = Entry { crystal: crystal.clone(), hull: Some(0.0), space_group: Some(225) };
        Known::new(entry).unwrap().unwrap()
    };
    build(crystals.iter().map(known).collect(), Provenance::default())
}

fn run(epochs: u64) -> Run {
    serde_json::from_value(serde_json::json!({
        "sets": [], "clean_of": [], "validation": "", "batch": 5, "hits": 8, "without_cell": 0.2,
        "with_itself": 0.0, "copies": 2, "thinned": 0.3, "decay": 0.1,
        "train": { "epochs": epochs, "average": 0.9, "rate": { "start": 0.005 } }
    }))
    .unwrap()
}

#[test]
fn what_decides_between_two_structures_is_learned() {
    let crystals = salts();
    let library = library(&crystals);
    assert_eq!(library.classes().len(), 2);
    let run = run(30);
    let mut task = Training::new(&run, &library, &crystals, &crystals, &Device::Cpu).unwrap();
    let before = task.validate(&task.parameters().values().unwrap()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let end = train(&mut task, &run.train, dir.path(), false, &mut |_| Control::Continue).unwrap();
    assert_eq!(end, End::Done);
    let ranker = Ranker::open(&dir.path().join("model.safetensors")).unwrap();
    let mut right = 0.0;
    for crystal in &crystals {
        let composition: Vec<(Element, u32)> =
            crystal.numbers.iter().map(|z| (Element::from_z(*z).unwrap(), 1)).collect();
        let mut question = Question::in_cell(&composition).unwrap();
        question.without_itself = true;
        let (hits, total) = library.query(&question, 8);
        assert_eq!((hits.len(), total), (2, 2));
        let chances = ranker.rank(&library, &question, &hits, total).unwrap();
        assert!(chances.iter().sum::<f64>() <= 1.0 + 1e-6);
        let caesium = crystal.angles[0] == 90.0;
        let own = |hit: &Hit| {
            let member = hit.near[0].member;
            library.classes()[hit.class].members[member].id.starts_with("Cs") == caesium
        };
        right += hits.iter().zip(&chances).filter(|(h, _)| own(h)).map(|(_, c)| c).sum::<f64>();
    }
    let after = task.validate(&task.parameters().values().unwrap()).unwrap();
    assert!(after.total < 0.5 * before.total, "{} {}", before.total, after.total);
    assert!(right / crystals.len() as f64 > 0.7, "{right}");
}

#[test]
fn of_a_known_formula_the_most_stable_crystal_is_meant() {
    let stable = salts();
    let mut others = salts();
    for crystal in &mut others {
        crystal.angles = [if crystal.angles[0] == 90.0 { 60.0 } else { 90.0 }; 3];
    }
    let known = |crystal: &Crystal, hull| {
        let entry = Entry { crystal: crystal.clone(), hull: Some(hull), space_group: Some(225) };
        Known::new(entry).unwrap().unwrap()
    };
    let both = others.iter().map(|c| known(c, 0.1)).chain(stable.iter().map(|c| known(c, 0.0)));
    let library = build(both.collect(), Provenance::default());
    let matching = |asked: &[Crystal], with_itself| -> Vec<Vec<bool>> {
        let plan =
            Plan { seed: 1, hits: 8, without_cell: 0.0, with_itself, copies: 1, thinned: 0.0 };
        lessons(&library, asked, plan).into_iter().map(|lesson| lesson.matching).collect()
    };
    // Each class has one hit.
    let meant = matching(&others, 1.0);
    assert!(meant.iter().all(|m| m.len() == 2 && m[0] != m[1]), "{meant:?}");
    assert_eq!(meant, matching(&stable, 1.0));
    // Where nothing is known of the formula, it is the crystal that was asked for.
    let turned = matching(&others, 0.0);
    assert_ne!(turned, matching(&stable, 0.0));
}

#[test]
fn every_parameter_has_a_gradient() {
    let crystals = salts();
    let library = library(&crystals);
    let mut task = Training::new(&run(1), &library, &crystals, &crystals, &Device::Cpu).unwrap();
    let (loss, gradients) = task.step(0, 0).unwrap();
    assert!(loss.total > 0.0);
    for (name, variable) in task.parameters().iter() {
        let gradient = gradients.get(name).unwrap_or_else(|| panic!("{name} has none"));
        assert_eq!(gradient.dims(), variable.dims());
        let size = gradient.abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(size > 0.0, "the gradient of {name} is zero");
    }
}

#[test]
fn other_weights_are_refused() {
    assert!(Ranker::from_bytes(b"weights").is_err());
    let other = Tensors::from([("a".into(), Tensor::new(&[1.0_f32], &Device::Cpu).unwrap())]);
    assert!(matches!(Ranker::new(other), Err(ModelError::BadWeights(_))));
    let nothing = Training::new(&run(1), &Library::default(), &salts(), &salts(), &Device::Cpu);
    assert!(nothing.unwrap_err().to_string().contains("no crystal of the sets"));
}
