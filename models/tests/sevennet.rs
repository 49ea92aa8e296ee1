//! SevenNet-0 against the reference program, and against the laws of physics.

mod common;

use cellwright_crystal::{Element, Lattice, Site, Structure};
use cellwright_models::Potential;
use common::{laws, matrix, sevennet, structure};
use nalgebra::Vector3;
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
    laws::derivatives(&model, &perovskite(), &[(0, 0), (5, 1), (13, 2)], &[(0, 0), (1, 2)]);
}

#[test]
fn energy_is_invariant_and_forces_turn_along() {
    let Some(model) = sevennet() else { return };
    laws::turning(&model, &perovskite());
}

#[test]
fn what_cannot_be_treated_is_refused_alone() {
    let Some(model) = sevennet() else { return };
    let salt = ["Cs", "Cl"].map(|symbol| Element::from_symbol(symbol).unwrap());
    let site = |(i, element): (usize, Element)| Site::new(element, Vector3::repeat(i as f64 / 2.0));
    let lattice = Lattice::from_parameters([4.2; 3], [90.0; 3]).unwrap();
    let good = Structure { lattice, sites: salt.into_iter().enumerate().map(site).collect() };
    laws::refusals(&model, &good, ("Po", "without Po"), 0.05);
}
