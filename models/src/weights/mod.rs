//! Where weights live, and how those that are not ours get there.
//!
//! Data directory: `$CELLWRIGHT_DATA_DIR`, else `$XDG_DATA_HOME/cellwright`, else `~/.local/share/cellwright` (and the usual places
//! of macOS and Windows); models are in `models/<name>-<version>.safetensors` below it. Nothing here touches the network by
//! itself: [`install_from_wheel`] converts a wheel that is already on disk; [`pull`] runs the ordinary Python package client
//! to get it, and is called by nothing but the `models pull` command.

use std::path::{Path, PathBuf};

mod checkpoint;
mod install;
mod installed;
mod pull;

pub use install::install_from_wheel;
pub(crate) use install::write_atomically;
pub(crate) use installed::Installed;
pub use pull::pull;

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
    /// Keys of the dictionaries in that member that lead to its tensors.
    pub tensors: &'static [&'static str],
    /// Licence of the weights (SPDX).
    pub licence: &'static str,
}

/// Every model that can be installed.
pub const MODELS: &[ModelSpec] = &[CHGNET, SEVENNET];

/// CHGNet 0.3.0 as its authors publish it.
pub const CHGNET: ModelSpec = ModelSpec {
    name: "chgnet",
    version: "0.3.0",
    package: "chgnet==0.4.2",
    member: "chgnet/pretrained/0.3.0/chgnet_0.3.0_e29f68s314m37.pth.tar",
    sha256: "d14ab7c0f093efe64b60a7bcd540bca10e74fb7f46c86108a079af60524659d1",
    tensors: &["model", "state_dict"],
    licence: "BSD-3-Clause-LBNL",
};

/// SevenNet-0 of July 2024 as its authors publish it.
pub const SEVENNET: ModelSpec = ModelSpec {
    name: "sevennet",
    version: "0-2024.07",
    package: "sevenn==0.10.4",
    member: "sevenn/pretrained_potentials/SevenNet_0__11Jul2024/checkpoint_sevennet_0.pth",
    sha256: "7052cb42b7b3be42b40b97fa0d21077a48c54b5548948fc4dcf346629f813c36",
    tensors: &["model_state_dict"],
    licence: "GPL-3.0-only",
};

impl ModelSpec {
    /// Where the converted weights are, or would be, below the data directory `dir`.
    #[must_use]
    pub fn path(&self, dir: &Path) -> PathBuf {
        dir.join("models").join(format!("{}-{}.safetensors", self.name, self.version))
    }

    /// Whether the converted weights are in the data directory `dir`.
    #[must_use]
    pub fn is_installed(&self, dir: &Path) -> bool {
        self.path(dir).is_file()
    }
}

/// The data directory.
#[must_use]
pub fn data_dir() -> PathBuf {
    let home = std::env::home_dir().unwrap_or_default();
    let env = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    data_dir_of(&home, env)
}

/// The rule of [`data_dir`] with its surroundings as arguments.
fn data_dir_of(home: &Path, env: impl Fn(&str) -> Option<PathBuf>) -> PathBuf {
    if let Some(own) = env("CELLWRIGHT_DATA_DIR") {
        return own;
    }
    // The XDG rules tell to ignore relative paths.
    let base = env("XDG_DATA_HOME").filter(|p| p.is_absolute()).unwrap_or_else(|| {
        if cfg!(target_os = "macos") {
            home.join("Library/Application Support")
        } else if cfg!(windows) {
            env("LOCALAPPDATA").unwrap_or_else(|| home.join("AppData/Local"))
        } else {
            home.join(".local/share")
        }
    });
    base.join("cellwright")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir_with(set: &[(&str, &str)]) -> PathBuf {
        data_dir_of(Path::new("/home/mendeleev"), |name| {
            set.iter().find(|(n, _)| *n == name).map(|(_, v)| PathBuf::from(v))
        })
    }

    #[test]
    fn own_variable_beats_xdg_beats_home() {
        let own = [("CELLWRIGHT_DATA_DIR", "here"), ("XDG_DATA_HOME", "/xdg")];
        assert_eq!(dir_with(&own), PathBuf::from("here"));
        #[cfg(target_os = "linux")]
        {
            assert_eq!(dir_with(&own[1..]), PathBuf::from("/xdg/cellwright"));
            let home = PathBuf::from("/home/mendeleev/.local/share/cellwright");
            assert_eq!(dir_with(&[("XDG_DATA_HOME", "relative")]), home);
            assert_eq!(dir_with(&[]), home);
        }
    }

    #[test]
    fn file_name_carries_the_version() {
        let path = CHGNET.path(Path::new("data"));
        assert_eq!(path, PathBuf::from("data/models/chgnet-0.3.0.safetensors"));
    }
}
