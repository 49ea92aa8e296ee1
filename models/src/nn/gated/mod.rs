//! The gated perceptron of crystal graph networks, σ(norm(gate)) · silu(norm(core)), over rows of 64 features.
//!
//! Runs in chunks of rows that stay in the cache. Nothing but the input is kept for the backward pass, which computes the
//! chunk again: cheaper than the memory it would take.

use std::sync::Arc;

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::index::Index;
use super::kernels::{
    Affine, Row, WIDTH, dispatch, normalise_backward, sigmoid, silu, silu_with_slope, standardise,
};
use super::norm::LayerNorm;
use super::storage::{is_fused, slice, with_slice};

mod weighted;

use weighted::WeightedSum;

/// Rows of one chunk; with 64 columns their product stays below the size at which the matrix library starts threads of
/// its own.
const CHUNK: usize = 128;

/// Width of the input: core and gate side by side.
const PAIR: usize = 2 * WIDTH;

/// One branch, core or gate: an optional layer behind the activation, then a layer normalisation.
#[derive(Debug, Clone)]
pub struct Branch {
    /// Weight (64, 64) and bias (64) applied to silu(input).
    pub hidden: Option<(Tensor, Tensor)>,
    /// The normalisation.
    pub norm: LayerNorm,
}

/// A gated perceptron with frozen parameters; its first linear layer is the caller's (see [`super::gather`]).
#[derive(Debug, Clone)]
pub struct GatedMlp(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    core: Branch,
    gate: Branch,
    core_kernel: Kernel,
    gate_kernel: Kernel,
}

/// The numbers of a branch where the inner loops want them.
#[derive(Debug)]
struct Kernel {
    hidden: Option<(CpuStorage, Row)>,
    affine: Affine,
}

impl GatedMlp {
    /// From the two branches.
    ///
    /// # Errors
    /// When a parameter is not 64 wide.
    pub fn new(core: Branch, gate: Branch) -> Result<Self> {
        let (core_kernel, gate_kernel) = (Kernel::new(&core)?, Kernel::new(&gate)?);
        Ok(Self(Arc::new(Inner { core, gate, core_kernel, gate_kernel })))
    }

