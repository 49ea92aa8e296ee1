//! `cellwright lsp`: the language server on stdin and stdout.

use anyhow::Result;

use crate::output::Outcome;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Accepted for editors that pass it; stdin and stdout are the only way anyhow.
    #[arg(long)]
    stdio: bool,
}

pub(crate) fn run(_: &Args) -> Result<Outcome> {
    todo!()
}
