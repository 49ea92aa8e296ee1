//! The network.

use candle_core::{D, Device, Result, Tensor};
use cellwright_crystal::Element;

use super::super::mendeleev::mendeleev;
use super::features::{Asked, NUMBERS, OVERALL};
use crate::nn::parameters::{Parameters, Tensors};
use crate::nn::random::Random;

/// Tables of distances.
const HEADS: usize = 6;
/// Dimensions in which elements lie in one head.
const WIDTH: usize = 8;
/// Known properties of an element that its place starts from.
const PROPERTIES: usize = 10;
/// What a hit is described by: numbers, and for each head its value, how far it is behind the best, its share.
const INPUT: usize = NUMBERS + 3 * HEADS;
const HIDDEN: [usize; 2] = [96, 48];
const NONE_HIDDEN: usize = 32;
/// The free part of an element's place starts this small.
const FREE: f64 = 0.2;
/// Added for a member or a hit that is not there.
const ABSENT: f32 = -1e4;

/// Fresh weights.
pub(super) fn parameters(random: &mut Random, device: &Device) -> Result<Parameters> {
    let mut parameters = Parameters::new(device);
    parameters.linear("places.known", [HEADS * WIDTH, PROPERTIES], false, random)?;
    parameters.embedding("places.free", [Element::COUNT, HEADS * WIDTH], random)?;
    parameters.linear("hit.0", [HIDDEN[0], INPUT], true, random)?;
    parameters.linear("hit.1", [HIDDEN[1], HIDDEN[0]], true, random)?;
    parameters.linear("hit.2", [1, HIDDEN[1]], true, random)?;
    parameters.linear("none.0", [NONE_HIDDEN, OVERALL], true, random)?;
    parameters.linear("none.1", [1, NONE_HIDDEN], true, random)?;
    Ok(parameters)
}

/// Properties of the elements, each over all elements of mean 0 and deviation 1.
pub(super) fn properties(device: &Device) -> Result<Tensor> {
    let of = |e: Element| {
        let data = e.data();
        let block = |b: u8| f64::from(u8::from(data.block == b));
        let states = data.icsd_oxidation_states;
        let sum: f64 = states.iter().map(|q| f64::from(*q)).sum();
        [
            mendeleev(e),
            data.electronegativity.unwrap_or(1.5),
            data.covalent_radius.unwrap_or(1.6),
            f64::from(data.row),
            f64::from(data.group),
            block(b's'),
            block(b'p'),
            block(b'd'),
            block(b'f'),
            sum / states.len().max(1) as f64,
        ]
    };
    let table: Vec<[f64; PROPERTIES]> = Element::all().map(of).collect();
    let count = table.len() as f64;
    let mut numbers = vec![0.0_f32; table.len() * PROPERTIES];
    for k in 0..PROPERTIES {
        let mean = table.iter().map(|row| row[k]).sum::<f64>() / count;
        let deviation = (table.iter().map(|r| (r[k] - mean).powi(2)).sum::<f64>() / count).sqrt();
        for (i, row) in table.iter().enumerate() {
            numbers[i * PROPERTIES + k] = ((row[k] - mean) / deviation) as f32;
        }
    }
    Tensor::from_vec(numbers, (table.len(), PROPERTIES), device)
}

/// Squared distances of all pairs of elements, a row a pair, a column a head.
pub(super) fn distances(weights: &Tensors, properties: &Tensor) -> Result<Tensor> {
    let elements = Element::COUNT;
    let known = properties.matmul(&weights["places.known.weight"].t()?)?;
    let places = (known + (&weights["places.free.weight"] * FREE)?)?;
    let places = places.reshape((elements, HEADS, WIDTH))?;
    let difference = places.unsqueeze(1)?.broadcast_sub(&places.unsqueeze(0)?)?;
    difference.sqr()?.sum(D::Minus1)?.reshape((elements * elements, HEADS))
}

/// Hits of several questions as tensors.
#[derive(Debug)]
pub(super) struct Batch {
    /// (questions, hits, numbers), normalised.
    numbers: Tensor,
    /// (questions · hits · members · slots).
    pairs: Tensor,
    /// (questions, hits, members): 0 or [`ABSENT`].
    members: Tensor,
    /// (questions, hits): 0 or [`ABSENT`].
    pub(super) present: Tensor,
    /// (questions, overall).
    overall: Tensor,
    /// Questions, hits, members, slots.
    shape: [usize; 4],
}

