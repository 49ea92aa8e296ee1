//! `cellwright worker`: an inference worker on stdin and stdout.

use anyhow::Result;
use cellwright_worker::serve::{self, End};

use crate::output::Outcome;

#[derive(Debug, clap::Args)]
#[command(after_help = "Editors start this by themselves. It may run on another machine: with \
    `ssh host cellwright worker` as the editor's worker command, inference happens there.")]
pub(crate) struct Args {
    /// Device: `cpu`, or `cuda` in a build that has it. Without it, `CELLWRIGHT_DEVICE` or the CPU.
    #[arg(long)]
    device: Option<String>,

    /// Refuse work beyond this much memory (MiB); 0: half of the memory of this machine.
    #[arg(long, value_name = "MIB", default_value_t = 0)]
    memory_limit: u64,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    match serve::main(args.device.as_deref(), args.memory_limit << 20)? {
        End::InputClosed | End::OutputClosed => Ok(Outcome::Clean),
        End::OutOfMemory => Ok(Outcome::Failed),
    }
}
