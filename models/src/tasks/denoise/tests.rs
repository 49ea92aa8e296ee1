//! Denoising by a model that knows where the atoms belong.

use cellwright_crystal::symmetry::detect;
use cellwright_crystal::{Element, Lattice, Site};

use super::*;
use crate::Provenance;
use crate::tasks::mender::Mended;

/// Knows the crystal, and says a share of how far every atom is off, plus a drift of the whole.
struct Knows {
    truth: Structure,
    share: f64,
    drift: Vector3<f64>,
}

impl Mender for Knows {
    fn provenance(&self) -> Provenance {
        Provenance { model: "knows".into(), version: "1".into(), device: "cpu".into() }
    }

    fn mend(&self, cells: &[Structure], _: &dyn Fn() -> bool) -> Result<Vec<Mended>, ModelError> {
        let off = |cell: &Structure| {
            let pairs = cell.cartesian().into_iter().zip(self.truth.cartesian());
            pairs.map(|(a, b)| (a - b) * self.share + self.drift).collect()
        };
        let mended = |cell| Mended { probabilities: vec![Vec::new(); 6], displacement: off(cell) };
        Ok(cells.iter().map(mended).collect())
    }
}

fn rutile() -> Structure {
    let x = 0.305;
    let atoms = [
        ("Ti", [0.0, 0.0, 0.0]),
        ("Ti", [0.5, 0.5, 0.5]),
        ("O", [x, x, 0.0]),
        ("O", [-x, -x, 0.0]),
        ("O", [0.5 + x, 0.5 - x, 0.5]),
        ("O", [0.5 - x, 0.5 + x, 0.5]),
    ];
    let site = |(symbol, at): (&str, [f64; 3])| {
        Site::new(symbol.parse::<Element>().unwrap(), Vector3::from(at))
    };
    Structure {
        lattice: Lattice::from_parameters([4.59, 4.59, 2.96], [90.0; 3]).unwrap(),
        sites: atoms.into_iter().map(site).collect(),
    }
}

/// Every atom a little off, the mean of all zero.
fn noisy() -> Structure {
    let mut noisy = rutile();
    for (i, site) in noisy.sites.iter_mut().enumerate() {
        let sign = if i % 2 == 0 { 1.0 } else { -1.0 };
        site.frac += Vector3::new(0.02, -0.015, 0.03) * sign * (1.0 + (i / 2) as f64);
    }
    noisy
}

fn distance(a: &Structure, b: &Structure) -> f64 {
    let pairs = a.cartesian().into_iter().zip(b.cartesian());
    pairs.map(|(a, b)| (a - b).norm()).fold(0.0, f64::max)
}

fn go_on(_: f64, _: String) -> bool {
    true
}

/// The energy is the mean square distance from rutile.
fn spring(structure: &Structure) -> Result<Evaluation, ModelError> {
    let pairs = structure.cartesian().into_iter().zip(rutile().cartesian());
    let energy = pairs.map(|(a, b)| (a - b).norm_squared()).sum::<f64>() / 6.0;
    Ok(Evaluation {
        energy_per_atom: energy,
        forces: vec![Vector3::zeros(); 6],
        stress: nalgebra::Matrix3::zeros(),
        magmoms: vec![0.0; 6],
        site_energies: vec![energy; 6],
        cautions: Vec::new(),
    })
}

#[test]
fn atoms_go_back_step_by_step() {
    let mender = Knows { truth: rutile(), share: 0.6, drift: Vector3::new(0.3, 0.0, -0.2) };
    let options = DenoiseOptions { rounds: 20, ..DenoiseOptions::default() };
    let done = denoise(&mender, &noisy(), None, &options, Some(&mut spring), &mut go_on).unwrap();
    assert_eq!(done.ending, Ending::Settled);
    assert!(done.rounds > 2 && distance(&done.structure, &rutile()) < 0.03, "{done:?}");
    let (before, after) = done.energies.unwrap();
    assert!(after.energy_per_atom < 0.01 * before.energy_per_atom);
    assert!(done.notes.is_empty());
    let way = distance(&done.structure, &noisy());
    let moved = done.moved.iter().map(Vector3::norm).fold(0.0, f64::max);
    assert!((way - moved).abs() < 1e-12);
    let mut told = Vec::new();
    let mut watch = |fraction: f64, _| {
        told.push(fraction);
        told.len() < 3
    };
    let stopped = denoise(&mender, &noisy(), None, &options, None, &mut watch).unwrap_err();
    assert!(matches!(stopped, ModelError::Cancelled));
    assert_eq!(told, [0.0, 0.05, 0.1]);
}