    /// (n, 128), core then gate, to (n, 64).
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, pair: &Tensor) -> Result<Tensor> {
        if is_fused(pair) { pair.apply_op1(Gated(self.clone())) } else { self.composed(pair) }
    }

    /// `out[o] = Σ_{r: owner[r] = o} forward(pair)[r] ⊙ weights[weight[r]]`, shape (owners, 64).
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn weighted_sum(
        &self,
        pair: &Tensor,
        weights: &Tensor,
        owner: &Arc<Index>,
        weight: &Arc<Index>,
    ) -> Result<Tensor> {
        let op =
            WeightedSum { mlp: self.clone(), owner: Arc::clone(owner), weight: Arc::clone(weight) };
        if is_fused(pair) { pair.apply_op2(weights, op) } else { op.composed(pair, weights) }
    }

    fn composed(&self, pair: &Tensor) -> Result<Tensor> {
        let branch = |branch: &Branch, from: usize| {
            let mut x = pair.narrow(1, from, WIDTH)?.contiguous()?;
            if let Some((weight, bias)) = &branch.hidden {
                x = x.silu()?.matmul(&weight.t()?)?.broadcast_add(bias)?;
            }
            branch.norm.forward(&x)
        };
        let core = branch(&self.0.core, 0)?.silu()?;
        // candle's fused sigmoid has no kernel on every device; this composition has.
        let gate = ((branch(&self.0.gate, WIDTH)?.neg()?.exp()? + 1.0)?.recip())?;
        core * gate
    }

    /// Output rows of a chunk of input rows.
    fn rows_forward(&self, pair: &[f32], out: &mut [Row]) -> Result<()> {
        let hidden = self.activate(pair, None);
        let mut core = self.0.core_kernel.before_norm(&hidden, 0)?;
        let mut gate = self.0.gate_kernel.before_norm(&hidden, WIDTH)?;
        let (a, b) = (&self.0.core_kernel.affine, &self.0.gate_kernel.affine);
        dispatch(
            #[inline(always)]
            || {
                for ((core, gate), out) in core.iter_mut().zip(&mut gate).zip(out) {
                    standardise(core);
                    standardise(gate);
                    for i in 0..WIDTH {
                        out[i] = silu(core[i] * a.gain[i] + a.offset[i])
                            * sigmoid(gate[i] * b.gain[i] + b.offset[i]);
                    }
                }
            },
        );
        Ok(())
    }

    /// For a chunk: `message` comes in as the gradient of the output rows and goes out as the output rows; the gradient of the
    /// input goes to `pair_grad`.
    fn rows_backward(
        &self,
        pair: &[f32],
        message: &mut [Row],
        pair_grad: &mut [f32],
    ) -> Result<()> {
        let mut slope = vec![0.0; pair.len()];
        let hidden = self.activate(pair, Some(&mut slope));
        let mut core = self.0.core_kernel.before_norm(&hidden, 0)?;
        let mut gate = self.0.gate_kernel.before_norm(&hidden, WIDTH)?;
        let (a, b) = (&self.0.core_kernel.affine, &self.0.gate_kernel.affine);
        dispatch(
            #[inline(always)]
            || {
                for ((core, gate), message) in core.iter_mut().zip(&mut gate).zip(message) {
                    let core_scale = standardise(core);
                    let gate_scale = standardise(gate);
                    let mut core_grad = [0.0; WIDTH];
                    let mut gate_grad = [0.0; WIDTH];
                    for i in 0..WIDTH {
                        let (value, slope) = silu_with_slope(core[i] * a.gain[i] + a.offset[i]);
                        let open = sigmoid(gate[i] * b.gain[i] + b.offset[i]);
                        core_grad[i] = message[i] * open * slope;
                        gate_grad[i] = message[i] * value * open * (1.0 - open);
                        message[i] = value * open;
                    }
                    normalise_backward(core, core_scale, &a.gain, &mut core_grad);
                    normalise_backward(gate, gate_scale, &b.gain, &mut gate_grad);
                    *core = core_grad;
                    *gate = gate_grad;
                }
            },
        );
        let core = self.0.core_kernel.behind_hidden(core)?;
        let gate = self.0.gate_kernel.behind_hidden(gate)?;
        let has_hidden = self.0.core_kernel.hidden.is_some();
        dispatch(
            #[inline(always)]
            || {
                let (grads, _) = pair_grad.as_chunks_mut::<PAIR>();
                let (slopes, _) = slope.as_chunks::<PAIR>();
                for (((grad, slope), core), gate) in
                    grads.iter_mut().zip(slopes).zip(&core).zip(&gate)
                {
                    grad[..WIDTH].copy_from_slice(core);
                    grad[WIDTH..].copy_from_slice(gate);
                    if has_hidden {
                        for i in 0..PAIR {
                            grad[i] *= slope[i];
                        }
                    }
                }
            },
        );
        Ok(())
    }

    /// silu of the input where there is a hidden layer, the input itself otherwise; the slope of it too if asked.
    fn activate(&self, pair: &[f32], slope: Option<&mut Vec<f32>>) -> CpuStorage {
        let mut hidden = pair.to_vec();
        if self.0.core_kernel.hidden.is_some() {
            match slope {
                Some(slope) => dispatch(
                    #[inline(always)]
                    || {
                        for (h, s) in hidden.iter_mut().zip(slope) {
                            (*h, *s) = silu_with_slope(*h);
                        }
                    },
                ),
                None => dispatch(
                    #[inline(always)]
                    || {
                        for h in &mut hidden {
                            *h = silu(*h);
                        }
                    },
                ),
            }
        }
        CpuStorage::F32(hidden)
    }
}

