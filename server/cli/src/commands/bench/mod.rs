//! `cellwright bench`: how fast this machine is at what users wait for.

use anyhow::Result;
use clap::Subcommand;

use crate::output::Outcome;

mod client;
mod documents;
mod lsp;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Time from a key press to its diagnostics, over the real protocol.
    Lsp(lsp::Args),
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    match &args.what {
        What::Lsp(args) => lsp::run(args),
    }
}
