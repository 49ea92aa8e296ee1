//! CHGNet against the reference program, and against the laws of physics.

mod common;

use cellwright_crystal::{Element, Lattice, Site, Structure};
use cellwright_models::Potential;
use common::laws::{self, one};
use common::{Case, cases, chgnet, matrix};
use nalgebra::{Matrix3, Vector3};

fn largest<'a>(numbers: impl IntoIterator<Item = &'a f64>) -> f64 {
    numbers.into_iter().fold(0.0, |m, x| m.max(x.abs()))
}

fn max_force_error(forces: &[Vector3<f64>], reference: &[[f64; 3]]) -> f64 {
    assert_eq!(forces.len(), reference.len());
    let differences = forces.iter().zip(reference).map(|(f, r)| (f - Vector3::from(*r)).amax());
    differences.fold(0.0, f64::max)
}

fn max_error(numbers: &[f64], reference: &[f64]) -> f64 {
    assert_eq!(numbers.len(), reference.len());
    numbers.iter().zip(reference).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn agrees_with_the_reference_program() {
    let (Some(model), Some(cases)) = (chgnet(), cases()) else { return };
    assert!(cases.len() >= 30);
    let structures: Vec<Structure> = cases.iter().map(Case::structure).collect();
    // All in one call: a batch must give what single calls give.
    let results = model.evaluate(&structures.iter().collect::<Vec<_>>());
    for ((case, structure), result) in cases.iter().zip(&structures).zip(results) {
        let e = result.unwrap_or_else(|e| panic!("{}: {e}", case.id));
        let size = model.graph_size(structure).unwrap();
        assert_eq!(
            (size.directed_edges, size.bonds, size.angles),
            (case.n_directed_edges, case.n_undirected_bonds, case.n_angles),
            "{}",
            case.id
        );
        let energy = (e.energy_per_atom - case.energy_per_atom).abs();
        let force = max_force_error(&e.forces, &case.forces);
        let stress = (e.stress - matrix(case.stress)).amax();
        let magmom = max_error(&e.magmoms, &case.magmoms);
        let sites = max_error(&e.site_energies, &case.site_energies);
        assert!(energy < 1e-4, "{}: energy differs by {energy} eV/atom", case.id);
        assert!(force < 2e-3, "{}: a force differs by {force} eV/Å", case.id);
        assert!(stress < 1e-2, "{}: the stress differs by {stress} GPa", case.id);
        assert!(magmom < 1e-3, "{}: a moment differs by {magmom} µB", case.id);
        assert!(sites < 1e-3, "{}: a site energy differs by {sites} eV", case.id);
        assert!(e.cautions.is_empty(), "{}: {:?}", case.id, e.cautions);
        // Against the reference in double precision the single-precision network must be as good as the reference's own.
        if let Some(double) = &case.f64 {
            let energy = (e.energy_per_atom - double.energy_per_atom).abs();
            let force = max_force_error(&e.forces, &double.forces);
            let stress = (e.stress - matrix(double.stress)).amax();
            assert!(energy < 1e-5, "{}: {energy} eV/atom from double precision", case.id);
            assert!(force < 2e-4, "{}: {force} eV/Å from double precision", case.id);
            assert!(stress < 2e-3, "{}: {stress} GPa from double precision", case.id);
            assert!(max_error(&e.magmoms, &double.magmoms) < 1e-4, "{}", case.id);
        }
    }
}

/// Perturbed rock salt: no symmetry, angles present.
fn crystal() -> Structure {
    let site = |symbol: &str, x: [f64; 3]| {
        Site::new(Element::from_symbol(symbol).unwrap(), Vector3::from(x))
    };
    let lattice = Lattice::from_parameters([3.1, 3.0, 3.2], [61.0, 58.0, 63.0]).unwrap();
    Structure {
        lattice,
        sites: vec![site("Mg", [0.02, -0.03, 0.01]), site("O", [0.52, 0.49, 0.53])],
    }
}

#[test]
fn forces_and_stress_are_derivatives_of_the_energy() {
    let Some(model) = chgnet() else { return };
    let all = |count: usize| (0..count).flat_map(|i| (0..3).map(move |j| (i, j)));
    let (forces, stresses) = (all(2).collect::<Vec<_>>(), all(3).collect::<Vec<_>>());
    laws::derivatives(&model, &crystal(), &forces, &stresses);
}

#[test]
fn energy_is_invariant_and_forces_turn_along() {
    let Some(model) = chgnet() else { return };
    let start = crystal();
    laws::turning(&model, &start);
    let reference = one(&model, &start);
    // A mirrored cell is left-handed; its energy and pressure are the same.
    let mirror = Matrix3::from_diagonal(&Vector3::new(-1.0, 1.0, 1.0));
    let lattice = Lattice::from_rows(start.lattice.matrix() * mirror).unwrap();
    let mirrored = one(&model, &Structure { lattice, sites: start.sites.clone() });
    assert!((mirrored.stress.trace() - reference.stress.trace()).abs() < 1e-2);
}

#[test]
fn a_supercell_has_the_same_energy_per_atom() {
    let Some(model) = chgnet() else { return };
    let cell = crystal();
    let rows =
        Matrix3::from_fn(|i, j| cell.lattice.matrix()[(i, j)] * if i == 1 { 2.0 } else { 1.0 });
    let copies = (0..2).flat_map(|k| {
        cell.sites.iter().map(move |s| {
            let mut s = s.clone();
            s.frac.y = (s.frac.y + f64::from(k)) / 2.0;
            s
        })
    });
    let big = Structure { lattice: Lattice::from_rows(rows).unwrap(), sites: copies.collect() };
    let (small, big) = (one(&model, &cell), one(&model, &big));
    assert!((small.energy_per_atom - big.energy_per_atom).abs() < 1e-5);
    assert!((small.stress - big.stress).amax() < 1e-2);
}

#[test]
fn what_cannot_be_treated_is_refused_alone() {
    let Some(model) = chgnet() else { return };
    laws::refusals(&model, &crystal(), ("Am", "up to Pu"), 0.1);
}

#[test]
fn isolated_and_overlapping_atoms_come_with_a_caution() {
    let Some(model) = chgnet() else { return };
    let mut far = crystal();
    far.lattice = Lattice::from_rows(Matrix3::identity() * 40.0).unwrap();
    let result = one(&model, &far);
    assert!(result.cautions[0].contains("no neighbour"), "{:?}", result.cautions);
    assert_eq!(largest(result.forces.iter().flatten()), 0.0);
    // Next to a crystal with bonds and angles the lonely ones stay what they are.
    let near = crystal();
    let both = model.evaluate(&[&far, &near]);
    assert!((both[0].as_ref().unwrap().energy_per_atom - result.energy_per_atom).abs() < 1e-6);

    let mut close = crystal();
    close.sites[1].frac = close.sites[0].frac + Vector3::new(0.1, 0.0, 0.0);
    let result = one(&model, &close);
    assert!(result.cautions[0].contains("apart"), "{:?}", result.cautions);
}
