//! What a backward pass says of a variable.

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};

/// The gradient of a variable; zero when the energy does not depend on it, as without any angle.
pub(crate) fn gradient(grads: &GradStore, var: &Var) -> Result<Vec<f32>> {
    match grads.get(var) {
        Some(gradient) => Tensor::flatten_all(gradient)?.to_vec1(),
        None => Ok(vec![0.0; var.elem_count()]),
    }
}