impl Batch {
    /// From questions with the same number of slots. Numbers are brought to mean 0 and deviation 1 by `mean` and `scale`.
    pub(super) fn new(
        asked: &[&Asked],
        mean: &[f32],
        scale: &[f32],
        device: &Device,
    ) -> Result<Self> {
        let questions = asked.len();
        let all = || asked.iter().flat_map(|a| &a.hits);
        let hits = asked.iter().map(|a| a.hits.len()).max().unwrap_or(0).max(1);
        let members = all().map(|h| h.pairs.len()).max().unwrap_or(1);
        let slots = all().map(|h| h.pairs[0].len()).max().unwrap_or(1);
        let mut numbers = vec![0.0_f32; questions * hits * NUMBERS];
        let mut pairs = vec![0_u32; questions * hits * members * slots];
        let mut there = vec![ABSENT; questions * hits * members];
        let mut present = vec![ABSENT; questions * hits];
        for (q, one) in asked.iter().enumerate() {
            for (h, hit) in one.hits.iter().enumerate() {
                let row = q * hits + h;
                present[row] = 0.0;
                for (k, x) in hit.numbers.iter().enumerate() {
                    numbers[row * NUMBERS + k] = ((x - mean[k]) * scale[k]).clamp(-8.0, 8.0);
                }
                for (m, list) in hit.pairs.iter().enumerate() {
                    there[row * members + m] = 0.0;
                    let at = (row * members + m) * slots;
                    pairs[at..at + slots].copy_from_slice(list);
                }
            }
        }
        let overall: Vec<f32> = asked.iter().flat_map(|a| a.overall).collect();
        Ok(Self {
            numbers: Tensor::from_vec(numbers, (questions, hits, NUMBERS), device)?,
            pairs: Tensor::from_vec(pairs, questions * hits * members * slots, device)?,
            members: Tensor::from_vec(there, (questions, hits, members), device)?,
            present: Tensor::from_vec(present, (questions, hits), device)?,
            overall: Tensor::from_vec(overall, (questions, OVERALL), device)?,
            shape: [questions, hits, members, slots],
        })
    }
}

/// Scores (questions, hits + 1), the last one that of "none of these"; their softmax are probabilities.
pub(super) fn scores(weights: &Tensors, distances: &Tensor, input: &Batch) -> Result<Tensor> {
    let [questions, hits, members, slots] = input.shape;
    let table = distances.index_select(&input.pairs, 0)?;
    let sums = table.reshape((questions * hits * members, slots, distances.dim(1)?))?.sum(1)?;
    let sums = sums.reshape((questions, hits, members, distances.dim(1)?))?;
    // A head's value for a hit: questions × hits × heads.
    let values = input.members.unsqueeze(3)?.broadcast_sub(&sums)?.log_sum_exp(2)?;
    let here = values.broadcast_add(&input.present.unsqueeze(2)?)?;
    let best = here.max_keepdim(1)?;
    let behind = values.broadcast_sub(&best)?.clamp(-30.0, 0.0)?;
    let share = here.broadcast_sub(&here.log_sum_exp(1)?.unsqueeze(1)?)?.exp()?;
    let values = (values.clamp(-30.0, 10.0)? * 0.2)?;
    let x = Tensor::cat(&[&input.numbers, &values, &(behind * 0.2)?, &share], 2)?;
    let x = x.reshape((questions * hits, INPUT))?;
    let x = linear(weights, "hit.0", &x)?.silu()?;
    let x = linear(weights, "hit.1", &x)?.silu()?;
    let scores = linear(weights, "hit.2", &x)?.reshape((questions, hits))?;
    let none = linear(weights, "none.0", &input.overall)?.silu()?;
    let none = linear(weights, "none.1", &none)?;
    Tensor::cat(&[&(scores + &input.present)?, &none], 1)
}

fn linear(weights: &Tensors, name: &str, x: &Tensor) -> Result<Tensor> {
    x.matmul(&weights[&format!("{name}.weight")].t()?)?
        .broadcast_add(&weights[&format!("{name}.bias")])
}
