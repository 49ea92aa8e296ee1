//! `cellwright eval`: how good a model is, measured as the field measures it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, bail};
use cellwright_crystal::Structure;
use cellwright_models::data;
use cellwright_models::device::device;
use cellwright_models::equicsp::Model;
use cellwright_models::equicsp::model::Options;
use cellwright_models::eval::csp::{self, Report};
use cellwright_models::tasks::predict::ordered;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde::Serialize;

mod finish;
mod prototypes;

use crate::files;
use crate::output::{self, Format, Outcome};

/// Crystals sampled at once.
const BATCH: usize = 128;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Structure prediction: share of crystals found from their composition, and how closely.
    Csp(Csp),
    /// Relaxing and ranking again: whether the first answer is right more often, and what weights do it best.
    Finish(finish::Args),
}

#[derive(Debug, clap::Args)]
struct Csp {
    /// What predicts.
    #[arg(long, value_enum, default_value_t = Method::Equicsp)]
    method: Method,

    /// Weights of the diffusion model: model.safetensors of a training run.
    #[arg(long, value_name = "FILE", required_if_eq("method", "equicsp"))]
    model: Option<PathBuf>,

    #[command(flatten)]
    prototypes: prototypes::Options,

    /// Data set, a folder below that of --data.
    #[arg(long)]
    dataset: String,

    /// val, to choose settings by; test, once for a finished model.
    #[arg(long, default_value = "val")]
    split: String,

    /// Folder of the data sets; without it $CELLWRIGHT_DATA, else ../shared/data.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Look for about so many crystals only: every second, every third… of the set.
    #[arg(long, value_name = "N")]
    crystals: Option<usize>,

    /// Answers for each crystal. For prototypes several numbers may be given: 1,20.
    #[arg(short = 'n', long, default_value = "1", value_delimiter = ',')]
    answers: Vec<usize>,

    /// Draw so many samples of a diffusion model for each crystal and answer with those that most others are like; without
    /// it as many as answers, in the order in which they were drawn.
    #[arg(long, value_name = "N")]
    samples: Option<usize>,

    /// Time steps of the sampler.
    #[arg(long, default_value_t = 1000)]
    steps: usize,

    /// Step length of the corrector at t = 1; 0 for none, which halves the work.
    #[arg(long, value_name = "LENGTH", default_value_t = 5e-6)]
    corrector: f64,

    /// Noise that a step adds, as a share of what the published sampler adds; with few steps less is better.
    #[arg(long, value_name = "SHARE", default_value_t = 1.0)]
    churn: f64,

    /// Seed of the noise.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// cpu or cuda; without it $CELLWRIGHT_DEVICE, else cpu.
    #[arg(long)]
    device: Option<String>,

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
}

/// One measurement of a diffusion model, schema `eval` version 1.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    model: String,
    dataset: &'a str,
    split: &'a str,
    answers: usize,
    samples: usize,
    steps: usize,
    corrector: f64,
    churn: f64,
    seed: u64,
    #[serde(flatten)]
    report: Report,
    /// Sampling and matching, for each crystal.
    seconds_per_crystal: f64,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let args = match &args.what {
        What::Csp(args) => args,
        What::Finish(args) => return finish::run(args),
    };
    let crystals = crystals(args)?;
    if args.answers.contains(&0) {
        bail!("-n 0 asks for no answer");
    }
    match (args.method, &args.model, args.answers.as_slice()) {
        (Method::Prototypes, _, _) => prototypes::run(args, &crystals),
        (Method::Equicsp, Some(path), [answers]) => diffusion(args, path, *answers, &crystals),
        (Method::Equicsp, _, _) => {
            bail!("a diffusion model needs --model and one number of answers")
        }
    }
}

/// The crystals to look for.
fn crystals(args: &Csp) -> Result<Vec<data::Crystal>> {
    let sets = files::data_sets(args.data.as_deref());
    let folder = sets.join(&args.dataset);
    if !folder.is_dir() {
        let there = names(&sets, Path::is_dir);
        bail!("there is no data set {} in {}{there}", args.dataset, sets.display());
    }
    let path = folder.join(format!("{}{SET}", args.split));
    if !path.is_file() {
        let there = names(&folder, |path| path.to_string_lossy().ends_with(SET));
        bail!("the data set {} has no split {}{there}", args.dataset, args.split);
    }
    let all = data::read(&path)?;
    let wanted = args.crystals.unwrap_or(all.len()).min(all.len());
    if wanted == 0 {
        bail!("there is nothing to look for");
    }
    let step = all.len() / wanted;
    Ok(all.into_iter().step_by(step).take(wanted).collect())
}

