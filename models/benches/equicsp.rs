//! One training step of EquiCSP on 256 perovskite cells: published network and a small one.
//!
//! `cargo bench -p cellwright-models --bench equicsp`. The throughput that criterion shows counts the multiplications
//! and additions of the matrix products (two for each product), of which the backward pass does the edges a second
//! time: elements are floating point operations.

use candle_core::Device;
use cellwright_models::data::{Crystal, Sets};
use cellwright_models::equicsp::config::{Config, Network};
use cellwright_models::equicsp::task::{Run, Training};
use cellwright_models::nn::train::{Settings, Task};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const CRYSTALS: usize = 256;
const ATOMS: usize = 5;

fn crystals() -> Vec<Crystal> {
    let frac = [[0.0; 3], [0.5; 3], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]];
    (0..CRYSTALS)
        .map(|i| {
            let a = 3.6 + 0.8 * i as f64 / CRYSTALS as f64;
            let (large, small) = (20 + (i % 30) as u8, 22 + (i % 17) as u8);
            Crystal {
                id: i.to_string(),
                numbers: vec![large, small, 8, 8, 8],
                frac: frac.to_vec(),
                lengths: [a; 3],
                angles: [90.0; 3],
            }
        })
        .collect()
}

/// Floating point operations of the matrix products of one step.
fn operations(network: &Network) -> u64 {
    let Network { hidden: h, layers, frequencies, .. } = *network;
    let crystals = 2 * CRYSTALS;
    let (atoms, pairs) = (crystals * ATOMS, crystals * ATOMS * (ATOMS - 1) / 2);
    let waves = pairs * 6 * frequencies * h;
    let edges = crystals * ATOMS * ATOMS * h * h;
    let nodes = atoms * 5 * h * h;
    let forward = waves + edges + nodes;
    let backward = (2 * waves + 3 * edges) + 2 * nodes;
    (2 * layers * (forward + backward)) as u64
}

fn step(c: &mut Criterion) {
    let mut group = c.benchmark_group("equicsp step");
    group.sample_size(10);
    for (hidden, frequencies) in [(128, 32), (128, 128), (256, 32), (256, 128)] {
        let network = Network { hidden, layers: 4, frequencies, time: 128, ..Network::default() };
        group.throughput(Throughput::Elements(operations(&network)));
        let run = Run {
            data: Sets::default(),
            seed: 1,
            batch: CRYSTALS,
            model: Config { network, ..Config::default() },
            train: Settings::default(),
        };
        let split = run.data.cut(crystals(), crystals(), String::new()).expect("crystals");
        let mut task = Training::new(&run, split, &Device::Cpu).expect("a run");
        let name = format!("hidden {hidden}, K {frequencies}");
        let mut epoch = 0;
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| {
                epoch += 1;
                task.step(epoch, 0).expect("a step")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, step);
criterion_main!(benches);
