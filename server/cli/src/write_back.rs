//! Where a changed file goes: into another file, or back into its own.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::files::{self, Input, Inputs, Source};
use crate::output::{self, Outcome};

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
    fn write(&self, input: &Input, text: &str, print: bool) -> Result<()> {
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

    /// Changes every file: `change` gives the new text. What cannot be read or changed is told and does not stop the others.
    pub(crate) fn each(
        &self,
        inputs: &Inputs,
        print: bool,
        mut change: impl FnMut(&Input) -> Result<(String, Outcome)>,
    ) -> Result<Outcome> {
        let mut outcome = Outcome::Clean;
        for input in inputs.read_all() {
            let input = match input {
                Ok(input) => input,
                Err(unreadable) => {
                    output::complain(&unreadable.to_string());
                    outcome = Outcome::Failed;
                    continue;
                }
            };
            match change(&input) {
                Ok((text, own)) => {
                    self.write(&input, &text, print)?;
                    outcome = outcome.max(own);
                }
                Err(reason) => {
                    output::complain(&format!("{}: {reason:#}", input.name));
                    outcome = Outcome::Failed;
                }
            }
        }
        Ok(outcome)
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
