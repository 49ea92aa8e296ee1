//! Gated messages, weighted and summed where they arrive, in one operation: the messages themselves are never kept.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::super::index::Index;
use super::super::kernels::{WIDTH, dispatch};
use super::super::storage::{slice, with_slice};
use super::{CHUNK, GatedMlp, PAIR, check_pair};

#[derive(Debug)]
pub(super) struct WeightedSum {
    pub(super) mlp: GatedMlp,
    pub(super) owner: Arc<Index>,
    pub(super) weight: Arc<Index>,
}

impl WeightedSum {
    pub(super) fn composed(&self, pair: &Tensor, weights: &Tensor) -> Result<Tensor> {
        let device = pair.device();
        let weights = weights.index_select(&self.weight.tensor(device)?, 0)?;
        let messages = (self.mlp.composed(pair)? * weights)?;
        let zeros = Tensor::zeros((self.owner.table_rows(), WIDTH), pair.dtype(), device)?;
        zeros.index_add(&self.owner.tensor(device)?, &messages, 0)
    }

    fn check(&self, rows: usize, weights: &[usize]) -> Result<()> {
        let fits = self.owner.len() == rows
            && self.weight.len() == rows
            && weights == [self.weight.table_rows(), WIDTH];
        if fits { Ok(()) } else { bail!("weights of shape {weights:?} do not fit {rows} messages") }
    }
}

impl CustomOp2 for WeightedSum {
    fn name(&self) -> &'static str {
        "gated-weighted-sum"
    }

    fn cpu_fwd(
        &self,
        pair: &CpuStorage,
        pair_layout: &Layout,
        weights: &CpuStorage,
        weights_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let rows = check_pair(pair_layout)?;
        self.check(rows, weights_layout.shape().dims())?;
        let (weights, _) = slice(weights, weights_layout)?.as_chunks::<WIDTH>();
        let mut messages = vec![0.0; rows * WIDTH];
        messages
            .par_chunks_mut(CHUNK * WIDTH)
            .zip(slice(pair, pair_layout)?.par_chunks(CHUNK * PAIR))
            .zip(self.weight.targets().par_chunks(CHUNK))
            .try_for_each(|((messages, pair), of)| {
                let (messages, _) = messages.as_chunks_mut::<WIDTH>();
                self.mlp.rows_forward(pair, messages)?;
                dispatch(
                    #[inline(always)]
                    || {
                        for (message, of) in messages.iter_mut().zip(of) {
                            let weight = &weights[*of as usize];
                            for i in 0..WIDTH {
                                message[i] *= weight[i];
                            }
                        }
                    },
                );
                Ok::<_, candle_core::Error>(())
            })?;
        let sums = self.owner.segment_sum(&messages, WIDTH);
        Ok((CpuStorage::F32(sums), Shape::from((self.owner.table_rows(), WIDTH))))
    }

    fn bwd(
        &self,
        pair: &Tensor,
        weights: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut pair_grad = vec![0.0; pair.elem_count()];
        // First the gradient of every message, then (see `rows_backward`) of the weight it met.
        let mut row_grads = vec![0.0; pair.elem_count() / 2];
        with_slice(pair, |pair| {
            with_slice(weights, |weights| {
                with_slice(grad, |grad| {
                    let (weights, _) = weights.as_chunks::<WIDTH>();
                    let (grad, _) = grad.as_chunks::<WIDTH>();
                    pair_grad
                        .par_chunks_mut(CHUNK * PAIR)
                        .zip(pair.par_chunks(CHUNK * PAIR))
                        .zip(row_grads.par_chunks_mut(CHUNK * WIDTH))
                        .zip(self.owner.targets().par_chunks(CHUNK))
                        .zip(self.weight.targets().par_chunks(CHUNK))
                        .try_for_each(|((((pair_grad, pair), rows), owners), of)| {
                            let (rows, _) = rows.as_chunks_mut::<WIDTH>();
                            for ((row, owner), of) in rows.iter_mut().zip(owners).zip(of) {
                                let (grad, weight) =
                                    (&grad[*owner as usize], &weights[*of as usize]);
                                for i in 0..WIDTH {
                                    row[i] = grad[i] * weight[i];
                                }
                            }
                            self.mlp.rows_backward(pair, rows, pair_grad)?;
                            for (row, owner) in rows.iter_mut().zip(owners) {
                                let grad = &grad[*owner as usize];
                                for i in 0..WIDTH {
                                    row[i] *= grad[i];
                                }
                            }
                            Ok::<_, candle_core::Error>(())
                        })
                })
            })
        })?;
        let weight_grad = self.weight.segment_sum(&row_grads, WIDTH);
        Ok((
            Some(Tensor::from_vec(pair_grad, pair.shape(), pair.device())?),
            Some(Tensor::from_vec(weight_grad, weights.shape(), weights.device())?),
        ))
    }
}
