//! Convolution over an edge in its own frame (eSCN, Passaro and Zitnick 2023): the degrees of each |m| mix among
//! themselves, +m and −m as real and imaginary part of a complex number. One matrix product for each |m|.

use candle_core::{
    CpuStorage, CustomOp2, CustomOp3, Layout as Memory, Result, Shape, Tensor, bail,
};
use rayon::prelude::*;

use super::layout::Layout;
use crate::nn::activation::column_sums;
use crate::nn::kernels::dispatch;
use crate::nn::product::Matrix;
use crate::nn::storage::{is_fused, slice, with_slice};

/// Edges of one task.
const CHUNK: usize = 32;

/// The shape of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Convolution {
    /// Harmonics of an edge.
    pub layout: Layout,
    /// Channels in.
    pub input: usize,
    /// Channels out.
    pub output: usize,
    /// Numbers besides, which come from m = 0 like degree 0 does.
    pub extra: usize,
}

/// One |m|: where its numbers lie.
#[derive(Debug, Clone, Copy)]
struct Block {
    /// First column and number of columns of an input row, both signs.
    input: usize,
    inputs: usize,
    /// The same of an output row.
    output: usize,
    outputs: usize,
    /// First number among the weights, and for m = 0 of the bias.
    weights: usize,
    /// First radial weight and how many there are; they serve both signs.
    radial: usize,
    radials: usize,
}

impl Convolution {
    /// Shape of the weights of an order, (out, inner): for m = 0 `extra` and the degrees' outputs; for m > 0 the real
    /// part, then the imaginary part.
    #[must_use]
    pub fn weight_shape(self, m: usize) -> [usize; 2] {
        let degrees = self.layout.degrees(m);
        let out =
            if m == 0 { self.extra + degrees * self.output } else { 2 * degrees * self.output };
        [out, degrees * self.input]
    }

    /// Numbers of an output row: `extra`, then (rows of the layout, `output`).
    #[must_use]
    pub fn columns(self) -> usize {
        self.extra + self.layout.rows() * self.output
    }

    /// All weights in one row: those of m = 0, the bias of m = 0, then those of each m > 0.
    ///
    /// # Errors
    /// When there are not as many as orders.
    pub fn join(self, weights: &[Tensor], bias: &Tensor) -> Result<Tensor> {
        if weights.len() != self.layout.mmax + 1 {
            bail!("{} weights for orders up to {}", weights.len(), self.layout.mmax);
        }
        let mut flat = weights.iter().map(Tensor::flatten_all).collect::<Result<Vec<_>>>()?;
        flat.insert(1, bias.clone());
        Tensor::cat(&flat, 0)
    }

    /// Features (edges, rows, `input`), each multiplied by its radial weight (edges, pairs of degree and |m| · `input`)
    /// if there are any, to (edges, [`Self::columns`]).
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(self, x: &Tensor, radial: Option<&Tensor>, weights: &Tensor) -> Result<Tensor> {
        let x = x.contiguous()?;
        match (radial, is_fused(&x)) {
            (Some(radial), true) => x.apply_op3(&radial.contiguous()?, weights, self),
            (None, true) => x.apply_op2(weights, self),
            (radial, false) => self.composed(&x, radial, weights),
        }
    }

    fn blocks(self) -> Vec<Block> {
        let (mut input, mut output, mut weights, mut radial) = (0, 0, 0, 0);
        (0..=self.layout.mmax)
            .map(|m| {
                let [rows, columns] = self.weight_shape(m);
                let (inputs, outputs) = if m == 0 { (columns, rows) } else { (2 * columns, rows) };
                let block =
                    Block { input, inputs, output, outputs, weights, radial, radials: columns };
                input += inputs;
                output += outputs;
                weights += rows * columns + if m == 0 { rows } else { 0 };
                radial += columns;
                block
            })
            .collect()
    }