impl Kernel {
    fn new(branch: &Branch) -> Result<Self> {
        let row = |t: &Tensor| -> Result<Row> {
            let numbers = t.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.to_vec1::<f32>()?;
            Row::try_from(numbers)
                .or_else(|v| bail!("a parameter of {} is not {WIDTH} wide", v.len()))
        };
        let hidden = match &branch.hidden {
            Some((weight, bias)) => {
                let weight = weight.to_device(&Device::Cpu)?.to_dtype(DType::F32)?;
                if weight.dims() != [WIDTH, WIDTH] {
                    bail!("a hidden weight of shape {:?}", weight.dims());
                }
                Some((CpuStorage::F32(weight.flatten_all()?.to_vec1()?), row(bias)?))
            }
            None => None,
        };
        let affine = Affine { gain: row(&branch.norm.gain)?, offset: row(&branch.norm.offset)? };
        Ok(Self { hidden, affine })
    }

    /// This branch's half of the activated input (it starts at `column`), through the hidden layer if there is one.
    fn before_norm(&self, hidden: &CpuStorage, column: usize) -> Result<Vec<Row>> {
        let CpuStorage::F32(numbers) = hidden else { bail!("f32 expected") };
        let (pairs, _) = numbers.as_chunks::<PAIR>();
        let Some((weight, bias)) = &self.hidden else {
            let half = |p: &[f32; PAIR]| std::array::from_fn(|i| p[column + i]);
            return Ok(pairs.iter().map(half).collect());
        };
        let half = Layout::new(Shape::from((pairs.len(), WIDTH)), vec![PAIR, 1], column);
        let transposed = Layout::new(Shape::from((WIDTH, WIDTH)), vec![1, WIDTH], 0);
        let product = hidden.matmul(weight, (1, pairs.len(), WIDTH, WIDTH), &half, &transposed)?;
        let mut rows = into_rows(product)?;
        dispatch(
            #[inline(always)]
            || {
                for row in &mut rows {
                    for i in 0..WIDTH {
                        row[i] += bias[i];
                    }
                }
            },
        );
        Ok(rows)
    }

    /// The gradient behind the hidden layer, from the one before the normalisation.
    fn behind_hidden(&self, grad: Vec<Row>) -> Result<Vec<Row>> {
        let Some((weight, _)) = &self.hidden else { return Ok(grad) };
        let rows = grad.len();
        let grad = CpuStorage::F32(grad.into_flattened());
        let layout = Layout::contiguous((rows, WIDTH));
        let square = Layout::contiguous((WIDTH, WIDTH));
        into_rows(grad.matmul(weight, (1, rows, WIDTH, WIDTH), &layout, &square)?)
    }
}

fn into_rows(storage: CpuStorage) -> Result<Vec<Row>> {
    let CpuStorage::F32(numbers) = storage else { bail!("f32 expected") };
    Ok(numbers.as_chunks::<WIDTH>().0.to_vec())
}

fn check_pair(layout: &Layout) -> Result<usize> {
    match layout.shape().dims2()? {
        (rows, PAIR) => Ok(rows),
        (_, other) => bail!("a gated perceptron takes {PAIR} columns, not {other}"),
    }
}

#[derive(Debug)]
struct Gated(GatedMlp);

impl CustomOp1 for Gated {
    fn name(&self) -> &'static str {
        "gated"
    }

    fn cpu_fwd(&self, pair: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let rows = check_pair(layout)?;
        let mut out = vec![0.0; rows * WIDTH];
        out.par_chunks_mut(CHUNK * WIDTH)
            .zip(slice(pair, layout)?.par_chunks(CHUNK * PAIR))
            .try_for_each(|(out, pair)| self.0.rows_forward(pair, out.as_chunks_mut().0))?;
        Ok((CpuStorage::F32(out), Shape::from((rows, WIDTH))))
    }

    fn bwd(&self, pair: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let mut pair_grad = vec![0.0; pair.elem_count()];
        with_slice(pair, |pair| {
            with_slice(grad, |grad| {
                pair_grad
                    .par_chunks_mut(CHUNK * PAIR)
                    .zip(pair.par_chunks(CHUNK * PAIR))
                    .zip(grad.par_chunks(CHUNK * WIDTH))
                    .try_for_each(|((pair_grad, pair), grad)| {
                        let mut message = grad.to_vec();
                        self.0.rows_backward(pair, message.as_chunks_mut().0, pair_grad)
                    })
            })
        })?;
        Tensor::from_vec(pair_grad, pair.shape(), pair.device()).map(Some)
    }
}

#[cfg(test)]
mod tests;
