//! EquiCSP against numbers of the authors' program: network, functions, tables, loss with gradients, sampler.

#![allow(clippy::print_stdout, reason = "how well numbers agree is worth knowing too")]

mod common;

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use cellwright_models::data::Crystal;
use cellwright_models::equicsp::config::{Config, Diffusion, LossWeights, Network, Score};
use cellwright_models::equicsp::lattice::{to_lattice, to_numbers, to_parameters};
use cellwright_models::equicsp::loss::{Diffuser, Draw, Noised, Terms};
use cellwright_models::equicsp::network::{Denoiser, Input, Species};
use cellwright_models::equicsp::sampler::{Sampler, State, StepNoise, Wanted};
use cellwright_models::equicsp::schedule::{Schedule, time_embedding};
use cellwright_models::equicsp::tables::{Entry, Tables};
use cellwright_models::equicsp::{noise, wrapped};
use cellwright_models::nn::parameters::Tensors;

use common::Golden;

/// Sizes of the three crystals in most files.
const SIZES: [usize; 3] = [2, 5, 7];

fn network(add_means: bool) -> Network {
    Network {
        hidden: 64,
        layers: 3,
        frequencies: 16,
        time: 32,
        elements: 100,
        add_means,
        species: false,
    }
}

/// Fails unless the numbers agree to `tolerance` of the largest.
fn close(what: &str, ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let scale = theirs.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    let worst = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    println!("{what}: {:.1e}", worst / scale);
    assert!(worst <= tolerance * scale, "{what}: {worst:e} of {scale:e}");
}

