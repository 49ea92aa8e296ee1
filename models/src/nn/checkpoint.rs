//! Weights and what belongs to them in one file, written at once or not at all.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::Device;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::parameters::Tensors;
use crate::ModelError;
use crate::weights::write_atomically;

/// Writes tensors with text beside them (safetensors).
///
/// # Errors
/// When the file cannot be written.
pub fn write(
    path: &Path,
    tensors: &Tensors,
    text: &BTreeMap<String, String>,
) -> Result<(), ModelError> {
    let text: HashMap<String, String> = text.clone().into_iter().collect();
    let bytes = safetensors::serialize(tensors, Some(text))
        .map_err(|e| ModelError::Data(format!("{} cannot be written: {e}", path.display())))?;
    write_atomically(path, &bytes)
}

/// Tensors and the text beside them.
pub type Contents = (Tensors, BTreeMap<String, String>);

/// What [`write`] wrote.
///
/// # Errors
/// When the file is not there or not of this kind.
pub fn read(path: &Path, device: &Device) -> Result<Contents, ModelError> {
    parse(&bytes(path)?, &path.display().to_string(), device)
}

/// The bytes of a file of weights.
///
/// # Errors
/// When it cannot be read.
pub fn bytes(path: &Path) -> Result<Vec<u8>, ModelError> {
    std::fs::read(path)
        .map_err(|e| ModelError::Data(format!("{} cannot be read: {e}", path.display())))
}

/// The contents of such a file, which is called `name` in messages.
///
/// # Errors
/// When they are not of this kind.
pub fn parse(bytes: &[u8], name: &str, device: &Device) -> Result<Contents, ModelError> {
    let bad = |reason: &dyn std::fmt::Display| {
        ModelError::BadWeights(format!("{name} is no file of weights: {reason}"))
    };
    let (_, header) = safetensors::SafeTensors::read_metadata(bytes).map_err(|e| bad(&e))?;
    let text = header.metadata().clone().unwrap_or_default().into_iter().collect();
    let tensors = candle_core::safetensors::load_buffer(bytes, device).map_err(|e| bad(&e))?;
    Ok((tensors.into_iter().collect(), text))
}

/// The weights of a training run with what they say of themselves, if they are of this kind.
///
/// # Errors
/// When they are damaged, of another kind, or do not say what `T` asks for.
pub fn trained<T: DeserializeOwned>(
    bytes: &[u8],
    name: &str,
    kind: &str,
    device: &Device,
) -> Result<(Tensors, T), ModelError> {
    #[derive(Deserialize)]
    struct Kind {
        kind: String,
    }
    let (weights, text) = parse(bytes, name, device)?;
    let task = text.get("task").map_or("", String::as_str);
    let unknown = |e: serde_json::Error| {
        ModelError::BadWeights(format!("{name} does not say what it is: {e}"))
    };
    let found: Kind = serde_json::from_str(task).map_err(unknown)?;
    if found.kind != kind {
        return Err(ModelError::BadWeights(format!("{name} is a model of {}", found.kind)));
    }
    Ok((weights, serde_json::from_str(task).map_err(unknown)?))
}

#[cfg(test)]
mod tests {
    use candle_core::Tensor;

    use super::*;

    #[test]
    fn there_and_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("below/w.safetensors");
        let tensors =
            Tensors::from([("a".into(), Tensor::new(&[[1.0_f32, 2.0]], &Device::Cpu).unwrap())]);
        let text = BTreeMap::from([("state".to_owned(), "{}".to_owned())]);
        write(&path, &tensors, &text).unwrap();
        let (back, with) = read(&path, &Device::Cpu).unwrap();
        assert_eq!(back["a"].to_vec2::<f32>().unwrap(), [[1.0, 2.0]]);
        assert_eq!(with, text);
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("w");
        assert!(read(&path, &Device::Cpu).unwrap_err().to_string().contains("cannot be read"));
        std::fs::write(&path, "some text that is long enough to be a header").unwrap();
        assert!(matches!(read(&path, &Device::Cpu), Err(ModelError::BadWeights(_))));
    }
}
