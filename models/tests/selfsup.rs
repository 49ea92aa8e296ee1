//! EquiformerV2 against numbers of the authors' program: tables, network with every stage, gradients, displacements.

#![allow(clippy::print_stdout, reason = "how well numbers agree is worth knowing too")]

mod common;

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor, Var};
use cellwright_crystal::Lattice;
use cellwright_models::nn::parameters::Tensors;
use cellwright_models::nn::so3::frames::frame;
use cellwright_models::nn::so3::grid::Grid;
use cellwright_models::nn::so3::harmonics::harmonics;
use cellwright_models::nn::so3::layout::{Layout, atom_row};
use cellwright_models::nn::so3::wigner::{Rotation, wigner};
use cellwright_models::selfsup::config::{FeedForward, Network, Norm, Pooling, Sphere};
use cellwright_models::selfsup::corruption::{displace, shortest};
use cellwright_models::selfsup::graph::{Edge, Graph};
use cellwright_models::selfsup::network::{Equiformer, Output};

use common::Golden;
use nalgebra::{Matrix3, Vector3};

/// The network that the golden files share.
fn network() -> Network {
    Network {
        lmax: 2,
        mmax: 2,
        blocks: 2,
        channels: 16,
        attention_hidden: 16,
        heads: 2,
        alpha_channels: 8,
        value_channels: 8,
        feed_forward_hidden: 16,
        edge_channels: 16,
        gaussians: 16,
        radius: 12.0,
        neighbors: 12,
        elements: 118,
        norm: Norm::Rms,
        feed_forward: FeedForward::Sphere,
        sphere: Sphere::Published,
        outputs: 118,
        vector: true,
        pooling: Pooling::None,
        ..Network::default()
    }
}