fn numbers(t: &Tensor) -> Vec<f64> {
    t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn integers(t: &Tensor) -> Vec<usize> {
    t.flatten_all().unwrap().to_vec1::<i64>().unwrap().into_iter().map(|x| x as usize).collect()
}

fn rows<const N: usize>(t: &Tensor) -> Vec<[f64; N]> {
    numbers(t).as_chunks::<N>().0.to_vec()
}

/// Starts of the crystals among the atoms.
fn starts() -> [usize; 3] {
    [0, SIZES[0], SIZES[0] + SIZES[1]]
}

fn to_double(tensors: Tensors) -> Tensors {
    tensors.into_iter().map(|(n, t)| (n, t.to_dtype(DType::F64).unwrap())).collect()
}

/// Runs the network over each crystal, in single or double precision; heads and stages joined again, by name.
fn run_network(golden: &Golden, add_means: bool, double: bool) -> BTreeMap<String, Vec<f64>> {
    let config = network(add_means);
    let mut weights = golden.below("param.");
    if double {
        weights = to_double(weights);
    }
    let denoiser = Denoiser::new(&config, &weights).unwrap();
    let species: Vec<u8> = integers(&golden["in.atom_types"]).iter().map(|z| *z as u8).collect();
    let frac = rows::<3>(&golden["in.frac_coords"]);
    let lattices = rows::<6>(&golden["in.lattices6"]);
    let times = integers(&golden["in.times"]);
    let mut joined = BTreeMap::<String, Vec<f64>>::new();
    for (c, (start, size)) in starts().into_iter().zip(SIZES).enumerate() {
        let atoms = start..start + size;
        let mut input = Input::new(
            &config,
            Species::Known(&[&species[atoms.clone()]]),
            &times[c..=c],
            &lattices[c..=c],
            &[frac[atoms].to_vec()],
            &Device::Cpu,
        )
        .unwrap();
        if double {
            let wide = |t: &Tensor| t.to_dtype(DType::F64).unwrap();
            // Their double run starts from single inputs, the embedded times among them.
            input.time = wide(&golden["in.t_emb"].narrow(0, c, 1).unwrap());
            (input.lattice, input.frac) = (wide(&input.lattice), wide(&input.frac));
        }
        let mut join = |name: &str, t: &Tensor| {
            joined.entry(name.to_owned()).or_default().extend(numbers(t));
        };
        let output = denoiser.forward_observed(&input, &mut join).unwrap();
        join("lattice", &output.lattice);
        join("coord", &output.position);
        join("log", &output.score);
    }
    joined
}

#[test]
fn network_agrees_stage_by_stage() {
    for (file, variant, means, suffix) in [
        ("equicsp_cspnet_v2", "without means", false, ""),
        ("equicsp_cspnet_v2", "with means", true, "_mean_operate"),
        ("equicsp_cspnet_v3", "always with means", true, ""),
    ] {
        let Some(golden) = common::golden_tensors(file) else { return };
        for (double, tolerance) in [(false, 5e-6), (true, 1e-9)] {
            let ours = run_network(&golden, means, double);
            let mut stages = vec![
                ("embedding".to_owned(), "mid64.atom_latent_emb".to_owned()),
                ("norm".to_owned(), "mid64.final_layer_norm".to_owned()),
            ];
            stages.extend((0..3).map(|i| (format!("layer {i}"), format!("mid64.csp_layer_{i}"))));
            for head in ["lattice", "coord", "log"] {
                stages.push((head.to_owned(), format!("out64.{head}{suffix}")));
            }
            for (stage, theirs) in stages {
                let what = format!("{variant}: {stage}, double {double}");
                close(&what, &ours[&stage], &numbers(&golden[&theirs]), tolerance);
            }
        }
    }
}

#[test]
fn schedules_and_functions_agree() {
    let Some(golden) = common::golden_tensors("equicsp_functions") else { return };
    let theirs = |name: &str| numbers(&golden[&format!("out64.{name}")]);
    let schedule = Schedule::new(&Diffusion::default());
    close("beta", &schedule.beta, &theirs("beta_betas"), 1e-12);
    close("alpha bar", &schedule.alpha_bar, &theirs("beta_alphas_cumprod"), 1e-12);
    close("sigma", &schedule.sigma, &theirs("sigma_sigmas"), 1e-7);
    let posterior: Vec<f64> =
        (0..=1000).map(|t| if t == 0 { 0.0 } else { schedule.posterior_sigma(t, t - 1) }).collect();
    close("posterior", &posterior, &theirs("beta_sigmas"), 1e-12);
    let times = integers(&golden["in.time_emb_times"]);
    for dimension in [32, 256] {
        let ours: Vec<f64> = times.iter().flat_map(|t| time_embedding(*t, dimension)).collect();
        close("time", &ours, &theirs(&format!("time_emb_{dimension}")), 1e-12);
    }
    let (xs, sigmas) = (numbers(&golden["in.dlogp_x"]), numbers(&golden["in.dlogp_sigma"]));
    let scores = theirs("d_log_p_wrapped_normal");
    let mut compared = 0;
    for (i, x) in xs.iter().enumerate() {
        for (j, sigma) in sigmas.iter().enumerate() {
            let wanted = scores[i * sigmas.len() + j];
            // Theirs is 0/0 where every exponential underflows.
            if wanted.is_nan() {
                assert!(wrapped::score(*x, *sigma).is_finite());
                continue;
            }
            compared += 1;
            let ours = wrapped::score(*x, *sigma);
            // Between two images the sign is a matter of rounding in x.
            let tie = (x.abs() - 0.5).abs() < 1e-6 || (x.abs() - 1.5).abs() < 1e-6;
            let off = if tie { ours.abs() - wanted.abs() } else { ours - wanted };
            assert!(off.abs() <= 1e-6 * wanted.abs().max(1.0), "{x} {sigma}: {ours} {wanted}");
        }
    }
    assert!(compared > 400, "{compared}");
}

#[test]
fn means_on_the_circle_agree() {
    let Some(golden) = common::golden_tensors("equicsp_functions") else { return };
    let (x, score) = (rows::<3>(&golden["in.x"]), rows::<3>(&golden["in.score"]));
    let theirs = |name: &str| rows::<3>(&golden[&format!("out64.{name}")]);
    let (means, slopes, free) = (theirs("mean_angle"), theirs("d_mean_angle_x"), theirs("d_log_x"));
    for (c, (start, size)) in starts().into_iter().zip(SIZES).enumerate() {
        for axis in 0..3 {
            let along = |v: &[[f64; 3]]| -> Vec<f64> {
                v[start..start + size].iter().map(|r| r[axis]).collect()
            };
            let here = along(&x);
            assert!((noise::circular_mean(&here) - means[c][axis]).abs() < 1e-12);
            let slope = noise::circular_mean_slopes(&here);
            close("slope", &slope, &along(&slopes), 1e-12);
            let scores = along(&score);
            let total: f64 = scores.iter().sum();
            let ours: Vec<f64> = scores.iter().zip(&slope).map(|(s, d)| s - d * total).collect();
            close("score without mean", &ours, &along(&free), 1e-10);
        }
    }
}

#[test]
fn lattices_agree() {
    let Some(golden) = common::golden_tensors("equicsp_functions") else { return };
    let lengths = rows::<3>(&golden["in.lengths"]);
    let angles = rows::<3>(&golden["in.angles_deg"]);
    let matrices = rows::<9>(&golden["out64.lattice_matrix"]);
    let transformed = rows::<6>(&golden["out64.lattice_transformed6"]);
    let mut refused = 0;
    for i in 0..lengths.len() {
        let k = to_numbers(lengths[i], angles[i]);
        close("k", &k, &transformed[i], 1e-12);
        let (l, a) = to_parameters(k);
        close("lengths", &l, &lengths[i], 1e-12);
        close("angles", &a, &angles[i], 1e-12);
        match to_lattice(k) {
            Ok(lattice) => {
                let rows: Vec<f64> = lattice.matrix().transpose().iter().copied().collect();
                close("matrix", &rows, &matrices[i], 1e-9);
            }
            Err(_) => refused += 1,
        }
    }
    // Theirs has no volume there.
    assert_eq!(refused, 1);
}

#[test]
fn tables_agree_within_monte_carlo() {
    let Some(golden) = common::golden_tensors("equicsp_tables") else { return };
    let table = |name: &str, row: usize, t: usize| {
        f64::from(golden[name].get(row).unwrap().get(t).unwrap().to_scalar::<f32>().unwrap())
    };
    let config = Diffusion::default();
    let schedule = Schedule::new(&config);
    let atoms = [2, 3, 5, 9, 20, 52];
    let tables = Tables::new(&config, &schedule, &atoms);
    // Theirs were drawn anew for each entry and jitter by up to 13 % from one time to the next; means over fifty times
    // do not.
    let (mut single, mut mean) = ([0.0_f64; 3], [0.0_f64; 3]);
    for n in atoms {
        for first in (1..1000).step_by(50) {
            let mut sums = [0.0; 3];
            for t in first..first + 50 {
                let ours = tables.get(n, t).unwrap();
                let ours = [ours.kappa, ours.score_variance, ours.position_variance];
                let theirs = [
                    table("kappa_matrix_buffer", n, t),
                    table("kappa_norm_buffer", n, t),
                    table("sample_norm_buffer", n - 1, t),
                ];
                for i in 0..3 {
                    let off = (ours[i] / theirs[i]).ln();
                    single[i] = single[i].max(off.abs());
                    sums[i] += off / 50.0;
                }
            }
            for i in 0..3 {
                mean[i] = mean[i].max(sums[i].abs());
            }
        }
    }
    println!("kappa, V_s, V_x: largest deviation of the logarithm {single:?}, of means {mean:?}");
    assert!(single[0] < 0.2 && single[1] < 0.4 && single[2] < 0.1, "{single:?}");
    assert!(mean[0] < 0.03 && mean[1] < 0.06 && mean[2] < 0.02, "{mean:?}");
}

/// The authors' tables for the three crystals.
fn their_tables(golden: &Golden) -> Tables {
    let table = |name: &str| golden[&format!("tables64.{name}")].to_vec2::<f64>().unwrap();
    let kappa = table("sig_kappa_matrix");
    let (score, position) = (table("sig_kappa_norm"), table("sig_sample_norm"));
    let entry = |i: usize, t: usize| Entry {
        kappa: kappa[i][t],
        score_variance: score[i][t],
        position_variance: position[i][t],
    };
    let rows = SIZES.into_iter().enumerate();
    let rows = rows.map(|(i, n)| (n, (0..=1000).map(|t| entry(i, t)).collect())).collect();
    Tables::from_rows(Score::VonMises, rows)
}

fn diffuser(golden: &Golden, add_means: bool) -> Diffuser {
    let config = Config {
        network: network(add_means),
        diffusion: Diffusion::default(),
        loss: LossWeights::default(),
    };
    let schedule = Schedule::new(&config.diffusion);
    Diffuser { config, schedule, tables: their_tables(golden) }
}

fn order(golden: &Golden, index: usize) -> [usize; 3] {
    let matrix = numbers(&golden["in.perm_matrices"].get(index).unwrap());
    [0, 1, 2].map(|new| (0..3).find(|old| matrix[3 * old + new] == 1.0).unwrap())
}

#[test]
fn loss_terms_and_gradients_agree() {
    for (file, means) in [("equicsp_loss_v2", false), ("equicsp_loss_v3", true)] {
        let Some(golden) = common::golden_tensors(file) else { return };
        let diffuser = diffuser(&golden, means);
        let species: Vec<u8> =
            integers(&golden["in.atom_types"]).iter().map(|z| *z as u8).collect();
        let (frac, noise) = (rows::<3>(&golden["in.frac_coords"]), rows::<3>(&golden["in.rand_x"]));
        let (lengths, angles) =
            (rows::<3>(&golden["in.lengths"]), rows::<3>(&golden["in.angles_deg"]));
        let lattice_noise = rows::<6>(&golden["in.rand_l"]);
        let (times, orders) = (integers(&golden["in.times"]), integers(&golden["in.perm_indices"]));
        let device = Device::Cpu;
        let variables: BTreeMap<String, candle_core::Var> = golden
            .below("param.")
            .into_iter()
            .map(|(n, t)| (n, candle_core::Var::from_tensor(&t).unwrap()))
            .collect();
        let weights: Tensors =
            variables.iter().map(|(n, v)| (n.clone(), v.as_tensor().clone())).collect();
        let denoiser = Denoiser::new(&diffuser.config.network, &weights).unwrap();
        let mut sums = [0.0; 6];
        let mut gradients = BTreeMap::<String, Vec<f64>>::new();
        for (c, (start, size)) in starts().into_iter().zip(SIZES).enumerate() {
            let atoms = start..start + size;
            let crystal = Crystal {
                id: String::new(),
                numbers: species[atoms.clone()].to_vec(),
                frac: frac[atoms.clone()].to_vec(),
                lengths: lengths[c],
                angles: angles[c],
            };
            let draw = Draw {
                time: times[c],
                order: order(&golden, orders[c]),
                lattice: lattice_noise[c],
                frac: noise[atoms].to_vec(),
                species: Vec::new(),
            };
            let noised = Noised::new(&diffuser, &[&crystal], &[draw], &device).unwrap();
            let terms = Terms::new(&denoiser, &noised, 3, 14).unwrap();
            for (sum, value) in sums.iter_mut().zip(terms.values().unwrap()) {
                *sum += value;
            }
            let store = terms.total(&diffuser.config).unwrap().backward().unwrap();
            for (name, variable) in &variables {
                let gradient =
                    numbers(store.get(variable).expect("a gradient for every parameter"));
                let sum =
                    gradients.entry(name.clone()).or_insert_with(|| vec![0.0; gradient.len()]);
                for (sum, g) in sum.iter_mut().zip(gradient) {
                    *sum += g;
                }
            }
        }
        for (i, name) in
            ["lattice", "coord", "score", "replace_l", "replace_f"].into_iter().enumerate()
        {
            let theirs = numbers(&golden[&format!("out64.loss_{name}")])[0];
            close(&format!("{file} {name}"), &sums[i..=i], &[theirs], 1e-5);
        }
        for (name, ours) in &gradients {
            let theirs = numbers(&golden[&format!("grad64.{name}")]);
            close(&format!("{file} gradient of {name}"), ours, &theirs, 1e-4);
        }
    }
}

#[test]
fn sampler_steps_agree() {
    let Some(golden) = common::golden_tensors("equicsp_sample_steps") else { return };
    let diffuser = diffuser(&golden, false);
    let device = Device::Cpu;
    let denoiser = Denoiser::new(&diffuser.config.network, &golden.below("param.")).unwrap();
    let step = numbers(&golden["in.step_lr"])[0];
    let sampler =
        Sampler { diffuser: &diffuser, denoiser: &denoiser, device: &device, step, churn: 1.0 };
    let species: Vec<u8> = integers(&golden["in.atom_types"]).iter().map(|z| *z as u8).collect();
    for t in [1000, 500, 2, 1] {
        let get = |name: &str| golden.get(&format!("t{t}.{name}"));
        let draws = |name: &str, count: usize| get(name).map_or_else(|| vec![0.0; count], numbers);
        let (corrector, predictor) =
            (draws("in.rand_x_corrector", 42), draws("in.rand_x_predictor", 42));
        let of_lattice = draws("in.rand_l_predictor", 18);
        let (x, l) = (rows::<3>(get("in.x_t").unwrap()), rows::<6>(get("in.l_t").unwrap()));
        let (mut half, mut next, mut cells) = (Vec::new(), Vec::new(), Vec::new());
        for (c, (start, size)) in starts().into_iter().zip(SIZES).enumerate() {
            let atoms = start..start + size;
            let of_atoms = |v: &[f64]| v.as_chunks::<3>().0[atoms.clone()].to_vec();
            let noise = StepNoise {
                corrector: of_atoms(&corrector),
                predictor: of_atoms(&predictor),
                lattice: of_lattice.as_chunks::<6>().0[c..=c].to_vec(),
                species: Vec::new(),
            };
            let numbers = [&species[atoms.clone()]];
            let numbers = Wanted::Species(&numbers);
            let state = State {
                species: Vec::new(),
                lattices: l[c..=c].to_vec(),
                frac: x[atoms.clone()].to_vec(),
            };
            let corrected = sampler.correct(numbers, &state, t, &noise.corrector).unwrap();
            assert_eq!(corrected.lattices, state.lattices);
            let predicted = sampler.predict(numbers, &corrected, [t, t - 1], &noise).unwrap();
            half.extend(corrected.frac);
            next.extend(predicted.frac);
            cells.extend(predicted.lattices);
        }
        let theirs = |name: &str| numbers(get(&format!("out64.{name}")).unwrap());
        close(&format!("t {t} corrected"), half.as_flattened(), &theirs("x_t_minus_05"), 1e-5);
        // Theirs is wrapped when it is stored.
        let wrapped: Vec<f64> =
            theirs("x_t_minus_1").into_iter().map(|x| x.rem_euclid(1.0)).collect();
        close(&format!("t {t} predicted"), next.as_flattened(), &wrapped, 1e-5);
        close(&format!("t {t} lattice"), cells.as_flattened(), &theirs("l_t_minus_1"), 1e-4);
    }
}

#[test]
fn two_steps_in_a_row_agree() {
    let Some(golden) = common::golden_tensors("equicsp_sample_steps") else { return };
    let diffuser = diffuser(&golden, false);
    let device = Device::Cpu;
    let denoiser = Denoiser::new(&diffuser.config.network, &golden.below("param.")).unwrap();
    let step = numbers(&golden["in.step_lr"])[0];
    let sampler =
        Sampler { diffuser: &diffuser, denoiser: &denoiser, device: &device, step, churn: 1.0 };
    let species: Vec<u8> = integers(&golden["in.atom_types"]).iter().map(|z| *z as u8).collect();
    let input = |name: &str| &golden[&format!("chain2.in.{name}")];
    let (x, l) = (rows::<3>(input("x_T")), rows::<6>(input("l_T")));
    let theirs = rows::<3>(&golden["chain2.out64.frac_coords"]);
    let lattices = rows::<9>(&golden["chain2.out64.lattices"]);
    for (c, (start, size)) in starts().into_iter().zip(SIZES).enumerate() {
        let atoms = start..start + size;
        let numbers = [&species[atoms.clone()]];
        let numbers = Wanted::Species(&numbers);
        let mut state = State {
            species: Vec::new(),
            lattices: l[c..=c].to_vec(),
            frac: x[atoms.clone()].to_vec(),
        };
        for (t, noise) in [
            (
                2,
                StepNoise {
                    corrector: rows::<3>(input("t2.rand_x_c"))[atoms.clone()].to_vec(),
                    predictor: rows::<3>(input("t2.rand_x_p"))[atoms.clone()].to_vec(),
                    lattice: rows::<6>(input("t2.rand_l_p"))[c..=c].to_vec(),
                    species: Vec::new(),
                },
            ),
            (1, StepNoise::none(1, size, 0)),
        ] {
            state = sampler.correct(numbers, &state, t, &noise.corrector).unwrap();
            state = sampler.predict(numbers, &state, [t, t - 1], &noise).unwrap();
        }
        close("coordinates", state.frac.as_flattened(), theirs[atoms].as_flattened(), 1e-5);
        match to_lattice(state.lattices[0]) {
            Ok(lattice) => {
                let rows: Vec<f64> = lattice.matrix().transpose().iter().copied().collect();
                close("lattice", &rows, &lattices[c], 1e-5);
            }
            // Theirs is flat: the third number of the second vector is 0 for want of an angle.
            Err(_) => assert!(lattices[c][4].abs() < 1e-6, "{:?}", lattices[c]),
        }
    }
}
