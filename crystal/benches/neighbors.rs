//! Neighbour lists, closest pairs and symmetry of rock salt, from one cell to ten thousand atoms, and of a
//! hundred thousand atoms without any order.

use std::hint::black_box;

use cellwright_crystal::neighbors::neighbors;
use cellwright_crystal::symmetry::detect;
use cellwright_crystal::{Element, Lattice, Site, Structure};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use nalgebra::Vector3;

/// `n` × `n` × `n` cells of rock salt, every atom moved a little so that no two distances are equal.
fn rock_salt(n: usize) -> Structure {
    let (na, cl) = (Element::from_symbol("Na").unwrap(), Element::from_symbol("Cl").unwrap());
    let mut sites = Vec::new();
    // Positions in units of half the cell edge: sodium where the sum is even.
    for x in 0..2 * n {
        for y in 0..2 * n {
            for z in 0..2 * n {
                let element = if (x + y + z) % 2 == 0 { na } else { cl };
                let noise =
                    Vector3::new(7 * x + y, 3 * y + z, 5 * z + x).map(|k| 0.01 * (k as f64).sin());
                let at = Vector3::new(x, y, z).map(|k| k as f64) + noise;
                sites.push(Site::new(element, at / (2 * n) as f64));
            }
        }
    }
    let lattice = Lattice::from_parameters([5.64 * n as f64; 3], [90.0; 3]).unwrap();
    Structure { lattice, sites }
}

/// Atoms at random places, as dense as rock salt: some pairs are very close. Always the same.
fn gas(atoms: usize) -> Structure {
    let (na, mut state) = (Element::from_symbol("Na").unwrap(), 1_u64);
    // Numbers of a linear congruential generator (Knuth, MMIX), the upper half of the bits.
    let mut random = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as f64 / 2.0_f64.powi(32)
    };
    let sites = (0..atoms).map(|_| Site::new(na, Vector3::from_fn(|_, _| random()))).collect();
    let edge = (atoms as f64 * 22.4).cbrt();
    Structure { lattice: Lattice::from_parameters([edge; 3], [90.0; 3]).unwrap(), sites }
}

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("crystal");
    for n in [1, 3, 5, 11] {
        let salt = rock_salt(n);
        let frac = salt.fractional();
        let atoms = salt.len();
        group.bench_function(BenchmarkId::new("neighbours within 5 Å", atoms), |b| {
            b.iter(|| neighbors(&salt.lattice, black_box(&frac), 5.0));
        });
        group.bench_function(BenchmarkId::new("closest pair", atoms), |b| {
            b.iter(|| black_box(&salt).closest_pair());
        });
        if atoms <= 1000 {
            group.bench_function(BenchmarkId::new("space group", atoms), |b| {
                b.iter(|| detect(black_box(&salt), 0.01));
            });
        }
    }
    let gas = gas(100_000);
    let frac = gas.fractional();
    group.sample_size(10);
    group.bench_function("closest pair/100000 at random", |b| {
        b.iter(|| black_box(&gas).closest_pair());
    });
    group.bench_function("neighbours within 3 Å/100000 at random", |b| {
        b.iter(|| neighbors(&gas.lattice, black_box(&frac), 3.0));
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
