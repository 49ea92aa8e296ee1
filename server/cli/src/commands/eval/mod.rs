//! `cellwright eval`: how good a model is, measured as the field measures it.

use anyhow::Result;
use clap::Subcommand;

mod csp;
mod finish;
mod generation;
mod set;
mod ssl;
mod table;

use crate::output::Outcome;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Structure prediction: share of crystals found from their composition, and how closely.
    Csp(csp::Args),
    /// Relaxing and ranking again: whether the first answer is right more often, and what weights do it best.
    Finish(finish::Args),
    /// Crystals that a diffusion model makes up: how many are valid, unique and new, and how like those of a set they are.
    Generation(generation::Args),
    /// Completing masked sites and putting atoms back: how much of what was taken away comes back.
    Ssl(ssl::Args),
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    match &args.what {
        What::Csp(args) => csp::run(args),
        What::Finish(args) => finish::run(args),
        What::Generation(args) => generation::run(args),
        What::Ssl(args) => ssl::run(args),
    }
}
