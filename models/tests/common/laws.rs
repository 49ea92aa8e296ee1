//! What every potential has to obey.

use cellwright_crystal::{Element, Lattice, Structure};
use cellwright_models::{Evaluation, ModelError, Potential};
use nalgebra::{Matrix3, Rotation3, Vector3};

pub(crate) fn one(model: &dyn Potential, structure: &Structure) -> Evaluation {
    model.evaluate(&[structure]).pop().unwrap().unwrap()
}

/// Forces on some atoms along some axes (2e-2 eV/Å) and components of the stress (0.1 GPa) are slopes of the energy.
pub(crate) fn derivatives(
    model: &dyn Potential,
    start: &Structure,
    forces: &[(usize, usize)],
    stresses: &[(usize, usize)],
) {
    let e = one(model, start);
    let energy = |s: &Structure| one(model, s).energy_per_atom * s.len() as f64;
    let slope =
        |at: &dyn Fn(f64) -> Structure, h: f64| (energy(&at(h)) - energy(&at(-h))) / (2.0 * h);
    for &(atom, axis) in forces {
        let moved = |by: f64| {
            let mut s = start.clone();
            let step = Vector3::from_fn(|i, _| if i == axis { by } else { 0.0 });
            s.sites[atom].frac += s.lattice.to_fractional(&step);
            s
        };
        let (force, got) = (-slope(&moved, 1e-2), e.forces[atom][axis]);
        assert!((force - got).abs() < 2e-2, "atom {atom} axis {axis}: {force} {got}");
    }
    for &(i, j) in stresses {
        let strained = |by: f64| {
            let mut strain = Matrix3::identity();
            strain[(i, j)] += by;
            let lattice = Lattice::from_rows(start.lattice.matrix() * strain).unwrap();
            Structure { lattice, sites: start.sites.clone() }
        };
        let stress = slope(&strained, 2e-3) / start.lattice.volume() * 160.217_662_08;
        assert!((stress - e.stress[(i, j)]).abs() < 0.1, "{i}{j}: {stress} {}", e.stress[(i, j)]);
    }
}

/// The same crystal turned, with its atoms in another order and in other cells.
pub(crate) fn turning(model: &dyn Potential, start: &Structure) {
    let reference = one(model, start);
    let turn = Rotation3::from_euler_angles(0.3, -1.1, 2.0);
    let rows = start.lattice.matrix() * turn.matrix().transpose();
    let mut sites = start.sites.clone();
    sites.reverse();
    for site in &mut sites {
        site.frac += Vector3::new(0.37, -1.2, 5.0);
    }
    let turned = one(model, &Structure { lattice: Lattice::from_rows(rows).unwrap(), sites });
    assert!((turned.energy_per_atom - reference.energy_per_atom).abs() < 1e-5);
    for (a, b) in turned.forces.iter().rev().zip(&reference.forces) {
        assert!((a - turn * b).amax() < 1e-3);
    }
    let stress = turn.matrix() * reference.stress * turn.matrix().transpose();
    assert!((turned.stress - stress).amax() < 1e-2);
    let total = reference.forces.iter().sum::<Vector3<f64>>();
    assert!(total.amax() < 1e-4, "forces sum to {total}");
}

/// What cannot be treated is refused with a word, and what is beside it does not notice. `unknown` is an element that the model
/// does not know, with a word of the refusal; a cell smaller by `squeezed` has more neighbours than memory.
pub(crate) fn refusals(
    model: &dyn Potential,
    good: &Structure,
    unknown: (&str, &str),
    squeezed: f64,
) {
    let with = |change: &dyn Fn(&mut Structure)| {
        let mut s = good.clone();
        change(&mut s);
        s
    };
    let cases = [
        (with(&|s| s.sites.clear()), "no atoms"),
        (with(&|s| s.sites[1].element = None), "masked"),
        (with(&|s| s.sites[1].occupancy = 0.5), "ordered"),
        (with(&|s| s.sites[0].element = Element::from_symbol(unknown.0)), unknown.1),
        (with(&|s| s.sites[0].frac = s.sites[1].frac), "same place"),
        (with(&|s| s.sites[0].frac.x = f64::NAN), "finite"),
        (
            with(&|s| s.lattice = Lattice::from_rows(s.lattice.matrix() * squeezed).unwrap()),
            "memory",
        ),
    ];
    let mut all: Vec<&Structure> = cases.iter().map(|(s, _)| s).collect();
    all.insert(3, good);
    let mut results = model.evaluate(&all);
    let among = results.remove(3).unwrap();
    assert!((among.energy_per_atom - one(model, good).energy_per_atom).abs() < 1e-6);
    for ((_, word), result) in cases.iter().zip(results) {
        let error = result.unwrap_err();
        assert!(matches!(error, ModelError::Unsupported(_)), "{error:?}");
        assert!(error.to_string().contains(word), "{error} should say '{word}'");
    }
}
