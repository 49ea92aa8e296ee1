//! Tests of the project as a whole: see the test targets beside this folder.

use std::path::{Path, PathBuf};

/// Root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}
