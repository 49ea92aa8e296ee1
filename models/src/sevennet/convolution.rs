//! Messages of all neighbours, added up: Σ w (x ⊗ Y), one operation with its own derivative.
//!
//! For every pair and path, the harmonics of the direction and the couplings make a small matrix B; the message is B times
//! the neighbour's features, each channel times its weight. B is the same for all channels, which are therefore innermost.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::edges::HARMONICS;
use super::paths::{CHANNELS, DEGREE, Path, Paths, orders};
use crate::nn::index::Index;
use crate::nn::kernels::dispatch;
use crate::nn::storage::{is_fused, slice, with_slice};

/// Orders of the highest degree.
const ORDERS: usize = orders(DEGREE);

// Sums over channels are taken in lanes, without a rest.
const _: () = assert!(
    CHANNELS[0].is_multiple_of(LANES)
        && CHANNELS[1].is_multiple_of(LANES)
        && CHANNELS[2].is_multiple_of(LANES)
);

/// Partial sums of a product, so that it becomes vector operations.
const LANES: usize = 16;

/// Room for all channels of an order.
const WIDEST: usize = CHANNELS[0];

/// Pairs that one task works on.
const CHUNK: usize = 16;

/// Which atoms the rows of a batch are about.
#[derive(Debug, Clone)]
pub(super) struct Pairs {
    /// Of every pair the atom whose message it is.
    pub(super) centre: Arc<Index>,
    /// Of every pair the atom that sends it.
    pub(super) neighbor: Arc<Index>,
}

/// The sum of messages of every atom, shape (atoms, messages), from features (atoms, inputs), weights (pairs, weights) and harmonics
/// (pairs, 9).
///
/// # Errors
/// When the shapes do not fit.
pub(super) fn convolution(
    paths: &Arc<Paths>,
    pairs: &Pairs,
    [features, weights, harmonics]: [&Tensor; 3],
) -> Result<Tensor> {
    let op = Convolution { paths: Arc::clone(paths), pairs: pairs.clone() };
    if is_fused(features) {
        features.apply_op3(weights, harmonics, op)
    } else {
        op.composed(features, weights, harmonics)
    }
}

#[derive(Debug)]
struct Convolution {
    paths: Arc<Paths>,
    pairs: Pairs,
}

/// The matrix of a path and a pair: for each order of the message and of the feature.
type Mixing = [[f32; ORDERS]; ORDERS];

#[inline(always)]
fn mixing(path: &Path, harmonics: &[f32]) -> Mixing {
    let harmonics = &harmonics[path.harmonics.clone()];
    let mut mixing = [[0.0; ORDERS]; ORDERS];
    for c in &path.couplings {
        let [input, harmonic, output] = c.orders;
        mixing[output][input] += c.factor * harmonics[harmonic];
    }
    mixing
}

/// `out += factor · x`.
#[inline(always)]
fn add(out: &mut [f32], factor: f32, x: &[f32]) {
    for (o, x) in out.iter_mut().zip(x) {
        *o += factor * x;
    }
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (a, _) = a.as_chunks::<LANES>();
    let (b, _) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            lanes[i] += a[i] * b[i];
        }
    }
    lanes.iter().sum()
}

impl Path {
    /// The channels of one order of a row of features.
    #[inline(always)]
    fn feature<'a>(&self, row: &'a [f32], order: usize) -> &'a [f32] {
        let from = self.input.from + order * self.input.channels;
        &row[from..from + self.input.channels]
    }

    /// Where the channels of one order of a message are.
    #[inline(always)]
    fn message(&self, order: usize) -> std::ops::Range<usize> {
        let from = self.output + order * self.stride;
        from..from + self.input.channels
    }

    #[inline(always)]
    fn weights<'a>(&self, row: &'a [f32]) -> &'a [f32] {
        &row[self.weight..self.weight + self.input.channels]
    }

    /// The message of one order before it is weighted.
    #[inline(always)]
    fn mixed<'a>(&self, row: &[f32], by: &[f32; ORDERS], room: &'a mut [f32; WIDEST]) -> &'a [f32] {
        let room = &mut room[..self.input.channels];
        room.fill(0.0);
        for order in 0..orders(self.input.degree) {
            if by[order] != 0.0 {
                add(room, by[order], self.feature(row, order));
            }
        }
        room
    }
}

