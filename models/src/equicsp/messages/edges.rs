//! From atoms to messages, a piece of the crystals at a time.

use candle_core::{CpuStorage, Result};
use rayon::prelude::*;

use super::super::fourier::pair_count;
use super::Messages;
use super::weights::Weights;
use crate::nn::kernels::{dispatch, silu};
use crate::nn::product::Matrix;

/// Edges of one piece of work: their features stay in the second-level cache.
const EDGES: usize = 1024;

/// The edges of one piece.
pub(super) struct Edges {
    /// Input of the first activation, (edges, hidden).
    pub(super) first: Vec<f32>,
    /// Output of the first activation.
    pub(super) hidden: CpuStorage,
    /// Input of the second activation without its bias.
    pub(super) second: Vec<f32>,
}

impl Messages {
    /// Crystals of one piece of work.
    pub(super) fn piece(&self) -> usize {
        (EDGES / (self.atoms * self.atoms)).max(1)
    }

    /// Sines and cosines of `crystals` crystals from the one of index `from`.
    pub(super) fn waves(&self, from: usize, crystals: usize) -> [Matrix<'_>; 2] {
        let pairs = pair_count(self.atoms);
        let (shape, start) = ([crystals * pairs, self.row], from * pairs * self.row);
        [&self.pairs.sines, &self.pairs.cosines]
            .map(|waves| Matrix::part(waves, shape, self.row, start))
    }

    /// The edges of the crystals whose atoms are `nodes`, the first of them being number `from`.
    pub(super) fn edges(&self, nodes: &[f32], from: usize, weights: &Weights) -> Result<Edges> {
        let (n, h) = (self.atoms, self.hidden);
        let crystals = nodes.len() / (n * 2 * h);
        let [sines, cosines] = self.waves(from, crystals);
        let odd = sines.times(weights.sines().transposed())?;
        let even = cosines.times(weights.cosines().transposed())?;
        let mut first = vec![0.0; crystals * n * n * h];
        let mut hidden = vec![0.0; first.len()];
        let pairs = pair_count(n) * h;
        first
            .par_chunks_mut(n * n * h)
            .zip(hidden.par_chunks_mut(n * n * h))
            .zip(nodes.par_chunks(n * 2 * h))
            .enumerate()
            .for_each(|(crystal, ((first, hidden), nodes))| {
                let part = crystal * pairs..(crystal + 1) * pairs;
                let (odd, even) = (&odd[part.clone()], &even[part]);
                dispatch(
                    #[inline(always)]
                    || {
                        let node = |i: usize, half: usize| {
                            &nodes[(2 * i + half) * h..(2 * i + half + 1) * h]
                        };
                        let mut pair = 0;
                        for i in 0..n {
                            let at = i * n + i;
                            let (a, c) = (node(i, 0), node(i, 1));
                            let out = &mut first[at * h..(at + 1) * h];
                            for x in 0..h {
                                out[x] = a[x] + c[x] + weights.still[x];
                            }
                            for j in i + 1..n {
                                let (odd, even) = (&odd[pair * h..][..h], &even[pair * h..][..h]);
                                let (a_j, c_j) = (node(j, 0), node(j, 1));
                                let out = &mut first[(i * n + j) * h..][..h];
                                for x in 0..h {
                                    out[x] = a[x] + c_j[x] + even[x] + odd[x];
                                }
                                let out = &mut first[(j * n + i) * h..][..h];
                                for x in 0..h {
                                    out[x] = a_j[x] + c[x] + even[x] - odd[x];
                                }
                                pair += 1;
                            }
                        }
                        for (hidden, first) in hidden.iter_mut().zip(first) {
                            *hidden = silu(*first);
                        }
                    },
                );
            });
        let hidden = CpuStorage::F32(hidden);
        let second = Matrix::new(&hidden, [crystals * n * n, h]);
        let second = second.times(weights.second().transposed())?;
        Ok(Edges { first, hidden, second })
    }

    pub(super) fn forward(&self, nodes: &[f32], weights: &Weights) -> Result<Vec<f32>> {
        let (n, h) = (self.atoms, self.hidden);
        let mut out = vec![0.0; self.crystals * n * h];
        let pieces =
            out.chunks_mut(self.piece() * n * h).zip(nodes.chunks(self.piece() * n * 2 * h));
        for (piece, (out, nodes)) in pieces.enumerate() {
            let edges = self.edges(nodes, piece * self.piece(), weights)?;
            out.par_chunks_mut(n * h).zip(edges.second.par_chunks(n * n * h)).for_each(
                |(out, edges)| {
                    dispatch(
                        #[inline(always)]
                        || {
                            for (out, edges) in
                                out.chunks_exact_mut(h).zip(edges.chunks_exact(n * h))
                            {
                                for edge in edges.chunks_exact(h) {
                                    for x in 0..h {
                                        out[x] += silu(edge[x] + weights.bias[x]);
                                    }
                                }
                                for x in out {
                                    *x /= n as f32;
                                }
                            }
                        },
                    );
                },
            );
        }
        Ok(out)
    }
}
