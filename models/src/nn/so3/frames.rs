//! The frames of edges: rotations that put an edge along +y, as Wigner matrices.

use std::sync::OnceLock;

use candle_core::{DType, Device, Result, Tensor};
use rayon::prelude::*;

use super::layout::{Layout, atom_row};
use super::motion;
use super::wigner::{Rotation, wigner};

/// For every edge the rows of its Wigner matrices that its [`Layout`] keeps.
#[derive(Debug, Clone)]
pub struct Frames {
    layout: Layout,
    edges: usize,
    /// Degree and first number of each row within an edge: a row of degree l has 2l + 1 numbers.
    rows: Vec<(usize, usize)>,
    stride: usize,
    double: Vec<f64>,
    single: Vec<f32>,
    dense: OnceLock<Tensor>,
    /// What is added to the matrices: 0, with a gradient to what moves the edges.
    change: Option<Tensor>,
}

/// The rotation that turns `edge` (of any positive length) to +y. It is a function of the direction alone; which way the
/// other two axes point is chosen by the axis that the edge is least along.
#[must_use]
pub fn frame(edge: [f64; 3]) -> Rotation {
    let unit = |v: [f64; 3]| {
        let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        v.map(|x| x / length)
    };
    let cross = |a: [f64; 3], b: [f64; 3]| {
        [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    };
    let y = unit(edge);
    let least = (0..3).min_by(|a, b| y[*a].abs().total_cmp(&y[*b].abs())).unwrap_or(0);
    let mut axis = [0.0; 3];
    axis[least] = 1.0;
    let x = unit(cross(y, axis));
    [x, y, cross(x, y)]
}

impl Frames {
    /// From the rotation of each edge.
    #[must_use]
    pub fn new(layout: Layout, rotations: &[Rotation]) -> Self {
        let harmonics = layout.harmonics();
        let mut rows = Vec::with_capacity(harmonics.len());
        let mut stride = 0;
        for (l, _) in &harmonics {
            rows.push((*l, stride));
            stride += 2 * l + 1;
        }
        let mut double = vec![0.0; rotations.len() * stride];
        double.par_chunks_mut(stride).zip(rotations).for_each(|(out, rotation)| {
            let matrices = wigner(rotation, layout.lmax);
            for ((l, m), (_, start)) in harmonics.iter().zip(&rows) {
                let n = 2 * l + 1;
                let row = l.wrapping_add_signed(*m) * n;
                out[*start..start + n].copy_from_slice(&matrices[*l][row..row + n]);
            }
        });
        let single = double.iter().map(|x| *x as f32).collect();
        Self {
            layout,
            edges: rotations.len(),
            rows,
            stride,
            double,
            single,
            dense: OnceLock::new(),
            change: None,
        }
    }

    /// The same frames with a gradient to the `moves` of their edges (edges, 3), which are 0 now; `vectors` are the edges.
    ///
    /// # Errors
    /// When the numbers of edges differ or the device is out of memory.
    pub fn moving(&self, vectors: &[[f64; 3]], moves: &Tensor) -> Result<Self> {
        let change = Some(motion::change(self, vectors, moves)?);
        Ok(Self { change, ..self.clone() })
    }

    /// Whether there is a gradient to moves.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.change.is_some()
    }

    /// What is kept of each edge.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Number of edges.
    #[must_use]
    pub fn edges(&self) -> usize {
        self.edges
    }

    /// The Wigner rows of one edge.
    pub(super) fn of(&self, edge: usize) -> &[f32] {
        &self.single[edge * self.stride..(edge + 1) * self.stride]
    }

    /// Degree and first number of each row.
    pub(super) fn rows(&self) -> &[(usize, usize)] {
        &self.rows
    }

    /// The same as matrices, (edges, rows, (lmax + 1)²).
    pub(super) fn dense(&self, dtype: DType, device: &Device) -> Result<Tensor> {
        let dense = self.constant(dtype, device)?;
        self.change.as_ref().map_or(Ok(dense.clone()), |change| dense + change)
    }

    fn constant(&self, dtype: DType, device: &Device) -> Result<Tensor> {
        if let Some(dense) = self.dense.get()
            && dense.dtype() == dtype
            && dense.device().same_device(device)
        {
            return Ok(dense.clone());
        }
        let (rows, columns) = (self.layout.rows(), self.layout.atom_rows());
        let mut numbers = vec![0.0; self.edges * rows * columns];
        for (edge, matrix) in numbers.chunks_exact_mut(rows * columns).enumerate() {
            let of = &self.double[edge * self.stride..(edge + 1) * self.stride];
            for (out, (l, start)) in matrix.chunks_exact_mut(columns).zip(&self.rows) {
                let (first, n) = (atom_row(*l, -(*l as isize)), 2 * l + 1);
                out[first..first + n].copy_from_slice(&of[*start..start + n]);
            }
        }
        let dense =
            Tensor::from_vec(numbers, (self.edges, rows, columns), device)?.to_dtype(dtype)?;
        Ok(self.dense.get_or_init(|| dense.clone()).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_turn_edges_to_the_polar_axis() {
        for edge in [[1.0, 2.0, -3.0], [0.0, 4.0, 0.0], [0.0, 0.0, -2.0], [1e-9, 1.0, 1e-9]] {
            let r = frame(edge);
            let length = edge.iter().map(|x| x * x).sum::<f64>().sqrt();
            let turned = r.map(|row| (0..3).map(|i| row[i] * edge[i]).sum::<f64>() / length);
            assert!(turned[0].abs() < 1e-15 && turned[2].abs() < 1e-15, "{turned:?}");
            assert!((turned[1] - 1.0).abs() < 1e-15);
            let [a, b, c] = r;
            let determinant = a[0] * (b[1] * c[2] - b[2] * c[1])
                - a[1] * (b[0] * c[2] - b[2] * c[0])
                + a[2] * (b[0] * c[1] - b[1] * c[0]);
            assert!((determinant - 1.0).abs() < 1e-14);
        }
    }
}