fn numbers(t: &Tensor) -> Vec<f64> {
    t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn integers<T: TryFrom<i64>>(t: &Tensor) -> Vec<T> {
    let numbers = t.flatten_all().unwrap().to_vec1::<i64>().unwrap();
    numbers.into_iter().map(|x| T::try_from(x).ok().unwrap()).collect()
}

fn rotations(t: &Tensor) -> Vec<Rotation> {
    let rows = |m: &[f64; 9]| [[m[0], m[1], m[2]], [m[3], m[4], m[5]], [m[6], m[7], m[8]]];
    numbers(t).as_chunks::<9>().0.iter().map(rows).collect()
}

/// Largest difference as a share of the largest number; fails when it is over `tolerance`.
fn close(what: &str, ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let scale = theirs.iter().fold(1e-300_f64, |m, x| m.max(x.abs()));
    let worst = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    println!("{what}: {:.1e}", worst / scale);
    assert!(worst <= tolerance * scale, "{what}: {worst:e} of {scale:e}");
}

/// A tensor of theirs, weight or gradient, under our name. Their output head computes all degrees and drops all but the
/// first, which depends on nothing of the others: those weights are none of ours.
fn ours(name: &str, t: &Tensor, dtype: DType) -> Option<(String, Tensor)> {
    let name = name.replace("energy_block", "output_block");
    let t = t.to_dtype(dtype).unwrap();
    let head = name.strip_prefix("output_block.");
    match head {
        Some(part) if part.starts_with("so3_linear_1") || part.starts_with("grid_mlp") => None,
        Some("so3_linear_2.weight") => Some((name, t.get(0).unwrap())),
        Some(_) => Some((name.replace("scalar_mlp.0", "gating_linear"), t)),
        None => Some((name, t)),
    }
}

fn weights(golden: &Golden, dtype: DType) -> Tensors {
    golden.below("param.").iter().filter_map(|(name, t)| ours(name, t, dtype)).collect()
}

/// Their graph, with the frames they drew.
fn graph(golden: &Golden, config: &Network, dtype: DType) -> Graph {
    let ends = integers::<u32>(&golden["in.edge_index"]);
    let (source, target) = ends.split_at(ends.len() / 2);
    let vectors = numbers(&golden["in.edge_distance_vec"]);
    let frames = rotations(&golden["in.edge_rot_mat"]);
    let edges = vectors.as_chunks::<3>().0.iter().zip(frames).enumerate();
    let edges = edges
        .map(|(i, (vector, frame))| Edge {
            source: source[i],
            target: target[i],
            vector: *vector,
            frame,
        })
        .collect();
    let species = integers::<u8>(&golden["in.atomic_numbers"]);
    let crystals = integers::<u32>(&golden["in.batch"]);
    Graph::from_edges(config, &species, crystals, edges, dtype, &Device::Cpu).unwrap()
}

/// A golden case with the settings it was made with.
fn cases() -> [(&'static str, Network); 7] {
    let base = network();
    let energy = Network {
        elements: 89,
        outputs: 1,
        pooling: Pooling::Sum { divisor: 77.81317 },
        ..base.clone()
    };
    let disc = Network { elements: 118, outputs: 2, vector: false, ..energy.clone() };
    let grid = Network { norm: Norm::Layer, feed_forward: FeedForward::Grid, ..base.clone() };
    let large = Network { gaussians: 600, radius: 5.0, neighbors: 500, ..base.clone() };
    [
        ("eqv2_mod_l2m2", base.clone()),
        ("eqv2_mod_l2m2_600", large),
        ("eqv2_mod_l3m2", Network { lmax: 3, ..base }),
        ("eqv2_mod_grid_l2m2", grid),
        ("eqv2_mod_disc_l2m2", disc),
        ("eqv2_orig_l2m2", energy.clone()),
        ("eqv2_orig_l3m2", Network { lmax: 3, ..energy }),
    ]
}

/// Both heads under the names they have in the golden file.
fn heads(golden: &Golden, output: &Output, precision: &str) -> Vec<(String, Vec<f64>, Vec<f64>)> {
    let mut heads = Vec::new();
    let mut compare = |name: &str, ours: &Tensor| {
        if let Some(theirs) = golden.get(&format!("out{precision}.{name}")) {
            heads.push((name.to_owned(), numbers(ours), numbers(theirs)));
        }
    };
    for name in ["logits", "energy", "output"] {
        compare(name, &output.scalars);
    }
    if let Some(vectors) = &output.vectors {
        compare("pos_noise", vectors);
        compare("forces", vectors);
    }
    heads
}

#[test]
fn network_agrees_in_every_golden_case() {
    for (file, config) in cases() {
        let Some(golden) = common::golden_tensors(file) else { return };
        // Their single precision differs from their double by up to 7e-6 (vectors); ours may, too.
        for (dtype, tolerance) in [(DType::F32, 1e-4), (DType::F64, 1e-9)] {
            let network = Equiformer::new(&config, &weights(&golden, dtype)).unwrap();
            let mut stages = BTreeMap::new();
            let mut observe = |name: &str, t: &Tensor| {
                stages.insert(name.to_owned(), numbers(t));
            };
            let graph = graph(&golden, &config, dtype);
            let output = network.forward_observed(&graph, &mut observe).unwrap();
            for (ours, theirs) in [
                ("embedding", "mid64.block0.x_initial"),
                ("block 0", "mid64.block0.out"),
                ("block 1", "mid64.block1.out"),
                ("norm", "mid64.final_norm"),
            ] {
                if let Some(theirs) = golden.get(theirs) {
                    close(
                        &format!("{file} {dtype:?} {ours}"),
                        &stages[ours],
                        &numbers(theirs),
                        tolerance,
                    );
                }
            }
            let heads = heads(&golden, &output, "64");
            assert_eq!(heads.len(), 1 + usize::from(config.vector), "{file}");
            for (name, ours, theirs) in heads {
                close(&format!("{file} {dtype:?} {name}"), &ours, &theirs, tolerance);
            }
        }
    }
}

/// The loss of the golden file, in the file's own terms: both parts have weight 1 and the noise is fractional.
fn golden_loss(golden: &Golden, output: &Output, dtype: DType) -> Tensor {
    let classes: Vec<u32> = integers::<u32>(&golden["in.target_atomic_numbers"]);
    let atoms = classes.len();
    let classes: Vec<u32> = classes.into_iter().map(|z| z - 1).collect();
    let classes = Tensor::from_vec(classes, (atoms, 1), &Device::Cpu).unwrap();
    let logits = &output.scalars;
    let largest = logits.max_keepdim(1).unwrap();
    let shifted = logits.broadcast_sub(&largest).unwrap();
    let sums = shifted.exp().unwrap().sum_keepdim(1).unwrap().log().unwrap();
    let chosen = shifted.gather(&classes, 1).unwrap();
    let species = (sums - chosen).unwrap().mean_all().unwrap();
    let noise = golden["out64.true_pos_noise_scaled"].to_dtype(dtype).unwrap();
    let position = (output.vectors.as_ref().unwrap() - noise).unwrap().sqr().unwrap();
    (species + position.mean_all().unwrap()).unwrap()
}

#[test]
fn gradients_agree() {
    let Some(golden) = common::golden_tensors("eqv2_mod_l2m2") else { return };
    for (dtype, tolerance) in [(DType::F32, 2e-4), (DType::F64, 1e-8)] {
        let variables: BTreeMap<String, Var> = weights(&golden, dtype)
            .into_iter()
            .map(|(name, t)| (name, Var::from_tensor(&t).unwrap()))
            .collect();
        let weights = variables.iter().map(|(n, v)| (n.clone(), v.as_tensor().clone())).collect();
        let network = Equiformer::new(&network(), &weights).unwrap();
        let output = network.forward(&graph(&golden, &network.config().clone(), dtype)).unwrap();
        let loss = golden_loss(&golden, &output, dtype);
        close(&format!("loss {dtype:?}"), &numbers(&loss), &numbers(&golden["out64.loss"]), 1e-6);
        let gradients = loss.backward().unwrap();
        let theirs = golden.below("grad64.");
        for (name, t) in &theirs {
            let dropped = ours(name, t, dtype).is_none();
            assert!(!dropped || numbers(t).iter().all(|g| *g == 0.0), "{name} matters");
        }
        let theirs: Tensors =
            theirs.iter().filter_map(|(name, t)| ours(name, t, DType::F64)).collect();
        assert_eq!(theirs.len(), variables.len());
        for (name, theirs) in theirs {
            let ours =
                gradients.get(&variables[&name]).unwrap_or_else(|| panic!("no gradient of {name}"));
            close(&format!("{name} {dtype:?}"), &numbers(ours), &numbers(&theirs), tolerance);
        }
    }
}

#[test]
fn tables_agree() {
    let Some(golden) = common::golden_tensors("eqv2_tables") else { return };
    for (inputs, outputs) in
        [("in.rot_mats", "out64.wigner_l6"), ("out64.edge_rot_mat", "out64.wigner_edge_l6")]
    {
        let mut ours = Vec::new();
        for rotation in rotations(&golden[inputs]) {
            let mut whole = vec![0.0; 49 * 49];
            for (l, matrix) in wigner(&rotation, 6).iter().enumerate() {
                let n = 2 * l + 1;
                for (i, value) in matrix.iter().enumerate() {
                    whole[(l * l + i / n) * 49 + l * l + i % n] = *value;
                }
            }
            ours.extend(whole);
        }
        close(outputs, &ours, &numbers(&golden[outputs]), 1e-12);
    }
    let vectors = numbers(&golden["in.sh_vec"]);
    let scale = (4.0 * std::f64::consts::PI).sqrt();
    let ours: Vec<f64> = vectors.as_chunks::<3>().0.iter().flat_map(|v| harmonics(*v, 6)).collect();
    let ours: Vec<f64> = ours.into_iter().map(|y| y * scale).collect();
    close("harmonics", &ours, &numbers(&golden["out64.sh_component_l6"]), 1e-12);
    for (lmax, mmax) in [(2, 2), (3, 2), (3, 3), (6, 2), (6, 6)] {
        let layout = Layout { lmax, mmax };
        let name = format!("l{lmax}m{mmax}");
        let grid = Grid::published_of_edges(layout);
        let rows = layout.harmonics();
        // Theirs are sorted by degree, ours by order.
        let mut sorted: Vec<usize> = (0..rows.len()).collect();
        sorted.sort_by_key(|i| atom_row(rows[*i].0, rows[*i].1));
        for (ours, theirs) in [(grid.to(), "to_grid"), (grid.from(), "from_grid")] {
            let ours: Vec<f64> = ours
                .chunks_exact(rows.len())
                .flat_map(|row| sorted.iter().map(|i| row[*i]).collect::<Vec<_>>())
                .collect();
            let theirs = numbers(&golden[&format!("grid64.{name}.{theirs}")]);
            close(&format!("{name} grid"), &ours, &theirs, 1e-12);
        }
        // The matrix that sorts by order.
        let to_m = numbers(&golden[&format!("mapping.{name}.to_m")]);
        for (row, from) in to_m.chunks_exact(rows.len()).enumerate() {
            let place = from.iter().position(|x| *x == 1.0).unwrap();
            assert_eq!(sorted[place], row, "{name}");
        }
    }
    // Our own frames: the same direction to the same axis.
    for edge in numbers(&golden["in.edge_vec"]).as_chunks::<3>().0 {
        let length = edge.iter().map(|x| x * x).sum::<f64>().sqrt();
        let turned = frame(*edge).map(|row| (0..3).map(|i| row[i] * edge[i]).sum::<f64>() / length);
        close("frame", &turned, &[0.0, 1.0, 0.0], 1e-14);
    }
}

/// How atoms are displaced and put back. Their shortest distance counts no images, so they see none that is shorter than
/// ours; what the displacements come to is the same, in ångström and as fractions (the release learns the latter).
#[test]
fn displacements_agree() {
    let Some(golden) = common::golden_tensors("ssl_functions") else { return };
    let cells = numbers(&golden["in.cell"]);
    let vectors = |name: &str| -> Vec<Vector3<f64>> {
        let flat = numbers(&golden[name]);
        flat.as_chunks::<3>().0.iter().map(|v| Vector3::from(*v)).collect()
    };
    let flat =
        |rows: &[Vector3<f64>]| rows.iter().flat_map(|v| [v.x, v.y, v.z]).collect::<Vec<_>>();
    let sigmas = numbers(&golden["out64.sigma"]);
    let [before, normal, noised, cartesian, scaled, mended] = [
        "in.pos",
        "in.standard_normal",
        "out64.pos_noised_wrapped",
        "out64.noise_cartesian",
        "out64.noise_scaled",
        "out64.pos_denoised_wrapped",
    ]
    .map(vectors);
    let mut first = 0;
    for (c, atoms) in integers::<usize>(&golden["in.natoms"]).into_iter().enumerate() {
        let part = first..first + atoms;
        first += atoms;
        let rows = Matrix3::from_row_slice(&cells[9 * c..9 * c + 9]);
        let lattice = Lattice::from_rows(rows).unwrap();
        let fractional = |v: &Vector3<f64>| lattice.to_fractional(v);
        let frac: Vec<[f64; 3]> =
            before[part.clone()].iter().map(|v| fractional(v).into()).collect();
        let ours = 0.1 * shortest(&lattice, &frac).unwrap();
        println!("crystal {c}: sigma {ours} and {}", sigmas[c]);
        assert!(ours <= sigmas[c] * (1.0 + 1e-9));
        let normal: Vec<[f64; 3]> = normal[part.clone()].iter().map(|v| (*v).into()).collect();
        let moved = displace(&lattice, &frac, sigmas[c], &normal);
        let displacement: Vec<Vector3<f64>> =
            moved.displacement.iter().map(|d| Vector3::from(*d)).collect();
        close("displacement", &flat(&displacement), &flat(&cartesian[part.clone()]), 1e-12);
        let fractions: Vec<Vector3<f64>> = displacement.iter().map(fractional).collect();
        close("as fractions", &flat(&fractions), &flat(&scaled[part.clone()]), 1e-12);
        let same_place = |ours: &Vector3<f64>, theirs: &Vector3<f64>| {
            let apart = (ours - fractional(theirs)).map(|x| x - x.round());
            assert!(apart.norm() < 1e-9, "{apart}");
        };
        for ((frac, d), i) in moved.frac.iter().zip(&fractions).zip(part) {
            same_place(frac, &noised[i]);
            same_place(&(frac - d), &mended[i]);
        }
    }
}
