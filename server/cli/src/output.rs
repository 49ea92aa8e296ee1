//! What every command's output has in common: exit codes, formats, stdout, complaints.

use std::io::{self, Write};

use serde::Serialize;

/// How a command ended; the number is the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Outcome {
    /// Done, nothing found.
    Clean = 0,
    /// Done, something found.
    Findings = 1,
    /// Something could not be done.
    Failed = 2,
}

/// Output formats of commands that give results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs; see `cellwright schema`.
    Json,
}

/// Writes text to stdout; colour codes are dropped where stdout is no terminal.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes one JSON document to stdout.
pub(crate) fn print_json<T: Serialize>(value: &T) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    serde_json::to_writer_pretty(&mut out, value)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Tells the user on stderr that something could not be done.
pub(crate) fn complain(message: &str) {
    // Nobody is left to tell when stderr itself is gone.
    let _ = writeln!(anstream::stderr(), "cellwright: {message}");
}

/// Tells the user on stderr how far something is.
pub(crate) fn tell(message: &str) {
    let _ = writeln!(anstream::stderr(), "{message}");
}

/// Whether an error is a reader that went away.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
            || cause
                .downcast_ref::<serde_json::Error>()
                .is_some_and(|e| e.io_error_kind() == Some(io::ErrorKind::BrokenPipe))
    })
}