    /// The same with candle's operations.
    fn composed(self, x: &Tensor, radial: Option<&Tensor>, weights: &Tensor) -> Result<Tensor> {
        let (edges, rows, width) = x.dims3()?;
        let x = x.reshape((edges, rows * width))?;
        let mut parts = Vec::new();
        for (m, block) in self.blocks().into_iter().enumerate() {
            let [out, inner] = self.weight_shape(m);
            let weight = weights.narrow(0, block.weights, out * inner)?.reshape((out, inner))?;
            let mut part = x.narrow(1, block.input, block.inputs)?.contiguous()?;
            if let Some(radial) = radial {
                let signs = block.inputs / block.radials;
                let radial = radial.narrow(1, block.radial, block.radials)?;
                part = (part * Tensor::cat(&vec![radial; signs], 1)?)?;
            }
            if m == 0 {
                let bias = weights.narrow(0, block.weights + out * inner, out)?;
                parts.push(part.matmul(&weight.t()?)?.broadcast_add(&bias)?);
            } else {
                let (real, imaginary) =
                    (weight.narrow(0, 0, out / 2)?, weight.narrow(0, out / 2, out / 2)?);
                let plus = part.narrow(1, 0, inner)?.contiguous()?;
                let minus = part.narrow(1, inner, inner)?.contiguous()?;
                parts.push((plus.matmul(&real.t()?)? - minus.matmul(&imaginary.t()?)?)?);
                parts.push((minus.matmul(&real.t()?)? + plus.matmul(&imaginary.t()?)?)?);
            }
        }
        Tensor::cat(&parts, 1)
    }

    fn check(self, x: &Shape, radial: Option<&Shape>, weights: &Shape) -> Result<usize> {
        let (edges, rows, width) = x.dims3()?;
        let count: usize = self
            .blocks()
            .iter()
            .zip(0..)
            .map(|(_, m)| self.weight_shape(m).iter().product::<usize>())
            .sum();
        let fits = rows == self.layout.rows()
            && width == self.input
            && weights.dims() == [count + self.weight_shape(0)[0]]
            && radial.is_none_or(|r| r.dims() == [edges, self.layout.pairs() * width]);
        if !fits {
            bail!("{x:?}, {radial:?} and {weights:?} do not fit {self:?}");
        }
        Ok(edges)
    }

    /// The matrix of an order, (outputs, inputs): of m > 0 the real form of the complex one.
    fn matrix(self, block: &Block, m: usize, weights: &[f32]) -> Vec<f32> {
        let [out, inner] = self.weight_shape(m);
        let weight = &weights[block.weights..block.weights + out * inner];
        if m == 0 {
            return weight.to_vec();
        }
        let half = out / 2;
        let mut matrix = vec![0.0; out * 2 * inner];
        for (row, numbers) in matrix.chunks_exact_mut(2 * inner).enumerate() {
            let (plus, minus) = numbers.split_at_mut(inner);
            let (first, second, sign) =
                if row < half { (row, half + row, -1.0) } else { (row, row - half, 1.0) };
            plus.copy_from_slice(&weight[first * inner..(first + 1) * inner]);
            minus.copy_from_slice(&weight[second * inner..(second + 1) * inner]);
            if sign < 0.0 {
                minus.iter_mut().for_each(|w| *w = -*w);
            }
        }
        matrix
    }

    /// `x` times the radial weights.
    fn scaled(self, x: &[f32], radial: Option<&[f32]>) -> Vec<f32> {
        let mut out = x.to_vec();
        if let Some(radial) = radial {
            self.scale(&mut out, radial);
        }
        out
    }

    fn scale(self, x: &mut [f32], radial: &[f32]) {
        let blocks = self.blocks();
        let (columns, factors) =
            (self.layout.rows() * self.input, self.layout.pairs() * self.input);
        x.par_chunks_mut(CHUNK * columns).zip(radial.par_chunks(CHUNK * factors)).for_each(
            |(x, r)| {
                dispatch(
                    #[inline(always)]
                    || {
                        for (x, r) in x.chunks_exact_mut(columns).zip(r.chunks_exact(factors)) {
                            for b in &blocks {
                                let r = &r[b.radial..b.radial + b.radials];
                                for x in x[b.input..b.input + b.inputs].chunks_exact_mut(b.radials)
                                {
                                    for (x, r) in x.iter_mut().zip(r) {
                                        *x *= r;
                                    }
                                }
                            }
                        }
                    },
                );
            },
        );
    }

    fn run(
        self,
        x: &[f32],
        radial: Option<&[f32]>,
        weights: &[f32],
        edges: usize,
    ) -> Result<Vec<f32>> {
        let x = CpuStorage::F32(self.scaled(x, radial));
        let (stride, columns) = (self.layout.rows() * self.input, self.columns());
        let mut y = vec![0.0; edges * columns];
        for (m, block) in self.blocks().iter().enumerate() {
            let matrix = CpuStorage::F32(self.matrix(block, m, weights));
            let matrix = Matrix::new(&matrix, [block.outputs, block.inputs]);
            let part = Matrix::part(&x, [edges, block.inputs], stride, block.input);
            let part = part.times(matrix.transposed())?;
            let bias = (m == 0).then(|| {
                let from = block.weights + block.outputs * block.inputs;
                &weights[from..from + block.outputs]
            });
            for (y, part) in y.chunks_exact_mut(columns).zip(part.chunks_exact(block.outputs)) {
                let y = &mut y[block.output..block.output + block.outputs];
                y.copy_from_slice(part);
                for (y, b) in y.iter_mut().zip(bias.into_iter().flatten()) {
                    *y += b;
                }
            }
        }
        Ok(y)
    }

