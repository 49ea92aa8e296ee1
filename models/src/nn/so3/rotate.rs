//! From the features of atoms to those of edges in the edges' own frames, and back.
//!
//! Both are linear and each is the other's transpose, hence its derivative. Frames are constants, so no gradient reaches
//! positions, unless they are moving ([`Frames::moving`]).

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::frames::Frames;
use crate::nn::index::Index;
use crate::nn::kernels::dispatch;
use crate::nn::storage::{is_fused, slice, with_slice};

/// Edges, or atoms, of one task.
const CHUNK: usize = 16;

/// Features of both ends of each edge, side by side in the edge's frame: (atoms, (lmax + 1)², width) to (edges, rows,
/// ends · width). Each index maps edges to atoms.
///
/// # Errors
/// When the shapes do not fit.
pub fn to_edges(x: &Tensor, frames: &Arc<Frames>, ends: &[Arc<Index>]) -> Result<Tensor> {
    let op = Turn::new(frames, ends, frames.layout().rows(), false)?;
    op.gather(x)
}

/// Features of edges turned back and summed over the edges of each atom: (edges, rows, width) to (atoms, (lmax + 1)²,
/// width). Fewer rows than the layout has are its first ones, so that rows for m = 0 only may be given. Degrees whose
/// outer orders are cut off are scaled up by [`super::layout::Layout::rescale`].
///
/// # Errors
/// When the shapes do not fit.
pub fn to_atoms(x: &Tensor, frames: &Arc<Frames>, target: &Arc<Index>) -> Result<Tensor> {
    let rows = x.dims3()?.1;
    Turn::new(frames, std::slice::from_ref(target), rows, true)?.scatter(x)
}

#[derive(Debug, Clone)]
struct Turn {
    frames: Arc<Frames>,
    ends: Vec<Arc<Index>>,
    rows: usize,
    scales: Vec<f32>,
}

impl Turn {
    fn new(frames: &Arc<Frames>, ends: &[Arc<Index>], rows: usize, rescaled: bool) -> Result<Self> {
        let atoms = ends.first().map_or(0, |e| e.table_rows());
        let fits = |e: &Arc<Index>| e.len() == frames.edges() && e.table_rows() == atoms;
        if ends.is_empty() || !ends.iter().all(fits) || rows > frames.layout().rows() {
            bail!("the edges of the graph and of its frames differ");
        }
        let scale = |l: usize| if rescaled { frames.layout().rescale(l) as f32 } else { 1.0 };
        let scales = frames.rows().iter().map(|(l, _)| scale(*l)).collect();
        Ok(Self { frames: Arc::clone(frames), ends: ends.to_vec(), rows, scales })
    }

    /// Whether our own operations will do, which know no gradient to the frames.
    fn is_fused(&self, x: &Tensor) -> bool {
        is_fused(x) && !self.frames.is_moving()
    }

    fn gather(self, x: &Tensor) -> Result<Tensor> {
        if self.is_fused(x) {
            x.contiguous()?.apply_op1(Gather(self))
        } else {
            self.gather_composed(x)
        }
    }

    fn scatter(self, x: &Tensor) -> Result<Tensor> {
        if self.is_fused(x) {
            x.contiguous()?.apply_op1(Scatter(self))
        } else {
            self.scatter_composed(x)
        }
    }

    /// (edges, rows, (lmax + 1)²), rescaled.
    fn matrices(&self, like: &Tensor) -> Result<Tensor> {
        let dense = self.frames.dense(like.dtype(), like.device())?.narrow(1, 0, self.rows)?;
        let scales = Tensor::from_slice(&self.scales[..self.rows], (self.rows, 1), like.device())?;
        // Scales are rounded to f32 above; in f64 they are computed again.
        let scales = if like.dtype() == candle_core::DType::F64 {
            let layout = self.frames.layout();
            let exact = |(scale, (l, _)): (&f32, &(usize, usize))| {
                if *scale == 1.0 { 1.0 } else { layout.rescale(*l) }
            };
            let exact: Vec<f64> =
                self.scales.iter().zip(self.frames.rows()).take(self.rows).map(exact).collect();
            Tensor::from_vec(exact, (self.rows, 1), like.device())?
        } else {
            scales
        };
        dense.broadcast_mul(&scales)
    }

