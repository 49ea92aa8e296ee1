//! Layer normalisation that has a gradient on every device.

use candle_core::{CpuStorage, CustomOp3, D, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::activation::column_sums;
use super::kernels::{EPSILON, dispatch};
use super::storage::{is_fused, slice, with_slice};

/// Rows of one task.
const ROWS: usize = 32;

/// `gain · (x − mean) / √(variance + ε) + offset` over the last dimension. candle's fused layer normalisation silently
/// has no gradient.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    /// (width).
    pub gain: Tensor,
    /// (width).
    pub offset: Tensor,
}

impl LayerNorm {
    /// Same shape as `x`.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if is_fused(x) {
            x.contiguous()?.apply_op3(&self.gain, &self.offset, Normalise)
        } else {
            self.composed(x)
        }
    }

    /// The same with candle's operations.
    fn composed(&self, x: &Tensor) -> Result<Tensor> {
        let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
        let scale = (variance + f64::from(EPSILON))?.sqrt()?;
        centred.broadcast_div(&scale)?.broadcast_mul(&self.gain)?.broadcast_add(&self.offset)
    }
}

#[derive(Debug)]
struct Normalise;

fn width_of(x: &Shape, gain: &Shape, offset: &Shape) -> Result<usize> {
    match (x.dims().last(), gain.dims(), offset.dims()) {
        (Some(width), [a], [b]) if width == a && a == b && *width > 0 => Ok(*width),
        _ => bail!("a normalisation of {gain:?} and {offset:?} does not fit {x:?}"),
    }
}

/// The sum of a row in sixteen partial sums, so that it becomes vector additions.
#[inline(always)]
fn sum(row: &[f32], f: impl Fn(usize, f32) -> f32) -> f32 {
    let mut lanes = [0.0; 16];
    let (blocks, rest) = row.as_chunks::<16>();
    for (block, values) in blocks.iter().enumerate() {
        for lane in 0..16 {
            lanes[lane] += f(16 * block + lane, values[lane]);
        }
    }
    for (i, v) in rest.iter().enumerate() {
        lanes[i] += f(16 * blocks.len() + i, *v);
    }
    lanes.iter().sum()
}

/// Mean and reciprocal standard deviation.
#[inline(always)]
fn moments(row: &[f32]) -> (f32, f32) {
    let width = row.len() as f32;
    let mean = sum(row, |_, v| v) / width;
    let variance = sum(row, |_, v| (v - mean) * (v - mean)) / width;
    (mean, 1.0 / (variance + EPSILON).sqrt())
}

impl CustomOp3 for Normalise {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gain: &CpuStorage,
        gain_layout: &Layout,
        offset: &CpuStorage,
        offset_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let width = width_of(x_layout.shape(), gain_layout.shape(), offset_layout.shape())?;
        let (x, gain) = (slice(x, x_layout)?, slice(gain, gain_layout)?);
        let offset = slice(offset, offset_layout)?;
        let mut y = vec![0.0; x.len()];
        y.par_chunks_mut(ROWS * width).zip(x.par_chunks(ROWS * width)).for_each(|(y, x)| {
            dispatch(
                #[inline(always)]
                || {
                    for (y, x) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
                        let (mean, scale) = moments(x);
                        for i in 0..width {
                            y[i] = (x[i] - mean) * scale * gain[i] + offset[i];
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
        gain: &Tensor,
        offset: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let width = width_of(x.shape(), gain.shape(), offset.shape())?;
        let mut x_grad = vec![0.0; x.elem_count()];
        // Gradient times standardised input: its column sums are the gradient of the gain.
        let mut along_gain = vec![0.0; x.elem_count()];
        let offset_grad = with_slice(x, |x| {
            with_slice(gain, |gain| {
                with_slice(grad, |grad| {
                    x_grad
                        .par_chunks_mut(ROWS * width)
                        .zip(along_gain.par_chunks_mut(ROWS * width))
                        .zip(x.par_chunks(ROWS * width))
                        .zip(grad.par_chunks(ROWS * width))
                        .for_each(|(((out, along), x), grad)| {
                            dispatch(
                                #[inline(always)]
                                || backward_rows(out, along, x, grad, gain),
                            );
                        });
                    Ok(column_sums(grad, width))
                })
            })
        })?;
        let gain_grad = column_sums(&along_gain, width);
        Ok((
            Some(Tensor::from_vec(x_grad, x.shape(), x.device())?),
            Some(Tensor::from_vec(gain_grad, width, x.device())?),
            Some(Tensor::from_vec(offset_grad, width, x.device())?),
        ))
    }
}

#[inline(always)]
fn backward_rows(out: &mut [f32], along: &mut [f32], x: &[f32], grad: &[f32], gain: &[f32]) {
    let width = gain.len();
    for (((out, along), x), grad) in out
        .chunks_exact_mut(width)
        .zip(along.chunks_exact_mut(width))
        .zip(x.chunks_exact(width))
        .zip(grad.chunks_exact(width))
    {
        let (mean, scale) = moments(x);
        for i in 0..width {
            along[i] = (x[i] - mean) * scale;
            out[i] = grad[i] * gain[i];
        }
        let level = sum(out, |_, v| v) / width as f32;
        let slope = sum(out, |i, v| v * along[i]) / width as f32;
        for i in 0..width {
            out[i] = scale * (out[i] - level - along[i] * slope);
            along[i] *= grad[i];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Probe, random};
    use super::*;

    #[test]
    fn fused_and_composed_agree() {
        let probe =
            Probe::new(&[random(&[2, 37, 20], 3.0), random(&[20], 1.0), random(&[20], 2.0)]);
        let norm = |v: &[Tensor]| LayerNorm { gain: v[1].clone(), offset: v[2].clone() };
        probe.agree(|v| norm(v).forward(&v[0]).unwrap(), |v| norm(v).composed(&v[0]).unwrap());
    }

    #[test]
    fn a_gain_of_another_width_is_refused() {
        let norm = LayerNorm { gain: random(&[3], 1.0), offset: random(&[4], 1.0) };
        assert!(norm.forward(&random(&[5, 4], 1.0)).is_err());
    }
}
