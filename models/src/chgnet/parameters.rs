//! The named tensors of the weights file, every one taken once and with the shape it must have.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};

use super::config::Config;
use crate::ModelError;
use crate::nn::gated::Branch;
use crate::nn::linear::Linear;
use crate::nn::norm::LayerNorm;
use crate::weights::CHGNET;

/// Tensors not yet taken.
#[derive(Debug)]
pub(super) struct Parameters {
    tensors: HashMap<String, Tensor>,
}

impl Parameters {
    /// Reads the converted weights from the data directory `dir`.
    pub(super) fn load(dir: &Path, device: &Device) -> Result<Self, ModelError> {
        let path = CHGNET.path(dir);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(ModelError::NotInstalled {
                    model: CHGNET.name.to_owned(),
                    dir: dir.to_owned(),
                });
            }
            Err(e) => return Err(e.into()),
        };
        let bad = |reason: &dyn std::fmt::Display| {
            ModelError::BadWeights(format!(
                "{} is damaged ({reason}): run `cellwright models pull` again",
                path.display()
            ))
        };
        let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).map_err(|e| bad(&e))?;
        let source = header.metadata().as_ref().and_then(|m| m.get("source_sha256"));
        if source.map(String::as_str) != Some(CHGNET.sha256) {
            return Err(bad(&"it does not come from the published checkpoint"));
        }
        let tensors = candle_core::safetensors::load_buffer(&bytes, device).map_err(|e| bad(&e))?;
        Ok(Self { tensors })
    }

    /// The tensor of this name, removed.
    pub(super) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, ModelError> {
        let tensor = self
            .tensors
            .remove(name)
            .ok_or_else(|| ModelError::BadWeights(format!("the weights have no '{name}'")))?;
        if tensor.dims() != shape {
            return Err(ModelError::BadWeights(format!(
                "'{name}' has shape {:?}, not {shape:?}",
                tensor.dims()
            )));
        }
        Ok(tensor)
    }

    /// A vector of numbers.
    pub(super) fn numbers(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f64>, ModelError> {
        let flat = self.take(name, shape)?.flatten_all()?.to_vec1::<f32>()?;
        Ok(flat.into_iter().map(f64::from).collect())
    }

    /// A linear layer with a bias.
    pub(super) fn linear(
        &mut self,
        name: &str,
        out: usize,
        inner: usize,
    ) -> Result<Linear, ModelError> {
        let weight = self.take(&format!("{name}.weight"), &[out, inner])?;
        let bias = self.take(&format!("{name}.bias"), &[out])?;
        Ok(Linear::new(&weight, Some(&bias))?)
    }

    /// A linear layer without one.
    pub(super) fn matrix(
        &mut self,
        name: &str,
        out: usize,
        inner: usize,
    ) -> Result<Linear, ModelError> {
        Ok(Linear::new(&self.take(&format!("{name}.weight"), &[out, inner])?, None)?)
    }

    /// A layer normalisation.
    pub(super) fn norm(&mut self, name: &str, width: usize) -> Result<LayerNorm, ModelError> {
        let gain = self.take(&format!("{name}.weight"), &[width])?;
        let offset = self.take(&format!("{name}.bias"), &[width])?;
        Ok(LayerNorm { gain, offset })
    }

    /// Core and gate of a gated perceptron `name` over `inputs` concatenated feature rows: the first layer of both as one
    /// (2 · width, inputs · width) weight with its bias, and the rest of each branch.
    ///
    /// Upstream numbers the layers inside by their place in a sequence with activations and dropouts: 0 and 3 with a hidden
    /// layer, 1 without.
    pub(super) fn gated(
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

    /// Fails when a tensor was not taken: then the file is of another architecture.
    pub(super) fn finish(self) -> Result<(), ModelError> {
        match self.tensors.keys().min() {
            None => Ok(()),
            Some(name) => Err(ModelError::BadWeights(format!(
                "the weights hold {} tensors more than this model, '{name}' the first",
                self.tensors.len()
            ))),
        }
    }
}
