//! Reduction of lattices as they are found: already reduced, centred, badly skewed.

use std::hint::black_box;

use cellwright_crystal::Lattice;
use cellwright_crystal::reduction::{delaunay, niggli};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use nalgebra::Matrix3;

fn bench(c: &mut Criterion) {
    let triclinic = Lattice::from_parameters([4.1, 5.2, 6.3], [81.0, 97.5, 112.25]).unwrap();
    let skew = Matrix3::new(-11.0, 6.0, 3.0, -55.0, 31.0, 15.0, -4.0, 2.0, 1.0);
    let lattices = [
        ("cubic", Lattice::from_parameters([4.0; 3], [90.0; 3]).unwrap()),
        ("face-centred", Lattice::from_parameters([4.0; 3], [60.0; 3]).unwrap()),
        ("triclinic", triclinic),
        ("skewed", Lattice::from_rows(skew * triclinic.matrix()).unwrap()),
    ];
    let mut group = c.benchmark_group("reduction");
    for (name, lattice) in &lattices {
        group.bench_function(BenchmarkId::new("niggli", name), |b| {
            b.iter(|| niggli(black_box(lattice), 1e-5));
        });
        group.bench_function(BenchmarkId::new("delaunay", name), |b| {
            b.iter(|| delaunay(black_box(lattice), 1e-5));
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