    fn gather_composed(&self, x: &Tensor) -> Result<Tensor> {
        let matrices = self.matrices(x)?;
        let of = |end: &Arc<Index>| matrices.matmul(&x.index_select(&end.tensor(x.device())?, 0)?);
        let parts = self.ends.iter().map(of).collect::<Result<Vec<_>>>()?;
        Tensor::cat(&parts, 2)
    }

    fn scatter_composed(&self, x: &Tensor) -> Result<Tensor> {
        let matrices = self.matrices(x)?.transpose(1, 2)?.contiguous()?;
        let width = x.dim(2)? / self.ends.len();
        let shape = (self.ends[0].table_rows(), self.frames.layout().atom_rows(), width);
        let mut sum = Tensor::zeros(shape, x.dtype(), x.device())?;
        for (i, end) in self.ends.iter().enumerate() {
            let turned = matrices.matmul(&x.narrow(2, i * width, width)?.contiguous()?)?;
            sum = sum.index_add(&end.tensor(x.device())?, &turned, 0)?;
        }
        Ok(sum)
    }

    fn gather_numbers(&self, x: &[f32], width: usize) -> Vec<f32> {
        let columns = self.frames.layout().atom_rows() * width;
        let wide = self.ends.len() * width;
        let mut out = vec![0.0; self.frames.edges() * self.rows * wide];
        out.par_chunks_mut(CHUNK * self.rows * wide).enumerate().for_each(|(chunk, out)| {
            dispatch(
                #[inline(always)]
                || {
                    for (i, out) in out.chunks_exact_mut(self.rows * wide).enumerate() {
                        let edge = chunk * CHUNK + i;
                        let matrix = self.frames.of(edge);
                        for (side, end) in self.ends.iter().enumerate() {
                            let atom = end.targets()[edge] as usize;
                            let atom = &x[atom * columns..(atom + 1) * columns];
                            for (row, (l, start)) in
                                self.frames.rows()[..self.rows].iter().enumerate()
                            {
                                let from = row * wide + side * width;
                                let out = &mut out[from..from + width];
                                for n in 0..2 * l + 1 {
                                    let factor = matrix[start + n] * self.scales[row];
                                    let x = &atom[(l * l + n) * width..(l * l + n + 1) * width];
                                    for (o, x) in out.iter_mut().zip(x) {
                                        *o += factor * x;
                                    }
                                }
                            }
                        }
                    }
                },
            );
        });
        out
    }

    fn scatter_numbers(&self, x: &[f32], width: usize) -> Vec<f32> {
        let columns = self.frames.layout().atom_rows() * width;
        let wide = self.ends.len() * width;
        let mut out = vec![0.0; self.ends[0].table_rows() * columns];
        out.par_chunks_mut(columns).enumerate().for_each(|(atom, out)| {
            dispatch(
                #[inline(always)]
                || {
                    for (side, end) in self.ends.iter().enumerate() {
                        for edge in end.messages_of(atom) {
                            let matrix = self.frames.of(edge);
                            let x = &x[edge * self.rows * wide..(edge + 1) * self.rows * wide];
                            for (row, (l, start)) in
                                self.frames.rows()[..self.rows].iter().enumerate()
                            {
                                let from = row * wide + side * width;
                                let x = &x[from..from + width];
                                for n in 0..2 * l + 1 {
                                    let factor = matrix[start + n] * self.scales[row];
                                    let out =
                                        &mut out[(l * l + n) * width..(l * l + n + 1) * width];
                                    for (o, x) in out.iter_mut().zip(x) {
                                        *o += factor * x;
                                    }
                                }
                            }
                        }
                    }
                },
            );
        });
        out
    }
}

