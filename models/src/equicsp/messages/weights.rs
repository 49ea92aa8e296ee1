//! The weights of the messages and the sum of their gradient.

use candle_core::{CpuStorage, Layout, Result};

use crate::nn::product::Matrix;
use crate::nn::storage::slice;

/// The weights as the operation wants them: `all` is (hidden, 6 · K + hidden + 1), V, W₂ and b₂ side by side.
pub(super) struct Weights<'a> {
    all: &'a CpuStorage,
    start: usize,
    pub(super) bias: Vec<f32>,
    /// V ψ(0), the sum of the cosine columns of V.
    pub(super) still: Vec<f32>,
    stride: usize,
    row: usize,
    hidden: usize,
}

impl<'a> Weights<'a> {
    pub(super) fn new(
        all: &'a CpuStorage,
        layout: &Layout,
        row: usize,
        hidden: usize,
    ) -> Result<Self> {
        let stride = 2 * row + hidden + 1;
        let rows = || slice(all, layout).map(|all| all.chunks_exact(stride));
        Ok(Self {
            bias: rows()?.map(|r| r[stride - 1]).collect(),
            still: rows()?.map(|r| r[row..2 * row].iter().sum()).collect(),
            start: layout.start_offset(),
            all,
            stride,
            row,
            hidden,
        })
    }

    fn part(&self, column: usize, width: usize) -> Matrix<'a> {
        Matrix::part(self.all, [self.hidden, width], self.stride, self.start + column)
    }

    /// (hidden, 3 · K).
    pub(super) fn sines(&self) -> Matrix<'a> {
        self.part(0, self.row)
    }

    /// (hidden, 3 · K).
    pub(super) fn cosines(&self) -> Matrix<'a> {
        self.part(self.row, self.row)
    }

    /// (hidden, hidden).
    pub(super) fn second(&self) -> Matrix<'a> {
        self.part(2 * self.row, self.hidden)
    }
}

/// The gradient of the weights, summed over pieces.
pub(super) struct Sums {
    pub(super) all: Vec<f32>,
    stride: usize,
    row: usize,
}

impl Sums {
    pub(super) fn new(weights: &Weights) -> Self {
        let Weights { stride, row, hidden, .. } = *weights;
        Self { all: vec![0.0; hidden * stride], stride, row }
    }

    pub(super) fn add(&mut self, column: usize, width: usize, values: &[f32]) {
        for (sums, values) in self.all.chunks_exact_mut(self.stride).zip(values.chunks_exact(width))
        {
            for (sum, value) in sums[column..column + width].iter_mut().zip(values) {
                *sum += value;
            }
        }
    }

    /// Of b₂.
    pub(super) fn add_bias(&mut self, values: &[f32]) {
        self.add(self.stride - 1, 1, values);
    }

    /// For the edges i = j, whose cosines are all 1.
    pub(super) fn add_still(&mut self, still: &[f32]) {
        for (sums, still) in self.all.chunks_exact_mut(self.stride).zip(still) {
            for sum in &mut sums[self.row..2 * self.row] {
                *sum += still;
            }
        }
    }
}
