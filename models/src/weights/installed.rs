//! The named tensors of installed weights, every one taken once and with the shape it must have.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};

use super::ModelSpec;
use crate::ModelError;

/// Tensors not yet taken.
#[derive(Debug)]
pub(crate) struct Installed {
    tensors: HashMap<String, Tensor>,
}

impl Installed {
    /// Reads the converted weights of a model from the data directory `dir`.
    pub(crate) fn open(spec: &ModelSpec, dir: &Path, device: &Device) -> Result<Self, ModelError> {
        let path = spec.path(dir);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(ModelError::NotInstalled {
                    model: spec.name.to_owned(),
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
        if source.map(String::as_str) != Some(spec.sha256) {
            return Err(bad(&"it does not come from the published checkpoint"));
        }
        let tensors = candle_core::safetensors::load_buffer(&bytes, device).map_err(|e| bad(&e))?;
        Ok(Self { tensors })
    }

    /// The tensor of this name, removed.
    pub(crate) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, ModelError> {
        shaped(name, self.tensors.remove(name).as_ref(), shape)
    }

    /// The numbers of a tensor that stays.
    pub(crate) fn peek(&self, name: &str, shape: &[usize]) -> Result<Vec<f64>, ModelError> {
        numbers(&shaped(name, self.tensors.get(name), shape)?)
    }

    /// A vector of numbers.
    pub(crate) fn numbers(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f64>, ModelError> {
        numbers(&self.take(name, shape)?)
    }

    /// Leaves out what a file holds beside its parameters.
    pub(crate) fn ignore(&mut self, which: impl Fn(&str) -> bool) {
        self.tensors.retain(|name, _| !which(name));
    }

    /// Fails when a tensor was not taken: then the file is of another architecture.
    pub(crate) fn finish(self) -> Result<(), ModelError> {
        match self.tensors.keys().min() {
            None => Ok(()),
            Some(name) => Err(ModelError::BadWeights(format!(
                "the weights hold {} tensors more than this model, '{name}' the first",
                self.tensors.len()
            ))),
        }
    }
}

fn shaped(name: &str, tensor: Option<&Tensor>, shape: &[usize]) -> Result<Tensor, ModelError> {
    let tensor =
        tensor.ok_or_else(|| ModelError::BadWeights(format!("the weights have no '{name}'")))?;
    if tensor.dims() != shape {
        return Err(ModelError::BadWeights(format!(
            "'{name}' has shape {:?}, not {shape:?}",
            tensor.dims()
        )));
    }
    Ok(tensor.clone())
}

fn numbers(tensor: &Tensor) -> Result<Vec<f64>, ModelError> {
    let flat = tensor.flatten_all()?.to_vec1::<f32>()?;
    Ok(flat.into_iter().map(f64::from).collect())
}