    /// Gradients of features, radial weights (empty if there are none) and weights.
    fn backward(
        self,
        x: &[f32],
        radial: Option<&[f32]>,
        weights: &[f32],
        grad: &[f32],
        edges: usize,
    ) -> Result<[Vec<f32>; 3]> {
        let (stride, columns) = (self.layout.rows() * self.input, self.columns());
        let scaled = CpuStorage::F32(self.scaled(x, radial));
        let grad = CpuStorage::F32(grad.to_vec());
        let mut weights_grad = vec![0.0; weights.len()];
        let mut x_grad = vec![0.0; x.len()];
        for (m, block) in self.blocks().iter().enumerate() {
            let slope = Matrix::part(&grad, [edges, block.outputs], columns, block.output);
            let part = Matrix::part(&scaled, [edges, block.inputs], stride, block.input);
            let matrix = CpuStorage::F32(self.matrix(block, m, weights));
            let inner = slope.times(Matrix::new(&matrix, [block.outputs, block.inputs]))?;
            for (x, inner) in x_grad.chunks_exact_mut(stride).zip(inner.chunks_exact(block.inputs))
            {
                x[block.input..block.input + block.inputs].copy_from_slice(inner);
            }
            let outer = slope.transposed().times(part)?;
            self.fold(block, m, &outer, &mut weights_grad);
        }
        if let CpuStorage::F32(grad) = &grad {
            let [out, inner] = self.weight_shape(0);
            let sums = column_sums(grad, columns);
            weights_grad[out * inner..out * inner + out].copy_from_slice(&sums[..out]);
        }
        let Some(radial) = radial else { return Ok([x_grad, Vec::new(), weights_grad]) };
        let mut radial_grad = vec![0.0; radial.len()];
        let (factors, blocks) = (self.layout.pairs() * self.input, self.blocks());
        radial_grad
            .par_chunks_mut(CHUNK * factors)
            .zip(x.par_chunks(CHUNK * stride))
            .zip(x_grad.par_chunks(CHUNK * stride))
            .for_each(|((out, x), grad)| {
                dispatch(
                    #[inline(always)]
                    || {
                        let edges = x.chunks_exact(stride).zip(grad.chunks_exact(stride));
                        for (out, (x, grad)) in out.chunks_exact_mut(factors).zip(edges) {
                            for b in &blocks {
                                let out = &mut out[b.radial..b.radial + b.radials];
                                let range = b.input..b.input + b.inputs;
                                let signs = x[range.clone()].chunks_exact(b.radials);
                                for (x, grad) in signs.zip(grad[range].chunks_exact(b.radials)) {
                                    for i in 0..b.radials {
                                        out[i] += x[i] * grad[i];
                                    }
                                }
                            }
                        }
                    },
                );
            });
        self.scale(&mut x_grad, radial);
        Ok([x_grad, radial_grad, weights_grad])
    }

    /// The gradient of an order's weights from that of its matrix.
    fn fold(self, block: &Block, m: usize, outer: &[f32], weights: &mut [f32]) {
        let [out, inner] = self.weight_shape(m);
        let weight = &mut weights[block.weights..block.weights + out * inner];
        if m == 0 {
            weight.copy_from_slice(outer);
            return;
        }
        let half = out / 2;
        for (row, numbers) in outer.chunks_exact(2 * inner).enumerate() {
            let (plus, minus) = numbers.split_at(inner);
            let (first, second, sign) =
                if row < half { (row, half + row, -1.0) } else { (row, row - half, 1.0) };
            // Row + of the matrix is (real, −imaginary), row − is (imaginary, real).
            for (w, g) in weight[first * inner..(first + 1) * inner].iter_mut().zip(plus) {
                *w += g;
            }
            for (w, g) in weight[second * inner..(second + 1) * inner].iter_mut().zip(minus) {
                *w += sign * g;
            }
        }
    }
}

