//! Where a changed file goes: into another file, or back into its own.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::files::{self, Input, Source};
use crate::output;

/// Targets of a command that changes files.
#[derive(Debug, clap::Args)]
pub(crate) struct WriteBack {
    /// Write the result here.
    #[arg(short, long, value_name = "FILE", conflicts_with = "in_place")]
    output: Option<PathBuf>,

    /// Write the result back into the file it came from.
    #[arg(short, long)]
    in_place: bool,
}

impl WriteBack {
    /// Writes the changed text of a file; without a target to stdout, if `print` says so, else nowhere.
    pub(crate) fn write(&self, input: &Input, text: &str, print: bool) -> Result<()> {
        match (&self.output, &input.source) {
            (Some(path), _) => files::write(path, text, input.encoding),
            (None, Source::File(path)) if self.in_place => files::write(path, text, input.encoding),
            (None, Source::Stdin) if self.in_place => {
                bail!("standard input cannot be written in place")
            }
            _ if print => Ok(output::print(text)?),
            _ => Ok(()),
        }
    }

    /// Refuses one target, or stdout if `print` says so, for several files.
    pub(crate) fn check(&self, files: usize, print: bool) -> Result<()> {
        if files > 1 && self.output.is_some() {
            bail!("--output takes one file, these are {files}: use --in-place");
        }
        if files > 1 && print && !self.in_place {
            bail!("{files} files cannot all go to stdout: use --in-place or --format json");
        }
        Ok(())
    }
}
