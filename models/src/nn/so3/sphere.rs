//! The separable activation on the sphere (EquiformerV2): degree 0 goes through an ordinary SiLU of numbers of its own, the
//! other degrees are those of the SiLU of the signal's values on a grid.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::grid::Grid;
use crate::nn::kernels::{dispatch, silu, silu_with_slope};
use crate::nn::storage::{is_fused, slice, with_slice};

/// Numbers of a row that are worked on together.
const LANES: usize = 16;

/// Rows of one task.
const CHUNK: usize = 16;

/// The activation with its grid.
#[derive(Debug, Clone)]
pub struct SphereActivation {
    grid: Arc<Points>,
    width: usize,
    /// Columns of an input row where the numbers for degree 0 and the coefficients begin.
    gate: usize,
    signal: usize,
}

#[derive(Debug)]
struct Points {
    grid: Grid,
    to: Vec<f32>,
    from: Vec<f32>,
}

impl SphereActivation {
    /// For rows of numbers of which `width` numbers from column `gate` on are for degree 0, and the coefficients of
    /// `width` signals lie from column `signal` on, (rows of the grid, width). The first row is degree 0.
    #[must_use]
    pub fn new(grid: Grid, width: usize, gate: usize, signal: usize) -> Self {
        let single = |numbers: &[f64]| numbers.iter().map(|x| *x as f32).collect();
        let points = Points { to: single(grid.to()), from: single(grid.from()), grid };
        Self { grid: Arc::new(points), width, gate, signal }
    }

    /// (n, columns) to (n, rows of the grid · width).
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if is_fused(x) { x.contiguous()?.apply_op1(self.clone()) } else { self.composed(x) }
    }

    /// The same with candle's operations.
    fn composed(&self, x: &Tensor) -> Result<Tensor> {
        let (n, _) = x.dims2()?;
        let (rows, width) = (self.grid.grid.rows(), self.width);
        let gate = x.narrow(1, self.gate, width)?.contiguous()?.silu()?;
        let signal = x.narrow(1, self.signal, rows * width)?.reshape((n, rows, width))?;
        let values = self.grid.grid.values(&signal)?.silu()?;
        let turned = self.grid.grid.coefficients(&values)?.narrow(1, 1, rows - 1)?;
        Tensor::cat(&[gate, turned.reshape((n, (rows - 1) * width))?], 1)
    }

    fn check(&self, columns: usize) -> Result<()> {
        let end = (self.gate + self.width).max(self.signal + self.grid.grid.rows() * self.width);
        if end > columns {
            bail!("a row of {columns} numbers is too short: {end} are needed")
        }
        Ok(())
    }
}

/// Columns `from..from + LANES` of each row, with zeros where there are none.
#[inline(always)]
fn block(x: &[f32], width: usize, from: usize, out: &mut [[f32; LANES]]) {
    let take = LANES.min(width - from);
    for (row, out) in x.chunks_exact(width).zip(out) {
        *out = [0.0; LANES];
        out[..take].copy_from_slice(&row[from..from + take]);
    }
}

#[inline(always)]
fn accumulate(factors: &[f32], rows: &[[f32; LANES]]) -> [f32; LANES] {
    let mut sum = [0.0; LANES];
    for (factor, row) in factors.iter().zip(rows) {
        for i in 0..LANES {
            sum[i] += factor * row[i];
        }
    }
    sum
}

#[inline(always)]
fn spread(factors: &[f32], value: &[f32; LANES], rows: &mut [[f32; LANES]]) {
    for (factor, row) in factors.iter().zip(rows) {
        for i in 0..LANES {
            row[i] += factor * value[i];
        }
    }
}

