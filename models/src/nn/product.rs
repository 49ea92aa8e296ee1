//! Matrix products inside operations of our own: candle's product without its tensors.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, Layout, Result, Shape, bail};

/// A view of f32 numbers as a matrix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a> {
    storage: &'a CpuStorage,
    shape: [usize; 2],
    strides: [usize; 2],
    offset: usize,
}

impl<'a> Matrix<'a> {
    /// Row by row, from the first number.
    pub(crate) fn new(storage: &'a CpuStorage, shape: [usize; 2]) -> Self {
        Self { storage, shape, strides: [shape[1], 1], offset: 0 }
    }

    /// The same `shape` inside rows of `stride` numbers, from number `offset`.
    pub(crate) fn part(
        storage: &'a CpuStorage,
        shape: [usize; 2],
        stride: usize,
        offset: usize,
    ) -> Self {
        Self { storage, shape, strides: [stride, 1], offset }
    }

    /// Rows and columns exchanged.
    pub(crate) fn transposed(self) -> Self {
        let ([m, n], [r, c]) = (self.shape, self.strides);
        Self { shape: [n, m], strides: [c, r], ..self }
    }

    /// This matrix times another, row by row.
    pub(crate) fn times(self, other: Matrix) -> Result<Vec<f32>> {
        let ([m, k], [inner, n]) = (self.shape, other.shape);
        if k != inner {
            bail!("a matrix of {k} columns meets one of {inner} rows");
        }
        if m == 0 || n == 0 || k == 0 {
            return Ok(vec![0.0; m * n]);
        }
        let (left, right) = (self.layout(), other.layout());
        numbers(self.storage.matmul(other.storage, (1, m, n, k), &left, &right)?)
    }

    fn layout(&self) -> Layout {
        Layout::new(Shape::from(self.shape.to_vec()), self.strides.to_vec(), self.offset)
    }
}

/// The numbers of an f32 storage.
pub(crate) fn numbers(storage: CpuStorage) -> Result<Vec<f32>> {
    match storage {
        CpuStorage::F32(numbers) => Ok(numbers),
        _ => bail!("f32 expected"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_transposes() -> Result<()> {
        let a = CpuStorage::F32((0..12).map(|x| x as f32).collect());
        // Columns 1 and 2 of a 3 × 4 matrix.
        let part = Matrix::part(&a, [3, 2], 4, 1);
        let ones = CpuStorage::F32(vec![1.0; 3]);
        assert_eq!(part.transposed().times(Matrix::new(&ones, [3, 1]))?, [15.0, 18.0]);
        assert_eq!(part.times(Matrix::new(&ones, [2, 1]))?, [3.0, 11.0, 19.0]);
        assert!(part.times(Matrix::new(&ones, [3, 1])).is_err());
        assert_eq!(part.times(Matrix::new(&ones, [2, 0]))?, [0.0; 0]);
        Ok(())
    }
}
