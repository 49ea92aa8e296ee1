//! SevenNet-0 against the reference program, and against the laws of physics.

mod common;

use cellwright_crystal::{Element, Lattice, Site, Structure};
use cellwright_models::sevennet::Sevennet;
use cellwright_models::{Evaluation, ModelError, Potential};
use common::{matrix, sevennet, structure};
use nalgebra::{Matrix3, Rotation3, Vector3};
use serde::Deserialize;

/// What the reference program, sevenn 0.10.4 in single precision, says of a cell of our own.
#[derive(Deserialize)]
struct Case {
    id: String,
    lattice: [[f64; 3]; 3],
    atomic_numbers: Vec<u8>,
    frac_coords: Vec<[f64; 3]>,
    energy_per_atom: f64,
    forces: Vec<[f64; 3]>,
    stress: [[f64; 3]; 3],
    site_energies: Vec<f64>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("sevennet.json")).unwrap()
}

fn one(model: &Sevennet, structure: &Structure) -> Evaluation {
    model.evaluate(&[structure]).pop().unwrap().unwrap()
}

/// The twenty atoms of the golden numbers, without any symmetry.
fn perovskite() -> Structure {
    let case = cases().into_iter().find(|c| c.atomic_numbers.len() == 20).unwrap();
    structure(case.lattice, &case.atomic_numbers, &case.frac_coords)
}

#[test]
fn agrees_with_the_reference_program() {
    let Some(model) = sevennet() else { return };
    let cases = cases();
    let structures: Vec<Structure> =
        cases.iter().map(|c| structure(c.lattice, &c.atomic_numbers, &c.frac_coords)).collect();
    // All in one call: a batch must give what single calls give.
    let results = model.evaluate(&structures.iter().collect::<Vec<_>>());
    for (case, result) in cases.iter().zip(results) {
        let e = result.unwrap_or_else(|e| panic!("{}: {e}", case.id));
        let energy = (e.energy_per_atom - case.energy_per_atom).abs();
        assert!(energy < 1e-5, "{}: energy differs by {energy} eV/atom", case.id);
        let largest = case.forces.iter().flatten().fold(1.0_f64, |m, f| m.max(f.abs()));
        for (ours, theirs) in e.forces.iter().zip(&case.forces) {
            let off = (ours - Vector3::from(*theirs)).amax();
            assert!(off < 1e-4 * largest, "{}: a force differs by {off} eV/Å", case.id);
        }
        let stress = (e.stress - matrix(case.stress)).amax();
        let tolerance = 1e-4 * matrix(case.stress).amax().max(1.0);
        assert!(stress < tolerance, "{}: the stress differs by {stress} GPa", case.id);
        for (ours, theirs) in e.site_energies.iter().zip(&case.site_energies) {
            assert!((ours - theirs).abs() < 1e-4, "{}: {ours} {theirs}", case.id);
        }
        assert_eq!(e.site_energies.len(), case.site_energies.len());
        assert_eq!(e.cautions.is_empty(), case.id != "alone", "{}: {:?}", case.id, e.cautions);
    }
}

#[test]
fn forces_and_stress_are_derivatives_of_the_energy() {
    let Some(model) = sevennet() else { return };
    let start = perovskite();
    let e = one(&model, &start);
    let h = 1e-2;
    let energy = |s: &Structure| one(&model, s).energy_per_atom * s.len() as f64;
    for (atom, axis) in [(0, 0), (5, 1), (13, 2)] {
        let moved = |sign: f64| {
            let mut s = start.clone();
            let step = Vector3::from_fn(|i, _| if i == axis { sign * h } else { 0.0 });
            s.sites[atom].frac += s.lattice.to_fractional(&step);
            energy(&s)
        };
        let force = -(moved(1.0) - moved(-1.0)) / (2.0 * h);
        let got = e.forces[atom][axis];
        assert!((force - got).abs() < 2e-2, "atom {atom} axis {axis}: {force} {got}");
    }
    for (i, j) in [(0, 0), (1, 2)] {
        let strained = |sign: f64| {
            let mut strain = Matrix3::identity();
            strain[(i, j)] += sign * h / 10.0;
            let lattice = Lattice::from_rows(start.lattice.matrix() * strain).unwrap();
            energy(&Structure { lattice, sites: start.sites.clone() })
        };
        let slope = (strained(1.0) - strained(-1.0)) / (h / 5.0);
        let stress = slope / start.lattice.volume() * 160.217_662_08;
        assert!((stress - e.stress[(i, j)]).abs() < 0.1, "{i}{j}: {stress} {}", e.stress[(i, j)]);
    }
}

#[test]
fn energy_is_invariant_and_forces_turn_along() {
    let Some(model) = sevennet() else { return };
    let start = perovskite();
    let reference = one(&model, &start);
    let turn = Rotation3::from_euler_angles(0.3, -1.1, 2.0);
    let rows = start.lattice.matrix() * turn.matrix().transpose();
    let mut sites = start.sites.clone();
    sites.reverse();
    for site in &mut sites {
        site.frac += Vector3::new(0.37, -1.2, 5.0);
    }
    let turned = one(&model, &Structure { lattice: Lattice::from_rows(rows).unwrap(), sites });
    assert!((turned.energy_per_atom - reference.energy_per_atom).abs() < 1e-5);
    for (a, b) in turned.forces.iter().rev().zip(&reference.forces) {
        assert!((a - turn * b).amax() < 1e-4, "{a} {b}");
    }
    let stress = turn.matrix() * reference.stress * turn.matrix().transpose();
    assert!((turned.stress - stress).amax() < 1e-2);
    let total = reference.forces.iter().sum::<Vector3<f64>>();
    assert!(total.amax() < 1e-4, "forces sum to {total}");
}

#[test]
fn what_cannot_be_treated_is_refused_alone() {
    let Some(model) = sevennet() else { return };
    let good = Structure {
        lattice: Lattice::from_parameters([4.2; 3], [90.0; 3]).unwrap(),
        sites: [("Cs", 0.0), ("Cl", 0.5)]
            .map(|(s, x)| Site::new(Element::from_symbol(s).unwrap(), Vector3::repeat(x)))
            .to_vec(),
    };
    let with = |change: fn(&mut Structure)| {
        let mut s = good.clone();
        change(&mut s);
        s
    };
    let cases = [
        (with(|s| s.sites.clear()), "no atoms"),
        (with(|s| s.sites[1].element = None), "masked"),
        (with(|s| s.sites[1].occupancy = 0.5), "ordered"),
        (with(|s| s.sites[0].element = Element::from_symbol("Po")), "without Po"),
        (with(|s| s.sites[0].frac = s.sites[1].frac), "same place"),
        (with(|s| s.sites[0].frac.x = f64::NAN), "finite"),
        (with(|s| s.lattice = Lattice::from_rows(s.lattice.matrix() * 0.05).unwrap()), "memory"),
    ];
    let mut all: Vec<&Structure> = cases.iter().map(|(s, _)| s).collect();
    all.insert(3, &good);
    let mut results = model.evaluate(&all);
    let alone = one(&model, &good);
    let among = results.remove(3).unwrap();
    assert!((among.energy_per_atom - alone.energy_per_atom).abs() < 1e-6);
    for ((_, word), result) in cases.iter().zip(results) {
        let error = result.unwrap_err();
        assert!(matches!(error, ModelError::Unsupported(_)), "{error:?}");
        assert!(error.to_string().contains(word), "{error} should say '{word}'");
    }
}
