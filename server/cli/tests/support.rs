//! Running the binary.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// What a run gave.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)
}

pub(crate) fn cellwright<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Run {
    run(args, b"")
}

/// Runs the binary where no weights are installed: `dir` is an empty folder.
pub(crate) fn without_weights<S: AsRef<std::ffi::OsStr>>(dir: &Path, args: &[S]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cellwright"));
    finish(command.env("CELLWRIGHT_DATA_DIR", dir).args(args), b"")
}

/// Runs the binary with `input` on its standard input.
pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(args: &[S], input: &[u8]) -> Run {
    finish(Command::new(env!("CARGO_BIN_EXE_cellwright")).args(args), input)
}

fn finish(command: &mut Command, input: &[u8]) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || {
        // A command that reads no input closes the pipe early, which is its right.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("the binary ends");
    writer.join().expect("the writer ends");
    Run {
        code: output.status.code().expect("the binary was not killed"),
        stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
    }
}

impl Run {
    /// A run that wrote only this: one of many lines.
    pub(crate) fn with_stdout(&self, stdout: &str) -> Self {
        Self { code: self.code, stdout: stdout.to_owned(), stderr: self.stderr.clone() }
    }

    /// stdout as JSON, checked against the published schema of `command`.
    pub(crate) fn json(&self, command: &str) -> Value {
        let value: Value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}\n{}", self.stdout, self.stderr));
        let schema = cellwright(&["schema", command]);
        assert_eq!(schema.code, 0, "{}", schema.stderr);
        let schema: Value = serde_json::from_str(&schema.stdout).expect("the schema is JSON");
        let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
        let errors: Vec<_> =
            validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        value
    }
}

/// Whether the weights are there; says loudly when they are not.
#[allow(clippy::print_stderr, reason = "who runs the tests has to see what they leave out")]
pub(crate) fn installed() -> bool {
    let listed = cellwright(&["models", "list", "--format", "json"]).json("models");
    let there = listed[0]["installed"] == true;
    if !there {
        eprintln!("SKIPPED: no weights installed; run `cellwright models pull` to test energies");
    }
    there
}
