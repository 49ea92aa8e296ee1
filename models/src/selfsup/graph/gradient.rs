//! A graph with gradients: to shares of elements instead of elements, and to the positions of its atoms.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::{Graph, gaussian_width};
use crate::nn::index::Index;
use crate::selfsup::config::Network;

impl Graph {
    /// The same atoms, each a mixture of elements: `shares` (atoms, elements + 1), column 0 a masked atom.
    #[must_use]
    pub(in crate::selfsup) fn mixed(self, shares: &Tensor) -> Self {
        Self { shares: Some(shares.clone()), ..self }
    }

    /// The same graph with a gradient to the `moves` of its atoms (atoms, 3; Å), whose values must be 0: lengths and
    /// directions of the edges follow to first order. Which atoms are neighbours stays as it is, so where a neighbour comes or
    /// goes the gradient knows nothing of it.
    ///
    /// # Errors
    /// When there are not as many moves as atoms or the device is out of memory.
    pub(in crate::selfsup) fn moving(self, config: &Network, moves: &Tensor) -> Result<Self> {
        let (dtype, device) = (moves.dtype(), moves.device());
        let at = |ends: &Index| moves.index_select(&ends.tensor(device)?, 0);
        let moves = (at(&self.source)? - at(&self.target)?)?;
        // d exp(a (r − c)²) = 2a (r − c) exp(a (r − c)²) dr, and dr = v · d / r.
        let (factor, spacing) = gaussian_width(config);
        let edges = self.vectors.len();
        let lengths: Vec<f64> = self.vectors.iter().map(length).collect();
        let along: Vec<f64> = self
            .vectors
            .iter()
            .zip(&lengths)
            .flat_map(|(v, length)| v.map(|x| 2.0 * factor * x / length))
            .collect();
        let slopes: Vec<f64> = lengths
            .iter()
            .flat_map(|r| (0..config.gaussians).map(move |k| r - k as f64 * spacing))
            .collect();
        let along = Tensor::from_vec(along, (edges, 3), device)?.to_dtype(dtype)?;
        let slopes =
            Tensor::from_vec(slopes, (edges, config.gaussians), device)?.to_dtype(dtype)?;
        let change =
            (slopes * &self.gaussians)?.broadcast_mul(&(along * &moves)?.sum_keepdim(1)?)?;
        let gaussians = (&self.gaussians + change)?;
        let frames = self.frames.moving(&self.vectors, &moves)?;
        Ok(Self { gaussians, frames: Arc::new(frames), ..self })
    }

    /// Rows of a table of elements (elements + 1, width) for every atom, (atoms, width).
    pub(in crate::selfsup) fn of_elements(&self, table: &Tensor) -> Result<Tensor> {
        match &self.shares {
            Some(shares) => shares.matmul(table),
            None => table.index_select(&self.elements.tensor(table.device())?, 0),
        }
    }

    /// Tables of elements at the sources and at the targets of the edges, as tables of rows with the row of every edge.
    pub(in crate::selfsup) fn of_ends(
        &self,
        [source, target]: [&Tensor; 2],
    ) -> Result<[(Tensor, &Arc<Index>); 2]> {
        Ok(match &self.shares {
            Some(shares) => {
                [(shares.matmul(source)?, &self.source), (shares.matmul(target)?, &self.target)]
            }
            None => {
                [(source.clone(), &self.source_elements), (target.clone(), &self.target_elements)]
            }
        })
    }
}

fn length(v: &[f64; 3]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}