/// What a file of crystals is called after its split.
const SET: &str = ".jsonl.zst";

/// What is in a folder, to be told to somebody who looked for something else.
fn names(folder: &Path, wanted: impl Fn(&Path) -> bool) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
    let mut names: Vec<String> = entries
        .filter(|path| wanted(path))
        .filter_map(|path| Some(path.file_name()?.to_str()?.trim_end_matches(SET).to_owned()))
        .collect();
    names.sort();
    if names.is_empty() {
        ", which has none".to_owned()
    } else {
        format!(": it has {}", names.join(", "))
    }
}

/// A diffusion model.
fn diffusion(args: &Csp, path: &Path, count: usize, crystals: &[data::Crystal]) -> Result<Outcome> {
    let device = device(args.device.as_deref())?;
    let model = Model::load(path, &device)?;
    let truth = crystals.iter().map(data::Crystal::structure).collect::<Result<Vec<_>, _>>()?;
    let mut by_size = BTreeMap::<usize, Vec<usize>>::new();
    for (i, crystal) in crystals.iter().enumerate() {
        by_size.entry(crystal.numbers.len()).or_default().push(i);
    }
    let samples = args.samples.unwrap_or(count);
    if samples < count {
        bail!("{count} answers need as many samples at least, not {samples}");
    }
    let bar = ProgressBar::new((crystals.len() * samples) as u64)
        .with_style(ProgressStyle::with_template("{wide_bar} {pos}/{len}, {elapsed}, {eta} left")?);
    let start = Instant::now();
    let mut answers: Vec<Vec<Structure>> = vec![Vec::new(); crystals.len()];
    let mut stream = 0;
    for sample in 0..samples {
        for part in by_size.values().flat_map(|members| members.chunks(BATCH)) {
            let species: Vec<&[u8]> =
                part.iter().map(|i| crystals[*i].numbers.as_slice()).collect();
            // Every part has noise of its own, for every sample.
            let seed = args.seed.wrapping_mul(1 << 32).wrapping_add(stream);
            stream += 1;
            let options =
                Options { steps: args.steps, corrector: args.corrector, churn: args.churn, seed };
            let drawn = model.sample(&species, &options, &|| false)?;
            for (i, structure) in part.iter().zip(drawn) {
                answers[*i].extend(structure);
            }
            bar.inc(part.len() as u64);
        }
        tracing::info!(sample, "sampled");
    }
    if args.samples.is_some() {
        answers = answers.into_par_iter().map(ordered).collect();
        answers.iter_mut().for_each(|list| list.truncate(count));
    }
    let closest = csp::closest(&truth, &answers);
    bar.finish_and_clear();
    let answer = Answer {
        model: path.display().to_string(),
        dataset: &args.dataset,
        split: &args.split,
        answers: count,
        samples,
        steps: args.steps,
        corrector: args.corrector,
        churn: args.churn,
        seed: args.seed,
        report: csp::report(&closest, args.seed),
        seconds_per_crystal: start.elapsed().as_secs_f64() / crystals.len() as f64,
    };
    match args.format {
        Format::Json => output::print_json(&answer)?,
        Format::Text => {
            let Report { crystals, match_rate, match_rate_interval: [low, high], rmse, .. } =
                answer.report;
            let rmse = rmse.map_or_else(|| "none".to_owned(), |x| format!("{x:.4}"));
            output::print(&format!(
                "{} {}, {crystals} crystals, {} answers from {samples} samples of {} steps:\n\
                 match rate {:.1} % (95 % interval {:.1} to {:.1}), RMSE {rmse}, {:.2} s per crystal\n",
                args.dataset,
                args.split,
                count,
                args.steps,
                100.0 * match_rate,
                100.0 * low,
                100.0 * high,
                answer.seconds_per_crystal
            ))?;
        }
    }
    Ok(Outcome::Clean)
}
