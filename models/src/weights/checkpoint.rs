//! Reads the tensors of a PyTorch checkpoint: a zip archive of a pickle and raw little-endian storages.
//!
//! The pickle is walked as data, with candle's machine for the opcodes; nothing in it is ever called.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use candle_core::Layout;
use candle_core::pickle::{Object, Stack};

use crate::ModelError;

/// One dense f32 tensor.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dense {
    /// Shape, outermost dimension first.
    pub(super) shape: Vec<usize>,
    /// Elements in row-major order.
    pub(super) data: Vec<f32>,
}

/// The tensors found under the nested dictionary keys `path` of a checkpoint, by name.
pub(super) fn read_tensors(
    bytes: &[u8],
    path: &[&str],
) -> Result<BTreeMap<String, Dense>, ModelError> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| bad(&e))?;
    let pickle_name = archive
        .file_names()
        .filter_map(Result::ok)
        .find(|n| n.ends_with("/data.pkl"))
        .map(std::borrow::Cow::into_owned)
        .ok_or_else(|| bad(&"no data.pkl in the archive"))?;
    let root = pickle_name.trim_end_matches("data.pkl").to_owned();

    let mut stack = Stack::empty();
    let pickle = read_member(&mut archive, &pickle_name)?;
    stack.read_loop(&mut Cursor::new(pickle)).map_err(|e| bad(&e))?;
    let mut object = stack.finalize().map_err(|e| bad(&e))?;
    for key in path {
        object = entries(object)?
            .into_iter()
            .find(|(k, _)| matches!(k, Object::Unicode(k) if k == key))
            .map(|(_, value)| value)
            .ok_or_else(|| bad(&format!("no '{key}' in it")))?;
    }

    let mut tensors = BTreeMap::new();
    for (key, value) in entries(object)? {
        let Object::Unicode(name) = key.clone() else { continue };
        let info = value.into_tensor_info(key, root.trim_end_matches('/').as_ref());
        let Some(info) = info.map_err(|e| bad(&e))? else { continue };
        if info.dtype != candle_core::DType::F32 {
            return Err(bad(&format!("'{name}' is not an f32 tensor")));
        }
        // candle names the storages `<root>/<key>`; PyTorch keeps them in `<root>/data/<key>`.
        let key = info.path.rsplit('/').next().unwrap_or_default();
        let storage = read_member(&mut archive, &format!("{root}data/{key}"))?;
        let (words, _) = storage.as_chunks::<4>();
        // In the order of the tensor's own indices: some are transposed views of what is stored.
        let data = positions(&info.layout)
            .into_iter()
            .map(|i| words.get(i).map(|w| f32::from_le_bytes(*w)))
            .collect::<Option<Vec<f32>>>()
            .ok_or_else(|| bad(&format!("the storage of '{name}' is too short")))?;
        tensors.insert(name, Dense { shape: info.layout.dims().to_vec(), data });
    }
    Ok(tensors)
}

/// Where the elements of a tensor are in its storage, in row-major order of its indices.
fn positions(layout: &Layout) -> Vec<usize> {
    let along = |starts: Vec<usize>, (count, stride): (&usize, &usize)| {
        starts.iter().flat_map(|s| (0..*count).map(move |i| s + i * stride)).collect()
    };
    layout.dims().iter().zip(layout.stride()).fold(vec![layout.start_offset()], along)
}

fn entries(object: Object) -> Result<Vec<(Object, Object)>, ModelError> {
    match object {
        Object::Dict(entries) => Ok(entries),
        // An ordered dictionary with attributes: the attributes are of no interest.
        Object::Build { callable, .. } => entries(*callable),
        _ => Err(bad(&"a dictionary was expected in the pickle")),
    }
}

fn read_member(
    archive: &mut zip::ZipArchive<Cursor<&[u8]>>,
    name: &str,
) -> Result<Vec<u8>, ModelError> {
    let mut member = archive.by_name(name).map_err(|e| bad(&format!("{name}: {e}")))?;
    let mut bytes = Vec::new();
    member.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn bad(reason: &dyn std::fmt::Display) -> ModelError {
    ModelError::BadWeights(format!("the checkpoint cannot be read: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_read_in_the_order_of_their_indices() {
        let rows = Layout::contiguous_with_offset((2, 3), 4);
        assert_eq!(positions(&rows), [4, 5, 6, 7, 8, 9]);
        assert_eq!(positions(&rows.transpose(0, 1).unwrap()), [4, 7, 5, 8, 6, 9]);
        assert_eq!(positions(&Layout::contiguous(())), [0]);
        assert!(positions(&Layout::contiguous(0)).is_empty());
    }
}
