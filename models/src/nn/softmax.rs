//! Softmax over groups of rows: the attention of an atom to its neighbours.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::index::Index;
use super::storage::{is_fused, slice, with_slice};

/// For each column the softmax over the rows that have the same target. Same shape as `x`, (rows, columns).
///
/// # Errors
/// When the shapes do not fit.
pub fn softmax(x: &Tensor, groups: &Arc<Index>) -> Result<Tensor> {
    if x.dims2()?.0 != groups.len() {
        bail!("{:?} meets {} rows of groups", x.shape(), groups.len());
    }
    let op = Softmax(Arc::clone(groups));
    if is_fused(x) { x.contiguous()?.apply_op1(op) } else { op.composed(x) }
}

#[derive(Debug)]
struct Softmax(Arc<Index>);

impl Softmax {
    /// The same with candle's operations. What is subtracted before the exponential is one number for all groups: it
    /// changes nothing but the range.
    fn composed(&self, x: &Tensor) -> Result<Tensor> {
        if x.elem_count() == 0 {
            return Ok(x.clone());
        }
        let targets = self.0.tensor(x.device())?;
        let powers = x.broadcast_sub(&x.detach().max_keepdim(0)?)?.exp()?;
        let sums = Tensor::zeros((self.0.table_rows(), x.dim(1)?), x.dtype(), x.device())?
            .index_add(&targets, &powers, 0)?;
        powers / sums.index_select(&targets, 0)?
    }
}

impl CustomOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax-of-groups"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let columns = layout.shape().dims2()?.1;
        let x = slice(x, layout)?;
        let mut y = vec![0.0; x.len()];
        for group in 0..self.0.table_rows() {
            for column in 0..columns {
                let at = |row: usize| row * columns + column;
                let rows = || self.0.messages_of(group).map(at);
                let largest = rows().map(|i| x[i]).fold(f32::NEG_INFINITY, f32::max);
                let mut sum = 0.0;
                for i in rows() {
                    y[i] = (x[i] - largest).exp();
                    sum += y[i];
                }
                for i in rows() {
                    y[i] /= sum;
                }
            }
        }
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let columns = x.dim(1)?;
        let out = with_slice(y, |y| {
            with_slice(grad, |grad| {
                let products: Vec<f32> = y.par_iter().zip(grad).map(|(y, g)| y * g).collect();
                let sums = self.0.segment_sum(&products, columns);
                let mut out = products;
                for ((row, target), y) in
                    out.chunks_exact_mut(columns).zip(self.0.targets()).zip(y.chunks_exact(columns))
                {
                    let sums = &sums[*target as usize * columns..];
                    for i in 0..columns {
                        row[i] -= y[i] * sums[i];
                    }
                }
                Ok(out)
            })
        })?;
        Tensor::from_vec(out, x.shape(), x.device()).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Probe, random};
    use super::*;

    #[test]
    fn fused_and_composed_agree() {
        let groups = Arc::new(Index::new((0..50).map(|i| i * 3 % 7).collect(), 8));
        let op = Softmax(Arc::clone(&groups));
        Probe::new(&[random(&[50, 3], 3.0)])
            .agree(|v| softmax(&v[0], &groups).unwrap(), |v| op.composed(&v[0]).unwrap());
    }

    #[test]
    fn groups_sum_to_one_at_any_size_of_numbers() {
        let groups = Arc::new(Index::new(vec![0, 0, 1], 2));
        let x = Tensor::new(&[[1000_f32], [999.0], [-1e30]], &candle_core::Device::Cpu).unwrap();
        let y = softmax(&x, &groups).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!((y[0] + y[1] - 1.0).abs() < 1e-6 && y[0] > y[1] && y[2] == 1.0, "{y:?}");
    }
}