/// The tensors of a forward pass as rows.
#[derive(Clone, Copy)]
struct Rows<'a> {
    features: &'a [f32],
    weights: &'a [f32],
    harmonics: &'a [f32],
}

impl Convolution {
    fn neighbor<'a>(&self, rows: &Rows<'a>, pair: usize) -> &'a [f32] {
        let (atom, width) = (self.pairs.neighbor.targets()[pair] as usize, self.paths.inputs);
        &rows.features[atom * width..(atom + 1) * width]
    }

    fn weights<'a>(&self, rows: &Rows<'a>, pair: usize) -> &'a [f32] {
        &rows.weights[pair * self.paths.weights..(pair + 1) * self.paths.weights]
    }

    fn harmonics<'a>(rows: &Rows<'a>, pair: usize) -> &'a [f32] {
        &rows.harmonics[pair * HARMONICS..(pair + 1) * HARMONICS]
    }

    fn check(&self, shapes: [&Shape; 3]) -> Result<()> {
        let pairs = self.pairs.centre.len();
        let expected = [
            (self.pairs.neighbor.table_rows(), self.paths.inputs),
            (pairs, self.paths.weights),
            (pairs, HARMONICS),
        ];
        for (shape, expected) in shapes.into_iter().zip(expected) {
            if shape.dims2()? != expected {
                bail!("rows of shape {shape:?} meet a convolution for {expected:?}");
            }
        }
        Ok(())
    }

    /// The messages of every atom.
    fn forward(&self, rows: Rows<'_>) -> Vec<f32> {
        let width = self.paths.outputs;
        let mut out = vec![0.0_f32; self.pairs.centre.table_rows() * width];
        out.par_chunks_mut(width).enumerate().for_each(|(atom, out)| {
            dispatch(
                #[inline(always)]
                || {
                    let mut room = [0.0; WIDEST];
                    for pair in self.pairs.centre.messages_of(atom) {
                        let (x, weights) = (self.neighbor(&rows, pair), self.weights(&rows, pair));
                        for path in &self.paths.paths {
                            let mixing = mixing(path, Self::harmonics(&rows, pair));
                            for (order, by) in mixing[..path.orders].iter().enumerate() {
                                let mixed = path.mixed(x, by, &mut room);
                                let out = &mut out[path.message(order)];
                                for ((o, w), m) in
                                    out.iter_mut().zip(path.weights(weights)).zip(mixed)
                                {
                                    *o += w * m;
                                }
                            }
                        }
                    }
                },
            );
        });
        out
    }

    /// Gradients of weights and harmonics.
    fn of_pairs(&self, rows: Rows<'_>, grad: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let (pairs, width) = (self.pairs.centre.len(), self.paths.weights);
        let mut by_weight = vec![0.0_f32; pairs * width];
        let mut by_harmonic = vec![0.0_f32; pairs * HARMONICS];
        let chunks = by_weight.par_chunks_mut(CHUNK * width);
        chunks.zip(by_harmonic.par_chunks_mut(CHUNK * HARMONICS)).enumerate().for_each(
            |(chunk, (w, h))| {
                dispatch(
                    #[inline(always)]
                    || {
                        let both = w.chunks_exact_mut(width).zip(h.chunks_exact_mut(HARMONICS));
                        for (i, (by_weight, by_harmonic)) in both.enumerate() {
                            self.of_pair(rows, grad, chunk * CHUNK + i, by_weight, by_harmonic);
                        }
                    },
                );
            },
        );
        (by_weight, by_harmonic)
    }

    #[inline(always)]
    fn of_pair(
        &self,
        rows: Rows<'_>,
        grad: &[f32],
        pair: usize,
        by_weight: &mut [f32],
        by_harmonic: &mut [f32],
    ) {
        let (x, weights) = (self.neighbor(&rows, pair), self.weights(&rows, pair));
        let centre = self.pairs.centre.targets()[pair] as usize;
        let grad = &grad[centre * self.paths.outputs..(centre + 1) * self.paths.outputs];
        let [mut room, mut weighted] = [[0.0; WIDEST]; 2];
        for path in &self.paths.paths {
            let channels = path.input.channels;
            let mixing = mixing(path, Self::harmonics(&rows, pair));
            let by_weight = &mut by_weight[path.weight..path.weight + channels];
            let mut by_mixing: Mixing = [[0.0; ORDERS]; ORDERS];
            for (order, by) in mixing[..path.orders].iter().enumerate() {
                let grad = &grad[path.message(order)];
                let mixed = path.mixed(x, by, &mut room);
                for ((b, g), m) in by_weight.iter_mut().zip(grad).zip(mixed) {
                    *b += g * m;
                }
                let weighted = &mut weighted[..channels];
                for ((v, g), w) in weighted.iter_mut().zip(grad).zip(path.weights(weights)) {
                    *v = g * w;
                }
                for (input, by_mixing) in
                    by_mixing[order][..orders(path.input.degree)].iter_mut().enumerate()
                {
                    *by_mixing = dot(weighted, path.feature(x, input));
                }
            }
            let by_harmonic = &mut by_harmonic[path.harmonics.clone()];
            for c in &path.couplings {
                let [input, harmonic, output] = c.orders;
                by_harmonic[harmonic] += c.factor * by_mixing[output][input];
            }
        }
    }

    /// The gradient of the features.
    fn of_atoms(&self, rows: Rows<'_>, grad: &[f32]) -> Vec<f32> {
        let (width, outputs) = (self.paths.inputs, self.paths.outputs);
        let mut by_feature = vec![0.0_f32; self.pairs.neighbor.table_rows() * width];
        by_feature.par_chunks_mut(width).enumerate().for_each(|(atom, by_feature)| {
            dispatch(
                #[inline(always)]
                || {
                    let mut weighted = [0.0; WIDEST];
                    for pair in self.pairs.neighbor.messages_of(atom) {
                        let centre = self.pairs.centre.targets()[pair] as usize;
                        let grad = &grad[centre * outputs..(centre + 1) * outputs];
                        let weights = self.weights(&rows, pair);
                        for path in &self.paths.paths {
                            let channels = path.input.channels;
                            let mixing = mixing(path, Self::harmonics(&rows, pair));
                            let weighted = &mut weighted[..channels];
                            for (order, by) in mixing[..path.orders].iter().enumerate() {
                                let grad = &grad[path.message(order)];
                                for ((v, g), w) in
                                    weighted.iter_mut().zip(grad).zip(path.weights(weights))
                                {
                                    *v = g * w;
                                }
                                for (input, by) in
                                    by[..orders(path.input.degree)].iter().enumerate()
                                {
                                    if *by != 0.0 {
                                        let from = path.input.from + input * channels;
                                        add(&mut by_feature[from..from + channels], *by, weighted);
                                    }
                                }
                            }
                        }
                    }
                },
            );
        });
        by_feature
    }

    /// The same with candle's operations.
    fn composed(&self, features: &Tensor, weights: &Tensor, harmonics: &Tensor) -> Result<Tensor> {
        let device = features.device();
        let atoms = self.pairs.centre.table_rows();
        let (centre, neighbor) =
            (self.pairs.centre.tensor(device)?, self.pairs.neighbor.tensor(device)?);
        let pairs = self.pairs.centre.len();
        let neighbors = features.index_select(&neighbor, 0)?;
        // For each degree of the messages, the parts in the order in which they lie there.
        let mut parts: Vec<Vec<Tensor>> = self.paths.messages.iter().map(|_| Vec::new()).collect();
        for path in &self.paths.paths {
            let (part, out) = (path.input, path.orders);
            let (inner, count) = (orders(part.degree), path.harmonics.len());
            let mut couplings = vec![0.0_f32; count * out * inner];
            for c in &path.couplings {
                let [input, harmonic, output] = c.orders;
                couplings[(harmonic * out + output) * inner + input] = c.factor;
            }
            let couplings = Tensor::from_vec(couplings, (count, out * inner), device)?;
            let y = harmonics.narrow(1, path.harmonics.start, count)?.contiguous()?;
            let mixing = y.matmul(&couplings)?.reshape((pairs, out, inner))?;
            let x = neighbors.narrow(1, part.from, part.width())?.contiguous()?;
            let mixed = mixing.matmul(&x.reshape((pairs, inner, part.channels))?)?;
            let weight = weights.narrow(1, path.weight, part.channels)?.unsqueeze(1)?;
            let message = mixed.broadcast_mul(&weight)?.reshape((pairs, out * part.channels))?;
            let sum = Tensor::zeros((atoms, out * part.channels), message.dtype(), device)?
                .index_add(&centre, &message, 0)?;
            parts[out / 2].push(sum.reshape((atoms, out, part.channels))?);
        }
        let degrees = parts
            .iter()
            .map(|parts| Tensor::cat(parts, 2)?.flatten_from(1))
            .collect::<Result<Vec<_>>>()?;
        Tensor::cat(&degrees, 1)
    }
}

