//! Relaxation on potentials simple enough to know the answer.

use cellwright_crystal::neighbors::neighbors;
use cellwright_crystal::symmetry::{detect, site_permutations};
use cellwright_crystal::{Element, Lattice, Site};
use nalgebra::Matrix3;
use proptest::prelude::*;

use super::*;
use crate::Provenance;

/// The Lennard-Jones potential with ε = 1 eV and σ = 2 Å, cut and shifted twice at 6 Å (value and slope zero there).
struct LennardJones;

const CUTOFF: f64 = 6.0;

/// Energy of a pair and its derivative.
fn pair(r: f64) -> (f64, f64) {
    let bare = |r: f64| {
        let s6 = (2.0 / r).powi(6);
        (4.0 * (s6 * s6 - s6), -24.0 * (2.0 * s6 * s6 - s6) / r)
    };
    let ((e, slope), (end, end_slope)) = (bare(r), bare(CUTOFF));
    (e - end - end_slope * (r - CUTOFF), slope - end_slope)
}

impl Potential for LennardJones {
    fn provenance(&self) -> Provenance {
        Provenance { model: "Lennard-Jones".into(), version: "1".into(), device: "cpu".into() }
    }

    fn evaluate(&self, structures: &[&Structure]) -> Vec<Result<Evaluation, ModelError>> {
        structures.iter().map(|s| lennard_jones(s)).collect()
    }
}

fn lennard_jones(s: &Structure) -> Result<Evaluation, ModelError> {
    let list = neighbors(&s.lattice, &s.fractional(), CUTOFF)
        .map_err(|e| ModelError::Unsupported(e.to_string()))?;
    let x = s.cartesian();
    let mut site_energies = vec![0.0; s.len()];
    let mut forces = vec![Vector3::zeros(); s.len()];
    let mut virial = Matrix3::zeros();
    for (i, n) in list.iter() {
        if n.distance < 1e-6 {
            return Err(ModelError::Unsupported("two atoms at one place".to_owned()));
        }
        let image = s.lattice.to_cartesian(&Vector3::from(n.image).cast());
        let v = x[i] - x[n.index as usize] - image;
        let (e, slope) = pair(n.distance);
        site_energies[i] += e / 2.0;
        let gradient = v * (slope / n.distance);
        forces[i] -= gradient;
        virial += v * gradient.transpose() / 2.0;
    }
    Ok(Evaluation {
        energy_per_atom: site_energies.iter().sum::<f64>() / s.len() as f64,
        forces,
        stress: virial * (160.217_662_08 / s.lattice.volume()),
        magmoms: vec![0.0; s.len()],
        site_energies,
        cautions: Vec::new(),
    })
}

fn site(symbol: &str, frac: [f64; 3]) -> Site {
    Site::new(Element::from_symbol(symbol).unwrap(), Vector3::from(frac))
}

/// Four atoms near the places of a face-centred cubic cell of edge `a`.
fn fcc(a: f64, offsets: &[[f64; 3]; 4]) -> Structure {
    let places = [[0.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]];
    let sites = places
        .iter()
        .zip(offsets)
        .map(|(p, o)| site("Ar", [p[0] + o[0], p[1] + o[1], p[2] + o[2]]))
        .collect();
    Structure { lattice: Lattice::from_parameters([a; 3], [90.0; 3]).unwrap(), sites }
}

const OFFSETS: [[f64; 3]; 4] =
    [[0.03, -0.02, 0.01], [-0.04, 0.02, 0.02], [0.01, 0.05, -0.03], [0.0, -0.02, 0.04]];

fn options(optimizer: Optimizer, cell: bool) -> RelaxOptions {
    RelaxOptions { optimizer, cell, force_tolerance: 1e-4, max_steps: 500, held: Vec::new() }
}