impl CustomOp3 for Convolution {
    fn name(&self) -> &'static str {
        "so2-convolution"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_memory: &Memory,
        radial: &CpuStorage,
        radial_memory: &Memory,
        weights: &CpuStorage,
        weights_memory: &Memory,
    ) -> Result<(CpuStorage, Shape)> {
        let shapes = [x_memory.shape(), radial_memory.shape(), weights_memory.shape()];
        let edges = self.check(shapes[0], Some(shapes[1]), shapes[2])?;
        let (x, radial) = (slice(x, x_memory)?, slice(radial, radial_memory)?);
        let y = self.run(x, Some(radial), slice(weights, weights_memory)?, edges)?;
        Ok((CpuStorage::F32(y), (edges, self.columns()).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        radial: &Tensor,
        weights: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [a, b, c] = with_slice(x, |x| {
            with_slice(radial, |r| {
                with_slice(weights, |w| {
                    with_slice(grad, |g| self.backward(x, Some(r), w, g, radial.dim(0)?))
                })
            })
        })?;
        let tensor =
            |numbers, like: &Tensor| Tensor::from_vec(numbers, like.shape(), like.device());
        Ok((Some(tensor(a, x)?), Some(tensor(b, radial)?), Some(tensor(c, weights)?)))
    }
}

impl CustomOp2 for Convolution {
    fn name(&self) -> &'static str {
        "so2-convolution-without-radial-weights"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_memory: &Memory,
        weights: &CpuStorage,
        weights_memory: &Memory,
    ) -> Result<(CpuStorage, Shape)> {
        let edges = self.check(x_memory.shape(), None, weights_memory.shape())?;
        let y = self.run(slice(x, x_memory)?, None, slice(weights, weights_memory)?, edges)?;
        Ok((CpuStorage::F32(y), (edges, self.columns()).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weights: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let edges = x.dim(0)?;
        let [a, _, c] = with_slice(x, |x| {
            with_slice(weights, |w| with_slice(grad, |g| self.backward(x, None, w, g, edges)))
        })?;
        let tensor =
            |numbers, like: &Tensor| Tensor::from_vec(numbers, like.shape(), like.device());
        Ok((Some(tensor(a, x)?), Some(tensor(c, weights)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::testing::{Probe, random};

    const SHAPE: Convolution =
        Convolution { layout: Layout { lmax: 3, mmax: 2 }, input: 6, output: 5, extra: 7 };

    fn weights() -> usize {
        let of = |m| SHAPE.weight_shape(m).iter().product::<usize>();
        (0..=2).map(of).sum::<usize>() + SHAPE.weight_shape(0)[0]
    }

    #[test]
    fn fused_and_composed_agree() {
        let inputs = [random(&[70, 14, 6], 1.0), random(&[70, 54], 1.0), random(&[weights()], 0.3)];
        Probe::new(&inputs).agree(
            |v| SHAPE.forward(&v[0], Some(&v[1]), &v[2]).unwrap(),
            |v| SHAPE.composed(&v[0], Some(&v[1]), &v[2]).unwrap(),
        );
        Probe::new(&[inputs[0].clone(), inputs[2].clone()]).agree(
            |v| SHAPE.forward(&v[0], None, &v[1]).unwrap(),
            |v| SHAPE.composed(&v[0], None, &v[1]).unwrap(),
        );
    }

    /// Turning the frame by an angle about the edge turns (+m, −m) like a complex number; the convolution keeps that.
    #[test]
    fn turning_about_the_edge_commutes() {
        let turn = |rows: &Tensor, width: usize, from: usize| -> Vec<f32> {
            let numbers = rows.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let stride = from + 14 * width;
            let mut out = numbers.clone();
            let harmonics = SHAPE.layout.harmonics();
            for (o, x) in out.chunks_exact_mut(stride).zip(numbers.chunks_exact(stride)) {
                for (row, (l, m)) in harmonics.iter().enumerate() {
                    let other = harmonics.iter().position(|h| *h == (*l, -m)).unwrap();
                    let (s, c) = (0.7 * *m as f32).sin_cos();
                    for i in 0..width {
                        let at = |r: usize| x[from + r * width + i];
                        o[from + row * width + i] = c * at(row) - s * at(other);
                    }
                }
            }
            out
        };
        let (x, w) = (random(&[4, 14, 6], 1.0), random(&[weights()], 0.3));
        let y = SHAPE.forward(&x, None, &w).unwrap();
        let turned = Tensor::from_vec(turn(&x, 6, 0), x.shape(), x.device()).unwrap();
        let ours = SHAPE.forward(&turned, None, &w).unwrap().flatten_all().unwrap();
        for (a, b) in ours.to_vec1::<f32>().unwrap().iter().zip(turn(&y, 5, 7)) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let x = random(&[3, 14, 6], 1.0);
        assert!(SHAPE.forward(&x, None, &random(&[weights() - 1], 1.0)).is_err());
        let radial = random(&[3, 53], 1.0);
        assert!(SHAPE.forward(&x, Some(&radial), &random(&[weights()], 1.0)).is_err());
    }
}