impl CustomOp3 for Convolution {
    fn name(&self) -> &'static str {
        "equivariant-convolution"
    }

    fn cpu_fwd(
        &self,
        features: &CpuStorage,
        l0: &Layout,
        weights: &CpuStorage,
        l1: &Layout,
        harmonics: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.check([l0.shape(), l1.shape(), l2.shape()])?;
        let (features, weights) = (slice(features, l0)?, slice(weights, l1)?);
        let rows = Rows { features, weights, harmonics: slice(harmonics, l2)? };
        let shape = Shape::from((self.pairs.centre.table_rows(), self.paths.outputs));
        Ok((CpuStorage::F32(self.forward(rows)), shape))
    }

    fn bwd(
        &self,
        features: &Tensor,
        weights: &Tensor,
        harmonics: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (by_feature, (by_weight, by_harmonic)) = with_slice(features, |features| {
            with_slice(weights, |weights| {
                with_slice(harmonics, |harmonics| {
                    with_slice(grad, |grad| {
                        let rows = Rows { features, weights, harmonics };
                        Ok((self.of_atoms(rows, grad), self.of_pairs(rows, grad)))
                    })
                })
            })
        })?;
        let like = |values: Vec<f32>, of: &Tensor| {
            Tensor::from_vec(values, of.shape(), of.device()).map(Some)
        };
        Ok((like(by_feature, features)?, like(by_weight, weights)?, like(by_harmonic, harmonics)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::testing::{Probe, random};

    /// Some numbers in place of the invariant tensors: both ways to compute take them as they come.
    fn paths(channels: &[usize], highest: usize) -> Arc<Paths> {
        let symbols = |d: [usize; 3]| {
            let count = d.map(orders).iter().product::<usize>();
            Ok::<_, ()>((0..count).map(|i| ((i * i) as f64).sin()).collect())
        };
        Arc::new(Paths::new(channels, highest, symbols).unwrap())
    }

    fn pairs() -> Pairs {
        // The last atom has no neighbour.
        let centre = vec![0, 0, 0, 1, 1, 2];
        let neighbor = vec![0, 1, 2, 0, 2, 1];
        Pairs {
            centre: Arc::new(Index::new(centre, 4)),
            neighbor: Arc::new(Index::new(neighbor, 4)),
        }
    }

    #[test]
    fn fused_and_composed_agree() {
        for (channels, highest) in [(&CHANNELS[..1], 2), (&CHANNELS[..], 2), (&CHANNELS[..], 0)] {
            let (paths, pairs) = (paths(channels, highest), pairs());
            let probe = Probe::new(&[
                random(&[4, paths.inputs], 1.0),
                random(&[6, paths.weights], 1.0),
                random(&[6, HARMONICS], 1.0),
            ]);
            let op = Convolution { paths: Arc::clone(&paths), pairs: pairs.clone() };
            probe.agree(
                |x| convolution(&paths, &pairs, [&x[0], &x[1], &x[2]]).unwrap(),
                |x| op.composed(&x[0], &x[1], &x[2]).unwrap(),
            );
        }
    }

    #[test]
    fn rows_that_do_not_fit_are_refused() {
        let (paths, pairs) = (paths(&CHANNELS, 2), pairs());
        let (x, w) = (random(&[4, paths.inputs], 1.0), random(&[6, paths.weights], 1.0));
        let wrong = random(&[5, HARMONICS], 1.0);
        assert!(convolution(&paths, &pairs, [&x, &w, &wrong]).is_err());
    }
}
