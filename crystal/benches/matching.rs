//! Structure matching, from a simple oxide to forty atoms, with and without the reduction of the cells.

use std::hint::black_box;

use cellwright_crystal::matching::{Matcher, Prepared};
use cellwright_crystal::{Element, Lattice, Site, Structure};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use nalgebra::Vector3;

/// `n` × `n` × `n` cells of cubic perovskite, every atom moved by up to `noise` Å.
fn perovskite(n: usize, symbols: [&str; 3], noise: f64) -> Structure {
    let [big, small, anion] = symbols.map(|s| Element::from_symbol(s).unwrap());
    let (half, edge) = (0.5, 3.905 * n as f64);
    let base = [
        (big, [0.0, 0.0, 0.0]),
        (small, [half, half, half]),
        (anion, [half, half, 0.0]),
        (anion, [half, 0.0, half]),
        (anion, [0.0, half, half]),
    ];
    let mut sites = Vec::new();
    for (element, frac) in base {
        for i in 0..n * n * n {
            let cell = Vector3::new(i / (n * n), i / n % n, i % n).map(|k| k as f64);
            let wave = Vector3::new(3 * i + 1, 5 * i + 2, 7 * i + 3).map(|k| (k as f64).sin());
            let at = (Vector3::from(frac) + cell) / n as f64 + wave * (noise / edge);
            sites.push(Site::new(element, at));
        }
    }
    Structure { lattice: Lattice::from_parameters([edge; 3], [90.0; 3]).unwrap(), sites }
}

fn bench(c: &mut Criterion) {
    let titanate = ["Sr", "Ti", "O"];
    let matcher = Matcher::default();
    let prepare = |s: &Structure| -> Prepared { matcher.prepare(s).unwrap() };
    let mut group = c.benchmark_group("matching");
    for n in [1, 2, 3] {
        // Moved too far for the cells to fold into one.
        let pair = [perovskite(n, titanate, 0.0), perovskite(n, titanate, 0.6)];
        let atoms = pair[0].len();
        group.bench_function(BenchmarkId::new("reduction", atoms), |b| {
            b.iter(|| prepare(black_box(&pair[0])));
        });
        let whole = Matcher { primitive: false, ..matcher };
        let [first, second] = [0, 1].map(|i| whole.prepare(&pair[i]).unwrap());
        group.bench_function(BenchmarkId::new("rms of prepared", atoms), |b| {
            b.iter(|| whole.rms(black_box(&first), black_box(&second)));
        });
        group.bench_function(BenchmarkId::new("fit of prepared", atoms), |b| {
            b.iter(|| whole.fit(black_box(&first), black_box(&second)));
        });
    }
    let [titanate, sulfide] =
        [titanate, ["Ba", "Zr", "S"]].map(|symbols| perovskite(1, symbols, 0.1));
    let [first, second] = [&titanate, &sulfide].map(prepare);
    group.bench_function("anonymous", |b| {
        b.iter(|| matcher.rms_anonymous(black_box(&first), black_box(&second)));
    });
    let many: Vec<_> = (0..200)
        .map(|i| prepare(&perovskite(1, ["Sr", "Ti", "O"], 0.004 * f64::from(i))))
        .collect();
    group.bench_function("grouping of 200", |b| b.iter(|| matcher.group(black_box(&many))));
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
