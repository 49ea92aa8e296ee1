//! A linear layer with frozen parameters.
//!
//! candle's product computes the gradient of both factors, wanted or not; this one only that of the input, which saves a third
//! of the work of a backward pass.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Storage, Tensor, bail};

use super::storage::{is_fused, with_slice};

/// `y = x Wᵀ + b`.
#[derive(Debug, Clone)]
pub struct Linear {
    /// (out, in), contiguous.
    weight: Tensor,
    /// (out).
    bias: Option<Tensor>,
}

impl Linear {
    /// From a weight of shape (out, in) and a bias of shape (out).
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn new(weight: &Tensor, bias: Option<&Tensor>) -> Result<Self> {
        let bias = bias.map(Tensor::contiguous).transpose()?;
        Ok(Self { weight: weight.contiguous()?, bias })
    }

    /// (n, in) to (n, out).
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if is_fused(x) { x.apply_op1(self.clone()) } else { self.composed(x) }
    }

    /// The same with candle's operations.
    fn composed(&self, x: &Tensor) -> Result<Tensor> {
        let y = x.matmul(&self.weight.t()?)?;
        match &self.bias {
            Some(bias) => y.broadcast_add(bias),
            None => Ok(y),
        }
    }
}

impl CustomOp1 for Linear {
    fn name(&self) -> &'static str {
        "frozen-linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, columns) = layout.shape().dims2()?;
        let (out, inner) = self.weight.dims2()?;
        if columns != inner {
            bail!("a row of {columns} numbers meets a layer for {inner}");
        }
        let shape = Shape::from((rows, out));
        if rows == 0 {
            return Ok((CpuStorage::F32(Vec::new()), shape));
        }
        let transposed = self.weight.t()?;
        let (weight, weight_layout) = transposed.storage_and_layout();
        let Storage::Cpu(weight) = &*weight else { bail!("the weights are on another device") };
        let mut y = x.matmul(weight, (1, rows, out, inner), layout, weight_layout)?;
        if let (Some(bias), CpuStorage::F32(y)) = (&self.bias, &mut y) {
            with_slice(bias, |bias| {
                for row in y.chunks_exact_mut(out) {
                    for (y, b) in row.iter_mut().zip(bias) {
                        *y += b;
                    }
                }
                Ok(())
            })?;
        }
        Ok((y, shape))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        if x.dim(0)? == 0 {
            return Ok(Some(x.zeros_like()?));
        }
        grad.contiguous()?.matmul(&self.weight).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    #[test]
    fn fused_and_composed_agree() -> Result<()> {
        let cpu = Device::Cpu;
        let weight = Tensor::randn(0_f32, 1.0, (5, 3), &cpu)?;
        let bias = Tensor::randn(0_f32, 1.0, 5, &cpu)?;
        let x = Var::randn(0_f32, 1.0, (7, 3), &cpu)?;
        let probe = Tensor::randn(0_f32, 1.0, (7, 5), &cpu)?;
        let layer = Linear::new(&weight, Some(&bias))?;
        let pass = |y: Tensor| {
            let grads = (y.clone() * &probe)?.sum_all()?.backward()?;
            Ok::<_, candle_core::Error>((
                y.to_vec2::<f32>()?,
                grads.get(&x).unwrap().to_vec2::<f32>()?,
            ))
        };
        let (fused, composed) = (pass(layer.forward(&x)?)?, pass(layer.composed(&x)?)?);
        for (a, b) in [(fused.0, composed.0), (fused.1, composed.1)] {
            for (a, b) in a.concat().into_iter().zip(b.concat()) {
                assert!((a - b).abs() < 1e-5, "{a} {b}");
            }
        }
        Ok(())
    }

    #[test]
    fn no_rows_give_no_rows() -> Result<()> {
        let layer =
            Linear::new(&Tensor::ones((5, 3), candle_core::DType::F32, &Device::Cpu)?, None)?;
        let x = Tensor::from_vec(Vec::<f32>::new(), (0, 3), &Device::Cpu)?;
        assert_eq!(layer.forward(&x)?.dims(), [0, 5]);
        Ok(())
    }
}
