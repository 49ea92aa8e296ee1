//! Relaxation with CHGNet against the reference program's (FIRE, cell too, 0.1 eV/Å).

mod common;

use std::ops::ControlFlow;

use cellwright_crystal::symmetry::detect;
use cellwright_crystal::{Element, Lattice, Site, Structure};
use cellwright_models::tasks::relax::{Optimizer, RelaxOptions, relax};
use common::{chgnet, golden, structure};
use nalgebra::Vector3;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Case {
    name: String,
    start: Pymatgen,
    #[serde(rename = "final")]
    end: Pymatgen,
    e_start: f64,
    e_final: f64,
    n_frames: usize,
}

#[derive(Debug, Deserialize)]
struct Pymatgen {
    lattice: PymatgenLattice,
    sites: Vec<PymatgenSite>,
}

#[derive(Debug, Deserialize)]
struct PymatgenLattice {
    matrix: [[f64; 3]; 3],
    volume: f64,
}

#[derive(Debug, Deserialize)]
struct PymatgenSite {
    species: Vec<PymatgenSpecies>,
    abc: [f64; 3],
}

#[derive(Debug, Deserialize)]
struct PymatgenSpecies {
    element: String,
}

impl Pymatgen {
    fn structure(&self) -> Structure {
        let z = |s: &PymatgenSite| Element::from_symbol(&s.species[0].element).unwrap().z();
        let numbers: Vec<u8> = self.sites.iter().map(z).collect();
        let frac: Vec<_> = self.sites.iter().map(|s| s.abc).collect();
        structure(self.lattice.matrix, &numbers, &frac)
    }
}

#[test]
fn ends_where_the_reference_program_ends() {
    let (Some(model), Some(text)) = (chgnet(), golden("relax_chgnet_0.3.0.json")) else { return };
    let cases: Vec<Case> = serde_json::from_str(&text).unwrap();
    for case in cases {
        let start = case.start.structure();
        let n = start.len() as f64;
        for optimizer in [Optimizer::Fire, Optimizer::Lbfgs] {
            let options = RelaxOptions {
                optimizer,
                cell: true,
                force_tolerance: 0.1,
                ..RelaxOptions::default()
            };
            let relaxed =
                relax(&model, &start, None, &options, &mut |_| ControlFlow::Continue(())).unwrap();
            let name = format!("{} {optimizer:?} in {} steps", case.name, relaxed.steps);
            assert!(relaxed.converged, "{name}");
            assert!(relaxed.last.max_force() < 0.1, "{name}");
            let at_start = relaxed.initial.energy_per_atom * n - case.e_start;
            assert!(at_start.abs() < 1e-4 * n, "{name}: starts {at_start} eV off");
            // Where a run stops inside the tolerance is chance; both must be at the bottom of the same basin.
            let energy = relaxed.last.energy_per_atom - case.e_final / n;
            assert!(energy.abs() < 0.01, "{name}: ends {energy} eV/atom off");
            let volume = relaxed.structure.lattice.volume() / case.end.lattice.volume - 1.0;
            assert!(volume.abs() < 0.02, "{name}: its volume is off by {volume}");
            // The reference's frames include the first one and the last one twice.
            assert!(
                relaxed.steps < 2 * case.n_frames,
                "{name}: the reference needs {}",
                case.n_frames
            );
        }
    }
}

#[test]
fn a_perovskite_keeps_its_space_group() {
    let Some(model) = chgnet() else { return };
    let site = |symbol: &str, frac: [f64; 3]| {
        Site::new(Element::from_symbol(symbol).unwrap(), Vector3::from(frac))
    };
    // Tetragonal PbTiO3 (P4mm): polar, so every z may move and the group says little of where to.
    let start = Structure {
        lattice: Lattice::from_parameters([3.8, 3.8, 4.3], [90.0; 3]).unwrap(),
        sites: vec![
            site("Pb", [0.0, 0.0, 0.0]),
            site("Ti", [0.5, 0.5, 0.54]),
            site("O", [0.5, 0.5, 0.11]),
            site("O", [0.0, 0.5, 0.62]),
            site("O", [0.5, 0.0, 0.62]),
        ],
    };
    let group = detect(&start, 0.01).unwrap().operations;
    assert_eq!(group.len(), 8);
    for optimizer in [Optimizer::Fire, Optimizer::Lbfgs] {
        let options = RelaxOptions { optimizer, cell: true, ..RelaxOptions::default() };
        let mut energies = Vec::new();
        let relaxed = relax(&model, &start, Some(&group), &options, &mut |frame| {
            energies.push(frame.evaluation.energy_per_atom);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert!(relaxed.converged && energies.len() == relaxed.steps + 1, "{optimizer:?}");
        assert!(relaxed.last.energy_per_atom < relaxed.initial.energy_per_atom);
        let end = &relaxed.structure;
        let [a, b, _] = end.lattice.lengths();
        assert!((a - b).abs() < 1e-9);
        for (site, [x, y]) in
            end.sites.iter().zip([[0.0, 0.0], [0.5; 2], [0.5; 2], [0.0, 0.5], [0.5, 0.0]])
        {
            assert!(
                (site.frac.x - x).abs() < 1e-9 && (site.frac.y - y).abs() < 1e-9,
                "{:?}",
                site.frac
            );
        }
        assert!((end.sites[3].frac.z - end.sites[4].frac.z).abs() < 1e-9);
    }
}