impl CustomOp1 for SphereActivation {
    fn name(&self) -> &'static str {
        "sphere-activation"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, columns) = layout.shape().dims2()?;
        self.check(columns)?;
        let (rows, width) = (self.grid.grid.rows(), self.width);
        let x = slice(x, layout)?;
        let mut y = vec![0.0; n * rows * width];
        let inputs = x.par_chunks(CHUNK * columns);
        y.par_chunks_mut(CHUNK * rows * width).zip(inputs).for_each(|(y, x)| {
            let mut input = vec![[0.0; LANES]; rows];
            let mut output = vec![[0.0; LANES]; rows];
            dispatch(
                #[inline(always)]
                || {
                    let (input, output) = (&mut input[..], &mut output[..]);
                    for (y, x) in y.chunks_exact_mut(rows * width).zip(x.chunks_exact(columns)) {
                        let signal = &x[self.signal..self.signal + rows * width];
                        for from in (0..width).step_by(LANES) {
                            block(signal, width, from, input);
                            output.fill([0.0; LANES]);
                            let points = self.grid.to.chunks_exact(rows);
                            for (to, back) in points.zip(self.grid.from.chunks_exact(rows)) {
                                let mut value = accumulate(to, input);
                                for v in &mut value {
                                    *v = silu(*v);
                                }
                                spread(back, &value, output);
                            }
                            let take = LANES.min(width - from);
                            for (y, o) in y.chunks_exact_mut(width).zip(&*output).skip(1) {
                                y[from..from + take].copy_from_slice(&o[..take]);
                            }
                        }
                        for (y, x) in y[..width].iter_mut().zip(&x[self.gate..]) {
                            *y = silu(*x);
                        }
                    }
                },
            );
        });
        Ok((CpuStorage::F32(y), Shape::from((n, rows * width))))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (n, columns) = x.dims2()?;
        let (rows, width) = (self.grid.grid.rows(), self.width);
        let mut out = vec![0.0; n * columns];
        with_slice(x, |x| {
            with_slice(grad, |grad| {
                out.par_chunks_mut(CHUNK * columns)
                    .zip(x.par_chunks(CHUNK * columns))
                    .zip(grad.par_chunks(CHUNK * rows * width))
                    .for_each(|((out, x), grad)| self.backward(out, x, grad, columns));
                Ok(())
            })
        })?;
        Tensor::from_vec(out, x.shape(), x.device()).map(Some)
    }
}

impl SphereActivation {
    fn backward(&self, out: &mut [f32], x: &[f32], grad: &[f32], columns: usize) {
        let (rows, width) = (self.grid.grid.rows(), self.width);
        let mut buffers = [(); 3].map(|()| vec![[0.0; LANES]; rows]);
        dispatch(
            #[inline(always)]
            || {
                let [input, slopes, output] = &mut buffers;
                let (input, slopes, output) = (&mut input[..], &mut slopes[..], &mut output[..]);
                let items = out.chunks_exact_mut(columns).zip(x.chunks_exact(columns));
                for ((out, x), grad) in items.zip(grad.chunks_exact(rows * width)) {
                    let signal = self.signal..self.signal + rows * width;
                    for from in (0..width).step_by(LANES) {
                        block(&x[signal.clone()], width, from, input);
                        block(grad, width, from, slopes);
                        // Degree 0 of the grid's answer is not used.
                        slopes[0] = [0.0; LANES];
                        output.fill([0.0; LANES]);
                        let points = self.grid.to.chunks_exact(rows);
                        for (to, back) in points.zip(self.grid.from.chunks_exact(rows)) {
                            let value = accumulate(to, input);
                            let mut slope = accumulate(back, slopes);
                            for i in 0..LANES {
                                slope[i] *= silu_with_slope(value[i]).1;
                            }
                            spread(to, &slope, output);
                        }
                        let take = LANES.min(width - from);
                        let out = &mut out[signal.clone()];
                        for (out, o) in out.chunks_exact_mut(width).zip(&*output) {
                            out[from..from + take].copy_from_slice(&o[..take]);
                        }
                    }
                    for i in 0..width {
                        out[self.gate + i] = grad[i] * silu_with_slope(x[self.gate + i]).1;
                    }
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::Layout as Harmonics;
    use super::*;
    use crate::nn::testing::{Probe, random};

    #[test]
    fn fused_and_composed_agree() {
        for width in [16, 5, 20] {
            let grid = Grid::of_edges(Harmonics { lmax: 3, mmax: 2 }, 4, 6);
            let op = SphereActivation::new(grid, width, 3, 3 + width);
            let probe = Probe::new(&[random(&[37, 3 + 15 * width + 2], 1.5)]);
            probe.agree(|v| op.forward(&v[0]).unwrap(), |v| op.composed(&v[0]).unwrap());
        }
    }

    #[test]
    fn rows_that_are_too_short_are_refused() {
        let op = SphereActivation::new(Grid::of_atoms(1, 2, 3), 4, 0, 4);
        assert!(op.forward(&random(&[2, 19], 1.0)).is_err());
    }
}
