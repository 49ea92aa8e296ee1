//! The derivative of the messages.

use candle_core::{CpuStorage, Result};
use rayon::prelude::*;

use super::super::fourier::pair_count;
use super::Messages;
use super::edges::Edges;
use super::weights::{Sums, Weights};
use crate::nn::activation::column_sums;
use crate::nn::kernels::{dispatch, silu_with_slope};
use crate::nn::product::Matrix;

impl Messages {
    /// Gradients of nodes and weights.
    pub(super) fn backward(
        &self,
        nodes: &[f32],
        weights: &Weights,
        grad: &[f32],
    ) -> Result<[Vec<f32>; 2]> {
        let (n, h) = (self.atoms, self.hidden);
        let mut nodes_grad = vec![0.0; nodes.len()];
        let mut sums = Sums::new(weights);
        let piece = self.piece();
        for (index, ((nodes_grad, nodes), grad)) in nodes_grad
            .chunks_mut(piece * n * 2 * h)
            .zip(nodes.chunks(piece * n * 2 * h))
            .zip(grad.chunks(piece * n * h))
            .enumerate()
        {
            let Edges { mut first, hidden, mut second } =
                self.edges(nodes, index * piece, weights)?;
            let crystals = nodes.len() / (n * 2 * h);
            let count = crystals * n * n;
            second.par_chunks_mut(n * n * h).zip(grad.par_chunks(n * h)).for_each(
                |(edges, grad)| {
                    dispatch(
                        #[inline(always)]
                        || {
                            for (edges, grad) in
                                edges.chunks_exact_mut(n * h).zip(grad.chunks_exact(h))
                            {
                                for edge in edges.chunks_exact_mut(h) {
                                    for x in 0..h {
                                        let slope = silu_with_slope(edge[x] + weights.bias[x]).1;
                                        edge[x] = slope * grad[x] / n as f32;
                                    }
                                }
                            }
                        },
                    );
                },
            );
            sums.add_bias(&column_sums(&second, h));
            let second = CpuStorage::F32(second);
            let of_second = Matrix::new(&second, [count, h]);
            let product = of_second.transposed().times(Matrix::new(&hidden, [count, h]))?;
            sums.add(2 * self.row, h, &product);
            let of_hidden = of_second.times(weights.second())?;
            let pairs = pair_count(n) * h;
            let (mut odd, mut even) = (vec![0.0; crystals * pairs], vec![0.0; crystals * pairs]);
            let mut still = vec![0.0; crystals * h];
            first
                .par_chunks_mut(n * n * h)
                .zip(of_hidden.par_chunks(n * n * h))
                .zip(nodes_grad.par_chunks_mut(n * 2 * h))
                .zip(still.par_chunks_mut(h))
                .for_each(|(((first, of_hidden), nodes), still)| {
                    dispatch(
                        #[inline(always)]
                        || edges_to_nodes([n, h], first, of_hidden, nodes, still),
                    );
                });
            if pairs > 0 {
                odd.par_chunks_mut(pairs)
                    .zip(even.par_chunks_mut(pairs))
                    .zip(first.par_chunks(n * n * h))
                    .for_each(|((odd, even), edges)| {
                        dispatch(
                            #[inline(always)]
                            || edges_to_pairs([n, h], edges, odd, even),
                        );
                    });
            }
            let shape = [crystals * pair_count(n), h];
            for (half, (grad, waves)) in
                [odd, even].into_iter().zip(self.waves(index * piece, crystals)).enumerate()
            {
                let grad = CpuStorage::F32(grad);
                let product = Matrix::new(&grad, shape).transposed().times(waves)?;
                sums.add(half * self.row, self.row, &product);
            }
            sums.add_still(&column_sums(&still, h));
        }
        Ok([nodes_grad, sums.all])
    }
}

/// Turns the gradient of the first activation's output into that of its input, in place of `first`, and sums it where
/// it came from: `nodes` (atoms, 2 · hidden), and `still` for the edges i = j.
#[inline(always)]
fn edges_to_nodes(
    [n, h]: [usize; 2],
    first: &mut [f32],
    of_hidden: &[f32],
    nodes: &mut [f32],
    still: &mut [f32],
) {
    for (first, grad) in first.iter_mut().zip(of_hidden) {
        *first = silu_with_slope(*first).1 * grad;
    }
    for i in 0..n {
        for j in 0..n {
            let edge = &first[(i * n + j) * h..][..h];
            for (sum, edge) in nodes[2 * i * h..][..h].iter_mut().zip(edge) {
                *sum += edge;
            }
            for (sum, edge) in nodes[(2 * j + 1) * h..][..h].iter_mut().zip(edge) {
                *sum += edge;
            }
            if i == j {
                for (sum, edge) in still.iter_mut().zip(edge) {
                    *sum += edge;
                }
            }
        }
    }
}

/// Difference and sum of the two directions of every pair.
#[inline(always)]
fn edges_to_pairs([n, h]: [usize; 2], edges: &[f32], odd: &mut [f32], even: &mut [f32]) {
    let mut pair = 0;
    for i in 0..n {
        for j in i + 1..n {
            let (there, back) = (&edges[(i * n + j) * h..][..h], &edges[(j * n + i) * h..][..h]);
            let (odd, even) = (&mut odd[pair * h..][..h], &mut even[pair * h..][..h]);
            for x in 0..h {
                odd[x] = there[x] - back[x];
                even[x] = there[x] + back[x];
            }
            pair += 1;
        }
    }
}
