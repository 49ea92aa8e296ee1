//! CHGNet against the reference program, and against the laws of physics.

mod common;

use cellwright_crystal::{Element, Lattice, Site, Structure};
use cellwright_models::chgnet::Chgnet;
use cellwright_models::{Evaluation, ModelError, Potential};
use common::{Case, cases, chgnet, matrix};
use nalgebra::{Matrix3, Rotation3, Vector3};

fn one(model: &Chgnet, structure: &Structure) -> Evaluation {
    model.evaluate(&[structure]).pop().unwrap().unwrap()
}

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
    let start = crystal();
    let e = one(&model, &start);
    let h = 5e-3;
    let energy = |s: &Structure| one(&model, s).energy_per_atom * s.len() as f64;
    for atom in 0..start.len() {
        for axis in 0..3 {
            let moved = |sign: f64| {
                let mut s = start.clone();
                let step = Vector3::from_fn(|i, _| if i == axis { sign * h } else { 0.0 });
                s.sites[atom].frac += s.lattice.to_fractional(&step);
                energy(&s)
            };
            let force = -(moved(1.0) - moved(-1.0)) / (2.0 * h);
            let got = e.forces[atom][axis];
            assert!((force - got).abs() < 5e-3, "atom {atom} axis {axis}: {force} {got}");
        }
    }
    for i in 0..3 {
        for j in 0..3 {
            let strained = |sign: f64| {
                let mut strain = Matrix3::identity();
                strain[(i, j)] += sign * h;
                let lattice = Lattice::from_rows(start.lattice.matrix() * strain).unwrap();
                energy(&Structure { lattice, sites: start.sites.clone() })
            };
            let slope = (strained(1.0) - strained(-1.0)) / (2.0 * h);
            let stress = slope / start.lattice.volume() * 160.217_662_08;
            assert!(
                (stress - e.stress[(i, j)]).abs() < 0.1,
                "{i}{j}: {stress} {}",
                e.stress[(i, j)]
            );
        }
    }
}

#[test]
fn energy_is_invariant_and_forces_turn_along() {
    let Some(model) = chgnet() else { return };
    let start = crystal();
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
        assert!((a - turn * b).amax() < 1e-3);
    }
    let stress = turn.matrix() * reference.stress * turn.matrix().transpose();
    assert!((turned.stress - stress).amax() < 1e-2);
    let total = reference.forces.iter().sum::<Vector3<f64>>();
    assert!(total.amax() < 1e-4, "forces sum to {total}");
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
    let good = crystal();
    let with = |change: fn(&mut Structure)| {
        let mut s = good.clone();
        change(&mut s);
        s
    };
    let cases = [
        (with(|s| s.sites.clear()), "no atoms"),
        (with(|s| s.sites[1].element = None), "masked"),
        (with(|s| s.sites[1].occupancy = 0.5), "ordered"),
        (with(|s| s.sites[0].element = Element::from_symbol("Am")), "up to Pu"),
        (with(|s| s.sites[0].frac = s.sites[1].frac), "same place"),
        (with(|s| s.sites[0].frac.x = f64::NAN), "finite"),
        (with(|s| s.lattice = Lattice::from_rows(s.lattice.matrix() * 0.1).unwrap()), "memory"),
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
