//! Structure prediction: crystals are looked for by what they are made of.

use anyhow::{Result, bail};
use cellwright_models::eval::csp::Report;
use cellwright_models::eval::search::Kind;

mod diffusion;
mod prototypes;
mod search;

use super::set::Set;
use crate::model::ModelArgs;
use crate::output::{Format, Outcome};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What predicts.
    #[arg(long, value_enum, default_value_t = Method::Equicsp)]
    method: Method,

    #[command(flatten)]
    diffusion: diffusion::Sampling,

    #[command(flatten)]
    prototypes: prototypes::Options,

    #[command(flatten)]
    search: search::Budget,

    #[command(flatten)]
    set: Set,

    /// Answers for each crystal; several numbers may be given: 1,20. A diffusion model takes one.
    #[arg(short = 'n', long, default_value = "1", value_delimiter = ',')]
    answers: Vec<usize>,

    /// Seed of whatever chance decides.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    #[command(flatten)]
    model: ModelArgs,

    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Method {
    /// The diffusion model EquiCSP.
    Equicsp,
    /// Known structures with other elements.
    Prototypes,
    /// Random structures, the lowest learned energies relaxed.
    Random,
    /// The same from a particle swarm.
    Swarm,
    /// The same from Bayesian optimisation.
    Bayesian,
}

pub(super) fn run(args: &Args) -> Result<Outcome> {
    let crystals = args.set.read()?;
    if args.answers.contains(&0) {
        bail!("-n 0 asks for no answer");
    }
    match args.method {
        Method::Prototypes => prototypes::run(args, &crystals),
        Method::Equicsp => diffusion::run(args, &crystals),
        Method::Random => search::run(args, Kind::Random, &crystals),
        Method::Swarm => search::run(args, Kind::Swarm, &crystals),
        Method::Bayesian => search::run(args, Kind::Bayesian, &crystals),
    }
}

/// Match rate and RMSE in words.
fn rates(report: &Report) -> String {
    let [low, high] = report.match_rate_interval.map(|x| 100.0 * x);
    let rmse = report.rmse.map_or_else(|| "none".to_owned(), |x| format!("{x:.4}"));
    let rate = 100.0 * report.match_rate;
    format!("match rate {rate:.1} % (95 % interval {low:.1} to {high:.1}), RMSE {rmse}")
}
