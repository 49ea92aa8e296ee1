//! How long the known structures take to answer: from a composition to twenty different candidates.

use cellwright_crystal::Element;
use cellwright_models::tasks::predict::{Predictor, Request};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

fn request(formula: &[(&str, u32)], units: Option<u32>) -> Request {
    let element = |symbol: &str| Element::from_symbol(symbol).expect("an element");
    Request {
        composition: formula.iter().map(|(symbol, n)| (element(symbol), *n)).collect(),
        units,
        space_group: None,
        answers: 20,
        samples: 0,
        starts: Some(0),
        seed: 0,
    }
}

fn query(c: &mut Criterion) {
    let mut group = c.benchmark_group("predict");
    let predictor = Predictor::shipped().expect("what comes with the program");
    for (name, formula, units) in [
        ("NaCl", &[("Na", 1), ("Cl", 1)][..], None),
        ("BaTiO3", &[("Ba", 1), ("Ti", 1), ("O", 3)], None),
        ("LiFePO4, Z = 4", &[("Li", 1), ("Fe", 1), ("P", 1), ("O", 4)], Some(4)),
        ("Ca2MgSi2O7, Z = 2", &[("Ca", 2), ("Mg", 1), ("Si", 2), ("O", 7)], Some(2)),
    ] {
        let request = request(formula, units);
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| predictor.predict(&request, &|| false, &mut |_| ()).expect("an answer"));
        });
    }
    group.finish();
}

criterion_group!(benches, query);
criterion_main!(benches);