#[derive(Debug)]
struct Gather(Turn);

impl CustomOp1 for Gather {
    fn name(&self) -> &'static str {
        "atoms-to-edges"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let turn = &self.0;
        let (atoms, rows, width) = layout.shape().dims3()?;
        if atoms != turn.ends[0].table_rows() || rows != turn.frames.layout().atom_rows() {
            bail!("{atoms} atoms with {rows} rows meet another graph");
        }
        let out = turn.gather_numbers(slice(x, layout)?, width);
        let shape = (turn.frames.edges(), turn.rows, turn.ends.len() * width);
        Ok((CpuStorage::F32(out), shape.into()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let sums = with_slice(grad, |grad| Ok(self.0.scatter_numbers(grad, x.dim(2)?)))?;
        Tensor::from_vec(sums, x.shape(), x.device()).map(Some)
    }
}

#[derive(Debug)]
struct Scatter(Turn);

impl CustomOp1 for Scatter {
    fn name(&self) -> &'static str {
        "edges-to-atoms"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let turn = &self.0;
        let (edges, rows, wide) = layout.shape().dims3()?;
        if edges != turn.frames.edges() || rows != turn.rows {
            bail!("{edges} edges with {rows} rows meet another graph");
        }
        let width = wide / turn.ends.len();
        let out = turn.scatter_numbers(slice(x, layout)?, width);
        let shape = (turn.ends[0].table_rows(), turn.frames.layout().atom_rows(), width);
        Ok((CpuStorage::F32(out), shape.into()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let width = x.dim(2)? / self.0.ends.len();
        let values = with_slice(grad, |grad| Ok(self.0.gather_numbers(grad, width)))?;
        Tensor::from_vec(values, x.shape(), x.device()).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::super::frames::frame;
    use super::super::layout::Layout;
    use super::*;
    use crate::nn::testing::{Probe, random};

    fn graph() -> (Arc<Frames>, [Arc<Index>; 2]) {
        let layout = Layout { lmax: 3, mmax: 2 };
        let edges = 41;
        let rotations: Vec<_> =
            (0..edges).map(|i| frame([(i as f64).sin(), (1.7 * i as f64).cos(), 0.3])).collect();
        let source = (0..edges).map(|i| (i * 7 % 5) as u32).collect();
        let target = (0..edges).map(|i| (i * 5 / edges) as u32).collect();
        let frames = Arc::new(Frames::new(layout, &rotations));
        (frames, [Arc::new(Index::new(source, 5)), Arc::new(Index::new(target, 5))])
    }

    #[test]
    fn fused_and_composed_agree() {
        let (frames, ends) = graph();
        let turn =
            |ends: &[Arc<Index>], rows, rescaled| Turn::new(&frames, ends, rows, rescaled).unwrap();
        let probe = Probe::new(&[random(&[5, 16, 20], 1.0)]);
        probe.agree(
            |v| to_edges(&v[0], &frames, &ends).unwrap(),
            |v| turn(&ends, 14, false).gather_composed(&v[0]).unwrap(),
        );
        for rows in [14, 4] {
            let probe = Probe::new(&[random(&[41, rows, 20], 1.0)]);
            probe.agree(
                |v| to_atoms(&v[0], &frames, &ends[1]).unwrap(),
                |v| turn(&ends[1..], rows, true).scatter_composed(&v[0]).unwrap(),
            );
        }
    }

    #[test]
    fn another_graph_is_refused() {
        let (frames, ends) = graph();
        assert!(to_edges(&random(&[4, 16, 2], 1.0), &frames, &ends).is_err());
        assert!(to_atoms(&random(&[40, 14, 2], 1.0), &frames, &ends[1]).is_err());
        assert!(to_atoms(&random(&[41, 15, 2], 1.0), &frames, &ends[1]).is_err());
    }
}
