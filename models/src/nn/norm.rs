//! Layer normalisation that has a gradient on every device.

use candle_core::{D, Result, Tensor};

use super::kernels::EPSILON;

/// `gain · (x − mean) / √(variance + ε) + offset` over the last dimension, composed of differentiable operations: candle's
/// fused layer normalisation silently has no gradient.
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
        let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
        let scale = (variance + f64::from(EPSILON))?.sqrt()?;
        centred.broadcast_div(&scale)?.broadcast_mul(&self.gain)?.broadcast_add(&self.offset)
    }
}