fn run(start: &Structure, symmetry: Option<&[Operation]>, options: &RelaxOptions) -> Relaxed {
    relax(&LennardJones, start, symmetry, options, &mut |_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn both_minimisers_find_the_cubic_crystal() {
    for optimizer in [Optimizer::Fire, Optimizer::Lbfgs] {
        let relaxed = run(&fcc(3.3, &OFFSETS), None, &options(optimizer, true));
        assert!(relaxed.converged, "{optimizer:?} took {} steps", relaxed.steps);
        assert!(relaxed.last.energy_per_atom < relaxed.initial.energy_per_atom);
        assert!(relaxed.last.max_force() < 1e-4);
        assert!(relaxed.last.stress.amax() < 0.01, "{}", relaxed.last.stress);
        let found = detect(&relaxed.structure, 0.01).unwrap();
        assert_eq!(found.number, 225, "{optimizer:?}: {}", found.hm);
        let reference = run(&fcc(3.2, &[[0.0; 3]; 4]), None, &options(Optimizer::Lbfgs, true));
        let gap = relaxed.last.energy_per_atom - reference.last.energy_per_atom;
        assert!(gap.abs() < 1e-6, "{optimizer:?}: {gap} eV/atom above the perfect crystal");
    }
}

#[test]
fn positions_alone_leave_the_cell_as_it_was() {
    let start = fcc(3.2, &OFFSETS);
    for optimizer in [Optimizer::Fire, Optimizer::Lbfgs] {
        let relaxed = run(&start, None, &options(optimizer, false));
        assert!(relaxed.converged && relaxed.last.max_force() < 1e-4);
        assert_eq!(relaxed.structure.lattice, start.lattice);
        let centre = |s: &Structure| s.fractional().iter().sum::<Vector3<f64>>();
        assert!((centre(&relaxed.structure) - centre(&start)).norm() < 1e-9, "it drifted");
    }
}

#[test]
fn held_coordinates_stay_in_a_skewed_cell_that_changes() {
    let mut start = fcc(3.2, &OFFSETS);
    start.lattice = Lattice::from_parameters([3.2, 3.3, 3.4], [82.0, 95.0, 101.0]).unwrap();
    let held = vec![[true; 3], [false, true, false], [true, false, true], [false; 3]];
    for (optimizer, cell) in [(Optimizer::Fire, false), (Optimizer::Lbfgs, true)] {
        let relaxed =
            run(&start, None, &RelaxOptions { held: held.clone(), ..options(optimizer, cell) });
        assert!(relaxed.converged && relaxed.steps > 0, "{optimizer:?}");
        let held_force = relaxed.last.max_force();
        assert!(relaxed.last_force < 0.1 * held_force, "{} {held_force}", relaxed.last_force);
        let moved = relaxed.structure.sites.iter().zip(&start.sites).map(|(a, b)| a.frac - b.frac);
        for (change, held) in moved.zip(&held) {
            for axis in 0..3 {
                assert_eq!(change[axis].abs() < 1e-12, held[axis], "{optimizer:?}: {change}");
            }
        }
    }
    let error = relax(
        &LennardJones,
        &start,
        None,
        &RelaxOptions { held: vec![[true; 3]], ..RelaxOptions::default() },
        &mut |_| ControlFlow::Continue(()),
    );
    assert!(matches!(error, Err(ModelError::Unsupported(_))));
}

#[test]
fn frames_count_up_and_end_where_the_result_is() {
    let mut seen = Vec::new();
    let relaxed = relax(
        &LennardJones,
        &fcc(3.2, &OFFSETS),
        None,
        &options(Optimizer::Lbfgs, true),
        &mut |frame| {
            assert_eq!(frame.evaluation.forces.len(), frame.structure.len());
            seen.push((frame.step, frame.evaluation.energy_per_atom));
            ControlFlow::Continue(())
        },
    )
    .unwrap();
    assert_eq!(
        seen.iter().map(|s| s.0).collect::<Vec<_>>(),
        (0..=relaxed.steps).collect::<Vec<_>>()
    );
    assert_eq!(seen[0].1, relaxed.initial.energy_per_atom);
    assert_eq!(seen[relaxed.steps].1, relaxed.last.energy_per_atom);
}

#[test]
fn a_run_can_be_stopped_and_can_be_too_short() {
    let start = fcc(3.2, &OFFSETS);
    let mut stop = |frame: &Frame<'_>| {
        if frame.step == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let error = relax(&LennardJones, &start, None, &options(Optimizer::Fire, true), &mut stop);
    assert!(matches!(error, Err(ModelError::Cancelled)));
    let short = RelaxOptions { max_steps: 2, ..options(Optimizer::Fire, true) };
    let relaxed = run(&start, None, &short);
    assert!(!relaxed.converged && relaxed.steps == 2);
    let none = run(&start, None, &RelaxOptions { max_steps: 0, ..short });
    assert!(!none.converged && none.steps == 0 && none.structure == start);
}

#[test]
fn overlapping_atoms_come_apart() {
    let mut start = fcc(3.3, &[[0.0; 3]; 4]);
    start.sites[1].frac = Vector3::new(0.1, 0.02, 0.03);
    for optimizer in [Optimizer::Fire, Optimizer::Lbfgs] {
        let relaxed = run(&start, None, &options(optimizer, false));
        assert!(
            relaxed.converged,
            "{optimizer:?} after {} steps: {:?}",
            relaxed.steps, relaxed.last
        );
        assert!(relaxed.last.energy_per_atom < -1.0, "{}", relaxed.last.energy_per_atom);
    }
    start.sites[1].frac = start.sites[0].frac;
    let same = relax(&LennardJones, &start, None, &RelaxOptions::default(), &mut |_| {
        ControlFlow::Continue(())
    });
    assert!(matches!(same, Err(ModelError::Unsupported(_))));
}

/// Wurtzite-like polar cell: one free parameter of the positions, two of the cell.
fn wurtzite() -> Structure {
    let lattice = Lattice::from_parameters([2.4, 2.4, 3.7], [90.0, 90.0, 120.0]).unwrap();
    let (a, b) = (1.0 / 3.0, 2.0 / 3.0);
    let sites = vec![
        site("Zn", [a, b, 0.0]),
        site("Zn", [b, a, 0.5]),
        site("S", [a, b, 0.42]),
        site("S", [b, a, 0.92]),
    ];
    Structure { lattice, sites }
}

#[test]
fn symmetry_is_kept_exactly() {
    let start = wurtzite();
    let group = detect(&start, 0.01).unwrap().operations;
    assert_eq!(group.len(), 12);
    for optimizer in [Optimizer::Fire, Optimizer::Lbfgs] {
        let relaxed = run(&start, Some(&group), &options(optimizer, true));
        let end = &relaxed.structure;
        assert!(
            relaxed.steps > 3 && relaxed.last.energy_per_atom < relaxed.initial.energy_per_atom
        );
        assert_symmetric(end, &group, 1e-9);
        assert_ne!(end.lattice, start.lattice);
    }
}

fn assert_symmetric(structure: &Structure, group: &[Operation], tolerance: f64) {
    let metric = structure.lattice.metric();
    let permutations = site_permutations(structure, group, 0.1).unwrap();
    for (op, permutation) in group.iter().zip(permutations) {
        let w = op.rotation.cast::<f64>();
        assert!((w.transpose() * metric * w - metric).amax() < tolerance, "{op}");
        for (i, site) in structure.sites.iter().enumerate() {
            let shift = Vector3::from(permutation.shift[i]).cast::<f64>();
            let image = structure.sites[permutation.to[i]].frac + shift;
            assert!((op.apply(&site.frac) - image).amax() < tolerance, "{op} at {i}");
        }
    }
}

#[test]
fn a_start_that_is_symmetric_up_to_rounding_is_made_so() {
    let mut start = wurtzite();
    let group = detect(&start, 0.01).unwrap().operations;
    start.sites[0].frac = Vector3::new(0.333, 0.667, 0.001);
    start.lattice = Lattice::from_parameters([2.4, 2.401, 3.7], [90.0, 90.0, 119.98]).unwrap();
    let relaxed = run(&start, Some(&group), &options(Optimizer::Lbfgs, true));
    assert_symmetric(&relaxed.structure, &group, 1e-9);
}

#[test]
fn a_symmetry_that_is_not_there_is_refused() {
    let group = detect(&wurtzite(), 0.01).unwrap().operations;
    let refused = |s: &Structure| {
        let error = relax(&LennardJones, s, Some(&group), &RelaxOptions::default(), &mut |_| {
            ControlFlow::Continue(())
        });
        let error = error.unwrap_err();
        assert!(error.to_string().contains("symmetry"), "{error}");
    };
    let mut moved = wurtzite();
    moved.sites[2].frac.x += 0.2;
    refused(&moved);
    refused(&fcc(3.2, &OFFSETS));
}

/// Always pulls the cell apart.
struct Explosive;

impl Potential for Explosive {
    fn provenance(&self) -> Provenance {
        LennardJones.provenance()
    }

    fn evaluate(&self, structures: &[&Structure]) -> Vec<Result<Evaluation, ModelError>> {
        let one = |s: &&Structure| {
            let mut e = lennard_jones(s)?;
            e.stress = Matrix3::identity() * -100.0;
            Ok(e)
        };
        structures.iter().map(one).collect()
    }
}

/// Loses its mind after the first call.
struct NotANumber;

impl Potential for NotANumber {
    fn provenance(&self) -> Provenance {
        LennardJones.provenance()
    }

    fn evaluate(&self, structures: &[&Structure]) -> Vec<Result<Evaluation, ModelError>> {
        let one = |s: &&Structure| {
            let mut e = lennard_jones(s)?;
            e.energy_per_atom = f64::NAN;
            Ok(e)
        };
        structures.iter().map(one).collect()
    }
}

#[test]
fn a_cell_that_flies_apart_and_an_energy_that_is_none_are_errors() {
    let go = |p: &dyn Potential| {
        let options = options(Optimizer::Fire, true);
        relax(p, &fcc(3.2, &OFFSETS), None, &options, &mut |_| ControlFlow::Continue(()))
            .unwrap_err()
            .to_string()
    };
    assert!(go(&Explosive).contains("flies apart"));
    assert!(go(&NotANumber).contains("finite"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn energy_falls_from_any_start(
        shifts in prop::array::uniform4(prop::array::uniform3(-0.08_f64..0.08)),
        a in 3.0_f64..3.6,
        lbfgs: bool,
        cell: bool,
    ) {
        let optimizer = if lbfgs { Optimizer::Lbfgs } else { Optimizer::Fire };
        let relaxed = run(&fcc(a, &shifts), None, &options(optimizer, cell));
        prop_assert!(relaxed.last.energy_per_atom <= relaxed.initial.energy_per_atom);
        prop_assert!(relaxed.converged, "{} steps", relaxed.steps);
    }
}
