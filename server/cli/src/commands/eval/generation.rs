//! Crystals that a diffusion model makes up.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail};
use cellwright_crystal::Structure;
use cellwright_models::data::Crystal;
use cellwright_models::equicsp::Model;
use cellwright_models::eval::Rate;
use cellwright_models::eval::generation::{Report, judge};
use cellwright_models::tasks::generate::{Order, generate};
use serde::Serialize;

use super::set::Set;
use super::table::{dash, percent};
use crate::model::ModelArgs;
use crate::output::{self, Format, Outcome};
use crate::sampling::SamplingArgs;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Valid: no distance below 0.5 Å, and charges that add up as the evaluation of CDVAE has it. Unique and new are shares of the valid ones: unlike
every earlier one, unlike every crystal of the training part of the data set. The distances are earth mover's distances between the
valid ones and the crystals of the split.")]
pub(super) struct Args {
    /// Weights of a diffusion model that chooses species (`cellwright train equicsp` with `species`).
    #[arg(long, value_name = "FILE")]
    model: PathBuf,

    #[command(flatten)]
    set: Set,

    /// How many crystals are made up.
    #[arg(short = 'n', long, default_value_t = 1000)]
    draws: usize,

    #[command(flatten)]
    sampling: SamplingArgs,

    /// Seed of the noise and of the bootstrap.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    #[command(flatten)]
    device: ModelArgs,

    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// What was measured, schema `eval-generation` version 1.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    model: String,
    dataset: &'a str,
    split: &'a str,
    /// Crystals of the split that the distributions are compared with.
    reference: usize,
    draws: usize,
    steps: usize,
    corrector: f64,
    churn: f64,
    seed: u64,
    seconds_per_crystal: f64,
    #[serde(flatten)]
    report: Report,
}

pub(super) fn run(args: &Args) -> Result<Outcome> {
    if args.draws == 0 {
        bail!("-n 0 asks for no crystal");
    }
    let model = Model::load(&args.model, &args.device.device()?)?;
    let structures = |crystals: Vec<Crystal>| -> Result<Vec<Structure>> {
        Ok(crystals.iter().map(Crystal::structure).collect::<Result<_, _>>()?)
    };
    let reference = structures(args.set.read()?)?;
    let known = structures(args.set.training()?)?;
    let sampling = args.sampling.options(args.seed);
    let start = Instant::now();
    let order = Order { crystals: args.draws, atoms: None, sampling: sampling.clone() };
    let made = generate(&model, &order, &|| false)?;
    let seconds = start.elapsed().as_secs_f64();
    let made: Vec<Structure> = made.into_iter().map(|made| made.structure).collect();
    let answer = Answer {
        model: args.model.display().to_string(),
        dataset: &args.set.dataset,
        split: &args.set.split,
        reference: reference.len(),
        draws: args.draws,
        steps: sampling.steps,
        corrector: sampling.corrector,
        churn: sampling.churn,
        seed: sampling.seed,
        seconds_per_crystal: seconds / args.draws as f64,
        report: judge(&made, &known, &reference, sampling.seed),
    };
    match args.format {
        Format::Json => output::print_json(&answer)?,
        Format::Text => output::print(&render(&answer))?,
    }
    Ok(Outcome::Clean)
}

fn render(answer: &Answer) -> String {
    let report = &answer.report;
    let share = |rate: Option<Rate>| {
        rate.map_or_else(dash, |rate| {
            let [low, high] = rate.interval.unwrap_or([rate.value; 2]).map(percent);
            format!("{} % ({low}–{high})", percent(rate.value))
        })
    };
    let distance = |x: Option<f64>| x.map_or_else(dash, |x| format!("{x:.4}"));
    format!(
        "{} crystals of {} draws, {} steps, {:.3} s each; against {} of {}/{}\n\n\
         no distance below 0.5 Å  {}\n\
         charges add up           {}\n\
         both: valid              {}\n\
         unique among valid       {}\n\
         new among valid          {}\n\
         distance of densities    {} g/cm³\n\
         distance of elements     {}\n",
        report.crystals,
        answer.draws,
        answer.steps,
        answer.seconds_per_crystal,
        answer.reference,
        answer.dataset,
        answer.split,
        share(report.structural),
        share(report.compositional),
        share(report.valid),
        share(report.unique),
        share(report.new),
        distance(report.density),
        distance(report.elements),
    )
}
