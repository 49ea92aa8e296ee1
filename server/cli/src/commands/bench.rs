//! `cellwright bench`: how fast this machine is at what users wait for.

use anyhow::Result;

use crate::output::Outcome;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Result<Outcome> {
    todo!()
}
