//! Charge rules and bond valences: what runs at every key press, and over every answer of a generator.

use std::hint::black_box;

use cellwright_crystal::charge::balance;
use cellwright_crystal::charge::bond_valence::{Bonds, bond_valence_sums};
use cellwright_crystal::charge::cdvae::verdict;
use cellwright_crystal::{Composition, Element, Lattice, Site, Structure};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use nalgebra::Vector3;

/// Formulas of ten elements that say little by themselves: mixed valences of many metals, whole numbers and
/// occupancies, with a neutral assignment and without.
const TEN_ELEMENTS: [(&str, &str); 7] = [
    ("battery oxide", "Li5La3Ti2V1Cr1Mn3Fe4Co2Ni2O37"),
    ("the same, charged", "Li5La3Ti2V1Cr1Mn3Fe4Co2Ni2O60"),
    ("large numbers", "Li101La97Ti89V83Cr79Mn73Fe71Co67Ni61O1013"),
    ("high-entropy perovskite", "La0.2Pr0.2Nd0.2Sm0.2Gd0.2Cr0.25Mn0.25Fe0.25Co0.25O3"),
    ("monazite", "Ce0.45La0.22Nd0.17Pr0.05Sm0.03Ca0.04Th0.04P0.96Si0.04O4"),
    ("eudialyte", "Na15Ca6Ce1Mn1Fe3Zr3Si26O73H5Cl2"),
    ("fahlore", "Cu9.37Ag0.63Fe1.23Zn0.57Hg0.2Sb2.83As0.97Bi0.15Te0.05S13"),
];

/// As many compositions as the two- and three-element part of the MP-20 test set has.
const COMPOSITIONS: usize = 7118;

/// Compounds of two metals or semimetals with an anion, and alloys, spread over the periodic table.
fn ternaries() -> Vec<Composition> {
    let all: Vec<Element> = Element::all().take(94).collect();
    let one = |i: usize| {
        let pick = |step: usize, count: usize| (all[(i * step + step) % all.len()], count as f64);
        let list = [pick(7, 1 + i % 4), pick(31, 1 + i % 3), pick(57, 1 + i % 7)];
        list.into_iter().collect::<Composition>()
    };
    (0..COMPOSITIONS).map(one).collect()
}

/// Four cells of strontium titanate along each axis: 320 atoms, with their states.
fn perovskite() -> (Structure, Vec<f64>) {
    let n = 4;
    let unit = [
        ("Sr", 2.0, [0.0, 0.0, 0.0]),
        ("Ti", 4.0, [0.5, 0.5, 0.5]),
        ("O", -2.0, [0.5, 0.5, 0.0]),
        ("O", -2.0, [0.5, 0.0, 0.5]),
        ("O", -2.0, [0.0, 0.5, 0.5]),
    ];
    let (mut sites, mut states) = (Vec::new(), Vec::new());
    for cell in 0..n * n * n {
        let corner = Vector3::new(cell % n, cell / n % n, cell / n / n).map(|k| k as f64);
        for (symbol, state, at) in unit {
            let element = Element::from_symbol(symbol).unwrap();
            sites.push(Site::new(element, (Vector3::from(at) + corner) / n as f64));
            states.push(state);
        }
    }
    let lattice = Lattice::from_parameters([3.905 * n as f64; 3], [90.0; 3]).unwrap();
    (Structure { lattice, sites }, states)
}

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("charge");
    for (name, formula) in TEN_ELEMENTS {
        let ten: Composition = formula.parse().unwrap();
        assert_eq!(ten.len(), 10, "{formula}");
        group.bench_function(BenchmarkId::new("balance of ten elements", name), |b| {
            b.iter(|| balance(black_box(&ten), 0.01));
        });
    }
    let many = ternaries();
    group.bench_function("balance of 7118 compositions", |b| {
        b.iter(|| many.iter().map(|c| balance(black_box(c), 0.01)).collect::<Vec<_>>());
    });
    group.bench_function("CDVAE rule over 7118 compositions", |b| {
        let valid = |c: &&Composition| verdict(black_box(c)).is_ok_and(|v| v.is_valid());
        b.iter(|| many.iter().filter(valid).count());
    });
    let (crystal, states) = perovskite();
    group.bench_function("bond valences of 320 atoms", |b| {
        b.iter(|| bond_valence_sums(black_box(&crystal), &states, Bonds::default()));
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
