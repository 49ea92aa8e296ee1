//! `silu(x + bias)` with a trainable bias, in one operation.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::kernels::{dispatch, silu, silu_with_slope};
use super::storage::{is_fused, slice, with_slice};

/// Rows of one task; fixed, so that sums over rows are the same on any number of threads.
const ROWS: usize = 64;

/// `silu(x + bias)`, `silu(x) = x/(1 + e⁻ˣ)`, for `x` of shape (…, width) and a bias of shape (width).
///
/// # Errors
/// When the shapes do not fit.
pub fn silu_with_bias(x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    if is_fused(x) { x.contiguous()?.apply_op2(bias, BiasSilu) } else { composed(x, bias) }
}

fn composed(x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.broadcast_add(bias)?.silu()
}

/// For every column the sum over all rows of `width` numbers.
pub(crate) fn column_sums(rows: &[f32], width: usize) -> Vec<f32> {
    let parts: Vec<Vec<f32>> = rows
        .par_chunks(ROWS * width)
        .map(|rows| {
            let mut sums = vec![0.0; width];
            dispatch(
                #[inline(always)]
                || {
                    for row in rows.chunks_exact(width) {
                        for (sum, v) in sums.iter_mut().zip(row) {
                            *sum += v;
                        }
                    }
                },
            );
            sums
        })
        .collect();
    let mut total = vec![0.0; width];
    for part in parts {
        for (total, v) in total.iter_mut().zip(part) {
            *total += v;
        }
    }
    total
}

#[derive(Debug)]
struct BiasSilu;

fn width_of(x: &Shape, bias: &Shape) -> Result<usize> {
    match (x.dims().last(), bias.dims()) {
        (Some(width), [same]) if width == same && *width > 0 => Ok(*width),
        _ => bail!("a bias of shape {bias:?} does not fit {x:?}"),
    }
}

impl CustomOp2 for BiasSilu {
    fn name(&self) -> &'static str {
        "silu-with-bias"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let width = width_of(x_layout.shape(), bias_layout.shape())?;
        let bias = slice(bias, bias_layout)?;
        let x = slice(x, x_layout)?;
        let mut y = vec![0.0; x.len()];
        y.par_chunks_mut(ROWS * width).zip(x.par_chunks(ROWS * width)).for_each(|(y, x)| {
            dispatch(
                #[inline(always)]
                || {
                    for (y, x) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
                        for ((y, x), b) in y.iter_mut().zip(x).zip(bias) {
                            *y = silu(x + b);
                        }
                    }
                },
            );
        });
        Ok((CpuStorage::F32(y), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        bias: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let width = width_of(x.shape(), bias.shape())?;
        let mut out = vec![0.0; x.elem_count()];
        with_slice(x, |x| {
            with_slice(bias, |bias| {
                with_slice(grad, |grad| {
                    out.par_chunks_mut(ROWS * width)
                        .zip(x.par_chunks(ROWS * width))
                        .zip(grad.par_chunks(ROWS * width))
                        .for_each(|((out, x), grad)| {
                            dispatch(
                                #[inline(always)]
                                || {
                                    for ((out, x), grad) in out
                                        .chunks_exact_mut(width)
                                        .zip(x.chunks_exact(width))
                                        .zip(grad.chunks_exact(width))
                                    {
                                        for i in 0..width {
                                            out[i] = grad[i] * silu_with_slope(x[i] + bias[i]).1;
                                        }
                                    }
                                },
                            );
                        });
                    Ok(())
                })
            })
        })?;
        let bias_grad = Tensor::from_vec(column_sums(&out, width), width, x.device())?;
        Ok((Some(Tensor::from_vec(out, x.shape(), x.device())?), Some(bias_grad)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Probe, random};
    use super::*;

    #[test]
    fn fused_and_composed_agree() {
        let probe = Probe::new(&[random(&[3, 67, 20], 2.0), random(&[20], 1.0)]);
        probe.agree(|v| silu_with_bias(&v[0], &v[1]).unwrap(), |v| composed(&v[0], &v[1]).unwrap());
    }

    #[test]
    fn a_bias_of_another_width_is_refused() {
        assert!(silu_with_bias(&random(&[4, 3], 1.0), &random(&[2], 1.0)).is_err());
    }
}
