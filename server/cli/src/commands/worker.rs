//! `cellwright worker`: an inference worker on stdin and stdout.

use anyhow::Result;

use crate::output::Outcome;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// x
    #[arg(long)]
    stdio: bool,
}

pub(crate) fn run(_: &Args) -> Result<Outcome> {
    todo!()
}