#[test]
fn the_symmetry_is_kept() {
    // The model wants to break it: the truth is another crystal.
    let mender = Knows { truth: noisy(), share: 1.0, drift: Vector3::zeros() };
    let group = detect(&rutile(), 1e-3).unwrap().operations;
    let mut start = rutile();
    for (i, shift) in [0.05, -0.05, 0.05, -0.05].into_iter().enumerate() {
        let way = if i < 2 { [shift, shift, 0.0] } else { [shift, -shift, 0.0] };
        start.sites[i + 2].frac += Vector3::from(way);
    }
    assert_eq!(detect(&start, 1e-3).unwrap().number, 136);
    let options = DenoiseOptions::default();
    let mut even = |_: &Structure| spring(&rutile());
    let done =
        denoise(&mender, &start, Some(&group), &options, Some(&mut even), &mut go_on).unwrap();
    assert!(done.rounds > 0 && distance(&done.structure, &start) > 0.02);
    assert_eq!(detect(&done.structure, 1e-4).unwrap().number, 136);
    // What does not have it is refused.
    let error = denoise(&mender, &noisy(), Some(&group), &options, None, &mut go_on).unwrap_err();
    assert!(error.to_string().contains("does not have the symmetry"), "{error}");
}

#[test]
fn held_atoms_stay() {
    let mender = Knows { truth: rutile(), share: 1.0, drift: Vector3::new(0.0, 0.0, 0.05) };
    let start = noisy();
    let mut held = vec![[true; 3]; 6];
    held[2] = [false; 3];
    held[3] = [false, false, true];
    let options = DenoiseOptions { held, ..DenoiseOptions::default() };
    let done = denoise(&mender, &start, None, &options, None, &mut go_on).unwrap();
    for i in [0, 1, 4, 5] {
        assert_eq!(done.structure.sites[i].frac, start.sites[i].frac);
    }
    assert!((done.structure.sites[3].frac.z - start.sites[3].frac.z).abs() < 1e-12);
    assert!(done.moved[2].norm() > 0.1 && done.moved[3].norm() > 0.01);
}

#[test]
fn a_crystal_is_not_made_worse() {
    // The model is wrong by twice what is there, and away from the truth.
    let wrong = Knows { truth: rutile(), share: -1.0, drift: Vector3::zeros() };
    let options = DenoiseOptions::default();
    let done = denoise(&wrong, &noisy(), None, &options, Some(&mut spring), &mut go_on).unwrap();
    assert_eq!((done.rounds, done.structure), (0, noisy()));
    let Ending::Worse(reason) = done.ending else { panic!("it went on") };
    assert!(reason.starts_with("the energy would rise by"), "{reason}");
    // A step that is far too long is shortened until it helps.
    let eager = Knows { truth: rutile(), share: 3.0, drift: Vector3::zeros() };
    let once = DenoiseOptions { rounds: 1, ..DenoiseOptions::default() };
    let done = denoise(&eager, &noisy(), None, &once, Some(&mut spring), &mut go_on).unwrap();
    assert_eq!((done.rounds, done.ending), (1, Ending::Rounds));
    assert!(distance(&done.structure, &rutile()) < 0.8 * distance(&noisy(), &rutile()));
    // Without energies the distances decide.
    let mut heap = rutile();
    heap.sites[2].frac = heap.sites[0].frac + Vector3::new(0.05, 0.0, 0.0);
    let crush = Knows { truth: heap, share: 1.0, drift: Vector3::zeros() };
    let done = denoise(&crush, &rutile(), None, &options, None, &mut go_on).unwrap();
    assert!(done.shortest.1 > 0.85 * done.shortest.0, "{done:?}");
    assert!(matches!(done.ending, Ending::Worse(reason) if reason.contains("close")));
}

#[test]
fn without_a_potential_that_answers_there_is_a_note() {
    let mender = Knows { truth: rutile(), share: 1.0, drift: Vector3::zeros() };
    let options = DenoiseOptions::default();
    let mut refuses =
        |_: &Structure| Err(ModelError::Unsupported("Og is beyond this model".to_owned()));
    let done = denoise(&mender, &noisy(), None, &options, Some(&mut refuses), &mut go_on).unwrap();
    assert!(done.energies.is_none() && done.rounds == 1);
    assert_eq!(done.notes, ["no energies: Og is beyond this model"]);
    let mut twins = noisy();
    twins.sites[1].frac = twins.sites[0].frac;
    let error = denoise(&mender, &twins, None, &options, None, &mut go_on).unwrap_err();
    assert!(error.to_string().contains("at one place"), "{error}");
    let broken = Knows { drift: Vector3::repeat(f64::NAN), truth: rutile(), share: 1.0 };
    let error = denoise(&broken, &noisy(), None, &options, None, &mut go_on).unwrap_err();
    assert!(error.to_string().contains("no finite displacement"), "{error}");
}
