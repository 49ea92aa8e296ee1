//! EquiformerV2 at the size of its default settings: what the network says of one cell of 20 atoms and of 32 cells,
//! and one training step on these.
//!
//! `cargo bench -p cellwright-models --bench selfsup`. Elements of the throughput are atoms. `tests/bench/selfsup.py`
//! puts the times beside those of a PyTorch implementation.

use candle_core::{DType, Device};
use cellwright_crystal::Lattice;
use cellwright_models::data::{Crystal, Sets};
use cellwright_models::nn::random::Random;
use cellwright_models::nn::train::{Settings, Task};
use cellwright_models::selfsup::config::Network;
use cellwright_models::selfsup::graph::{Cell, Graph};
use cellwright_models::selfsup::network::{Equiformer, parameters};
use cellwright_models::selfsup::task::{Run, Setup, Training};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nalgebra::Vector3;

const ATOMS: usize = 20;
const CRYSTALS: usize = 32;

/// LaMnO₃-like cells of 20 atoms, every atom pushed in a way of its own.
fn crystal(seed: usize) -> Crystal {
    let mut random = Random::new(seed as u64, 0);
    let species = [57, 25, 8, 8, 8];
    let sites = [[0.0; 3], [0.5; 3], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]];
    let (mut numbers, mut frac) = (Vec::new(), Vec::new());
    for copy in 0..ATOMS / 5 {
        for (z, site) in species.iter().zip(sites) {
            numbers.push(*z);
            let (i, j) = ((copy & 1) as f64, (copy >> 1) as f64);
            let place = [(site[0] + i) / 2.0, (site[1] + j) / 2.0, site[2]];
            frac.push(place.map(|x| x + 0.01 * random.normal()));
        }
    }
    Crystal { id: seed.to_string(), numbers, frac, lengths: [7.8, 7.8, 3.9], angles: [90.0; 3] }
}

fn network() -> Network {
    Network { elements: 103, outputs: 103, radius: 12.0, ..Network::default() }
}

fn graph(crystals: &[Crystal]) -> Graph {
    let config = network();
    let known: Vec<(Lattice, Vec<Vector3<f64>>)> = crystals
        .iter()
        .map(|c| {
            let lattice = Lattice::from_parameters(c.lengths, c.angles).expect("a cell");
            (lattice, c.frac.iter().map(|f| Vector3::from(*f)).collect())
        })
        .collect();
    let cells: Vec<Cell> = known
        .iter()
        .zip(crystals)
        .map(|((lattice, frac), c)| Cell { lattice, numbers: &c.numbers, frac })
        .collect();
    Graph::new(&config, &cells, DType::F32, &Device::Cpu).expect("a graph")
}

fn bench(c: &mut Criterion) {
    let config = network();
    let weights = parameters(&config, &mut Random::new(1, 0), &Device::Cpu).expect("weights");
    let equiformer =
        Equiformer::new(&config, &weights.values().expect("values")).expect("a network");
    let crystals: Vec<Crystal> = (0..CRYSTALS).map(crystal).collect();
    let mut group = c.benchmark_group("selfsup");
    group.sample_size(10);
    for count in [1, CRYSTALS] {
        group.throughput(Throughput::Elements((count * ATOMS) as u64));
        group.bench_function(format!("graph {count}"), |b| b.iter(|| graph(&crystals[..count])));
        let graph = graph(&crystals[..count]);
        group.bench_function(format!("forward {count}"), |b| {
            b.iter(|| equiformer.forward(&graph).expect("an answer"));
        });
    }
    let run = Run {
        data: Sets::default(),
        seed: 1,
        batch: CRYSTALS,
        model: Setup { network: config, ..Setup::default() },
        train: Settings::default(),
    };
    let split = run.data.cut(crystals.clone(), crystals, String::new()).expect("crystals");
    let mut task = Training::new(&run, split, &Device::Cpu).expect("a run");
    let mut epoch = 0;
    group.bench_function(format!("step {CRYSTALS}"), |b| {
        b.iter(|| {
            epoch += 1;
            task.step(epoch, 0).expect("a step")
        });
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
