//! The network.

use candle_core::{D, Device, Result, Tensor};
use cellwright_crystal::Element;

use super::super::mendeleev::mendeleev;
use super::features::{Asked, NUMBERS, OVERALL};
use super::geometry::BINS;
use crate::nn::parameters::{Parameters, Tensors};
use crate::nn::random::Random;

/// Tables of distances.
const HEADS: usize = 6;
/// Dimensions in which elements lie in one head.
const WIDTH: usize = 8;
/// Known properties of an element that its place starts from.
const PROPERTIES: usize = 10;
/// Dimensions of an element as a neighbour.
const ATOM: usize = 8;
/// What is kept of the surroundings of an element: first inside, then told.
const SURROUNDINGS: [usize; 2] = [24, 6];
/// What a hit is described by: numbers; for each head its value, how far it is behind the best, its share; of the
/// surroundings the mean over the elements, the worst, and how far the mean is above that of all hits.
const INPUT: usize = NUMBERS + 3 * HEADS + 3 * SURROUNDINGS[1];
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
    parameters.linear("atoms.known", [ATOM, PROPERTIES], false, random)?;
    parameters.linear("around.neighbours", [SURROUNDINGS[0], BINS * ATOM], true, random)?;
    parameters.linear("around.gate", [SURROUNDINGS[0], ATOM], true, random)?;
    parameters.linear("around.own", [SURROUNDINGS[0], ATOM], true, random)?;
    parameters.linear("around.out", [SURROUNDINGS[1], SURROUNDINGS[0]], true, random)?;
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
fn distances(weights: &Tensors, properties: &Tensor) -> Result<Tensor> {
    let elements = Element::COUNT;
    let known = properties.matmul(&weights["places.known.weight"].t()?)?;
    let places = (known + (&weights["places.free.weight"] * FREE)?)?;
    let places = places.reshape((elements, HEADS, WIDTH))?;
    let difference = places.unsqueeze(1)?.broadcast_sub(&places.unsqueeze(0)?)?;
    difference.sqr()?.sum(D::Minus1)?.reshape((elements * elements, HEADS))
}

/// Where elements lie as neighbours: a row an element. By known properties only, which learn less by heart.
fn atoms(weights: &Tensors, properties: &Tensor) -> Result<Tensor> {
    properties.matmul(&weights["atoms.known.weight"].t()?)
}

/// What does not depend on the question.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    distances: Tensor,
    atoms: Tensor,
}

impl Tables {
    pub(super) fn new(weights: &Tensors, properties: &Tensor) -> Result<Self> {
        let (distances, atoms) = (distances(weights, properties)?, atoms(weights, properties)?);
        Ok(Self { distances, atoms })
    }
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
    /// (questions · elements), atomic number − 1.
    elements: Tensor,
    /// (questions, elements): share in the atoms.
    shares: Tensor,
    /// (questions, hits · elements · bins, elements): neighbours, the second element last.
    counts: Tensor,
    /// Questions, hits, members, pairs, elements.
    shape: [usize; 5],
}

impl Batch {
    /// From questions with the same number of elements. Numbers are brought to mean 0 and deviation 1 by `mean` and `scale`.
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
        let size = asked.first().map_or(1, |a| a.elements.len());
        let mut numbers = vec![0.0_f32; questions * hits * NUMBERS];
        // A pair that is not there is one of an element with itself, which has no distance.
        let mut pairs = vec![0_u32; questions * hits * members * slots];
        let mut counts = vec![0.0_f32; questions * hits * size * BINS * size];
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
                    pairs[at..at + list.len()].copy_from_slice(list);
                }
                for (i, x) in hit.counts.iter().enumerate() {
                    let (a, b, bin) = (i / BINS / size, i / BINS % size, i % BINS);
                    counts[((row * size + a) * BINS + bin) * size + b] = *x;
                }
            }
        }
        let overall: Vec<f32> = asked.iter().flat_map(|a| a.overall).collect();
        let elements: Vec<u32> = asked.iter().flat_map(|a| a.elements.iter().copied()).collect();
        let shares: Vec<f32> = asked.iter().flat_map(|a| a.shares.iter().copied()).collect();
        Ok(Self {
            numbers: Tensor::from_vec(numbers, (questions, hits, NUMBERS), device)?,
            pairs: Tensor::from_vec(pairs, questions * hits * members * slots, device)?,
            members: Tensor::from_vec(there, (questions, hits, members), device)?,
            present: Tensor::from_vec(present, (questions, hits), device)?,
            overall: Tensor::from_vec(overall, (questions, OVERALL), device)?,
            elements: Tensor::from_vec(elements, questions * size, device)?,
            shares: Tensor::from_vec(shares, (questions, size), device)?,
            counts: Tensor::from_vec(counts, (questions, hits * size * BINS, size), device)?,
            shape: [questions, hits, members, slots, size],
        })
    }
}

/// What the surroundings of the elements tell about each hit: (questions, hits, 3 · told).
fn surroundings(weights: &Tensors, atoms: &Tensor, input: &Batch) -> Result<Tensor> {
    let [questions, hits, .., size] = input.shape;
    let own = atoms.index_select(&input.elements, 0)?;
    let near = input.counts.matmul(&own.reshape((questions, size, ATOM))?)?;
    let near = near.reshape((questions * hits * size, BINS * ATOM))?;
    let near = linear(weights, "around.neighbours", &near)?;
    let near = near.reshape((questions, hits, size, SURROUNDINGS[0]))?;
    let to = (questions, 1, size, SURROUNDINGS[0]);
    let gate = linear(weights, "around.gate", &own)?.reshape(to)?;
    let add = linear(weights, "around.own", &own)?.reshape(to)?;
    let inside = near.broadcast_mul(&(gate + 1.0)?)?.broadcast_add(&add)?.silu()?;
    let inside = inside.reshape((questions * hits * size, SURROUNDINGS[0]))?;
    let told = linear(weights, "around.out", &inside)?;
    let told = told.reshape((questions, hits, size, SURROUNDINGS[1]))?;
    let shares = input.shares.reshape((questions, 1, size, 1))?;
    let mean = told.broadcast_mul(&shares)?.sum(2)?;
    let worst = told.max(2)?;
    // Hits that are not there do not count.
    let there = input.present.ge(0.0)?.to_dtype(mean.dtype())?.unsqueeze(2)?;
    let middle = mean
        .broadcast_mul(&there)?
        .sum_keepdim(1)?
        .broadcast_div(&there.sum_keepdim(1)?.clamp(1.0, f64::INFINITY)?)?;
    Tensor::cat(&[&mean, &worst, &mean.broadcast_sub(&middle)?], 2)
}

/// Scores (questions, hits + 1), the last one that of "none of these"; their softmax are probabilities.
pub(super) fn scores(weights: &Tensors, tables: &Tables, input: &Batch) -> Result<Tensor> {
    let [questions, hits, members, slots, _] = input.shape;
    let distances = &tables.distances;
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
    let around = surroundings(weights, &tables.atoms, input)?;
    let x = Tensor::cat(&[&input.numbers, &values, &(behind * 0.2)?, &share, &around], 2)?;
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
