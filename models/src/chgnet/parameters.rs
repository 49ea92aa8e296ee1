//! Layers made of named tensors.

use candle_core::Tensor;

use super::config::Config;
use crate::ModelError;
use crate::nn::gated::Branch;
use crate::nn::linear::Linear;
use crate::nn::norm::LayerNorm;
use crate::weights::Installed;

/// What the weights file holds of a layer.
pub(super) trait Layers {
    /// A linear layer with a bias.
    fn linear(&mut self, name: &str, out: usize, inner: usize) -> Result<Linear, ModelError>;

    /// A linear layer without one.
    fn matrix(&mut self, name: &str, out: usize, inner: usize) -> Result<Linear, ModelError>;

    /// A layer normalisation.
    fn norm(&mut self, name: &str, width: usize) -> Result<LayerNorm, ModelError>;

    /// Core and gate of a gated perceptron `name` over `inputs` concatenated feature rows: the first layer of both as one
    /// (2 · width, inputs · width) weight with its bias, and the rest of each branch.
    ///
    /// Upstream numbers the layers inside by their place in a sequence with activations and dropouts: 0 and 3 with a hidden
    /// layer, 1 without.
    fn gated(
        &mut self,
        name: &str,
        inputs: usize,
        hidden: bool,
        config: &Config,
    ) -> Result<(Tensor, Tensor, Branch, Branch), ModelError>;
}

impl Layers for Installed {
    fn linear(&mut self, name: &str, out: usize, inner: usize) -> Result<Linear, ModelError> {
        let weight = self.take(&format!("{name}.weight"), &[out, inner])?;
        let bias = self.take(&format!("{name}.bias"), &[out])?;
        Ok(Linear::new(&weight, Some(&bias))?)
    }

    fn matrix(&mut self, name: &str, out: usize, inner: usize) -> Result<Linear, ModelError> {
        Ok(Linear::new(&self.take(&format!("{name}.weight"), &[out, inner])?, None)?)
    }

    fn norm(&mut self, name: &str, width: usize) -> Result<LayerNorm, ModelError> {
        let gain = self.take(&format!("{name}.weight"), &[width])?;
        let offset = self.take(&format!("{name}.bias"), &[width])?;
        Ok(LayerNorm { gain, offset })
    }

    fn gated(
        &mut self,
        name: &str,
        inputs: usize,
        hidden: bool,
        config: &Config,
    ) -> Result<(Tensor, Tensor, Branch, Branch), ModelError> {
        let width = config.width;
        let mut branch = |part: &str, norm: &str| {
            let layers = format!("{name}.mlp_{part}.layers");
            let first = if hidden { 0 } else { 1 };
            let weight =
                self.take(&format!("{layers}.{first}.weight"), &[width, inputs * width])?;
            let bias = self.take(&format!("{layers}.{first}.bias"), &[width])?;
            let hidden = if hidden {
                let weight = self.take(&format!("{layers}.3.weight"), &[width, width])?;
                Some((weight, self.take(&format!("{layers}.3.bias"), &[width])?))
            } else {
                None
            };
            let norm = self.norm(&format!("{name}.{norm}"), width)?;
            Ok::<_, ModelError>((weight, bias, Branch { hidden, norm }))
        };
        let (core_weight, core_bias, core) = branch("core", "bn1")?;
        let (gate_weight, gate_bias, gate) = branch("gate", "bn2")?;
        let weight = Tensor::cat(&[core_weight, gate_weight], 0)?;
        let bias = Tensor::cat(&[core_bias, gate_bias], 0)?;
        Ok((weight, bias, core, gate))
    }
}
