//! Energy, forces and stress of rutile, perovskite and caesium chloride cells of growing size, by both potentials: graph and network
//! together.
//!
//! `cargo bench -p cellwright-models --bench potentials`; the weights must be installed. `tests/bench/energy.py` and
//! `tests/bench/stress.py` ask the reference programs about the same cells.

use std::hint::black_box;

use candle_core::Device;
use cellwright_crystal::{Element, Lattice, Site, Structure};
use cellwright_models::chgnet::Chgnet;
use cellwright_models::sevennet::Sevennet;
use cellwright_models::{Potential, weights};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use nalgebra::{Matrix3, Vector3};

/// `cell` repeated along the three axes, every atom displaced by up to some 0.05 Å in a fixed way so that no symmetry helps.
fn supercell(cell: &Structure, times: [usize; 3]) -> Structure {
    let rows = Matrix3::from_fn(|i, j| cell.lattice.matrix()[(i, j)] * times[i] as f64);
    let lattice = Lattice::from_rows(rows).expect("a solid cell");
    let mut sites = Vec::new();
    for i in 0..times[0] {
        for j in 0..times[1] {
            for k in 0..times[2] {
                for site in &cell.sites {
                    let mut site = site.clone();
                    let shift = Vector3::new(i as f64, j as f64, k as f64);
                    let frac =
                        (site.frac + shift).component_div(&Vector3::from(times.map(|n| n as f64)));
                    let phase = 1.7 * sites.len() as f64;
                    let push =
                        Vector3::new(phase.sin(), (2.0 * phase).sin(), (3.0 * phase).sin()) * 0.05;
                    site.frac = frac + lattice.to_fractional(&push);
                    sites.push(site);
                }
            }
        }
    }
    Structure { lattice, sites }
}

fn cell(lengths: [f64; 3], sites: &[(&str, [f64; 3])]) -> Structure {
    let site = |(symbol, frac): &(&str, [f64; 3])| {
        Site::new(Element::from_symbol(symbol).expect("an element"), Vector3::from(*frac))
    };
    Structure {
        lattice: Lattice::from_parameters(lengths, [90.0; 3]).expect("a cell"),
        sites: sites.iter().map(site).collect(),
    }
}

fn structures() -> Vec<Structure> {
    let caesium_chloride = cell([4.12; 3], &[("Cs", [0.0; 3]), ("Cl", [0.5; 3])]);
    let perovskite = cell(
        [3.9; 3],
        &[
            ("La", [0.0; 3]),
            ("Mn", [0.5; 3]),
            ("O", [0.5, 0.5, 0.0]),
            ("O", [0.5, 0.0, 0.5]),
            ("O", [0.0, 0.5, 0.5]),
        ],
    );
    let u = 0.305;
    let rutile = cell(
        [4.6, 4.6, 2.96],
        &[
            ("Ti", [0.0; 3]),
            ("Ti", [0.5; 3]),
            ("O", [u, u, 0.0]),
            ("O", [-u, -u, 0.0]),
            ("O", [0.5 + u, 0.5 - u, 0.5]),
            ("O", [0.5 - u, 0.5 + u, 0.5]),
        ],
    );
    vec![
        supercell(&caesium_chloride, [1, 1, 1]),
        supercell(&caesium_chloride, [2, 2, 1]),
        supercell(&perovskite, [2, 2, 1]),
        supercell(&caesium_chloride, [2, 1, 13]),
        supercell(&rutile, [3, 3, 2]),
        supercell(&rutile, [4, 5, 2]),
    ]
}

fn chgnet(c: &mut Criterion) {
    let model =
        Chgnet::load(&weights::data_dir(), &Device::Cpu).expect("the weights are installed");
    let mut group = c.benchmark_group("chgnet");
    group.sample_size(20);
    for structure in structures() {
        let size = model.graph_size(&structure).expect("a graph");
        let name = format!(
            "{} atoms, {} edges, {} angles",
            structure.len(),
            size.directed_edges,
            size.angles
        );
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| black_box(model.evaluate(&[black_box(&structure)])));
        });
    }
    group.finish();
}

fn sevennet(c: &mut Criterion) {
    let model =
        Sevennet::load(&weights::data_dir(), &Device::Cpu).expect("the weights are installed");
    let mut group = c.benchmark_group("sevennet");
    group.sample_size(20);
    for structure in structures() {
        let name = format!("{} atoms", structure.len());
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| black_box(model.evaluate(&[black_box(&structure)])));
        });
    }
    group.finish();
}

criterion_group!(benches, chgnet, sevennet);
criterion_main!(benches);
