//! A diffusion model.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail};
use cellwright_crystal::Structure;
use cellwright_models::data::Crystal;
use cellwright_models::equicsp::Model;
use cellwright_models::eval::csp::{self, Report};
use cellwright_models::tasks::predict::ordered;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde::Serialize;

use super::{Args, rates};
use crate::output::{self, Format, Outcome};
use crate::sampling::SamplingArgs;

/// Crystals sampled at once.
const BATCH: usize = 128;

/// What only diffusion models need.
#[derive(Debug, clap::Args)]
pub(super) struct Sampling {
    /// Weights of the diffusion model: model.safetensors of a training run.
    #[arg(long, value_name = "FILE", required_if_eq("method", "equicsp"))]
    model: Option<PathBuf>,

    /// Draw so many samples of a diffusion model for each crystal and answer with those that most others are like; without
    /// it as many as answers, in the order in which they were drawn.
    #[arg(long, value_name = "N")]
    samples: Option<usize>,

    #[command(flatten)]
    sampling: SamplingArgs,
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

pub(super) fn run(args: &Args, crystals: &[Crystal]) -> Result<Outcome> {
    let options = &args.diffusion;
    let (Some(path), &[count]) = (&options.model, args.answers.as_slice()) else {
        bail!("a diffusion model needs --model and one number of answers");
    };
    let model = Model::load(path, &args.model.device()?)?;
    let truth = crystals.iter().map(Crystal::structure).collect::<Result<Vec<_>, _>>()?;
    let mut by_size = BTreeMap::<usize, Vec<usize>>::new();
    for (i, crystal) in crystals.iter().enumerate() {
        by_size.entry(crystal.numbers.len()).or_default().push(i);
    }
    let samples = options.samples.unwrap_or(count);
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
            let drawn = model.sample(&species, &options.sampling.options(seed), &|| false)?;
            for (i, structure) in part.iter().zip(drawn) {
                answers[*i].extend(structure);
            }
            bar.inc(part.len() as u64);
        }
        tracing::info!(sample, "sampled");
    }
    if options.samples.is_some() {
        answers = answers.into_par_iter().map(ordered).collect();
        answers.iter_mut().for_each(|list| list.truncate(count));
    }
    let closest = csp::closest(&truth, &answers);
    bar.finish_and_clear();
    let sampling = options.sampling.options(args.seed);
    let answer = Answer {
        model: path.display().to_string(),
        dataset: &args.set.dataset,
        split: &args.set.split,
        answers: count,
        samples,
        steps: sampling.steps,
        corrector: sampling.corrector,
        churn: sampling.churn,
        seed: sampling.seed,
        report: csp::report(&closest, args.seed),
        seconds_per_crystal: start.elapsed().as_secs_f64() / crystals.len() as f64,
    };
    match args.format {
        Format::Json => output::print_json(&answer)?,
        Format::Text => output::print(&format!(
            "{}, {} crystals, {count} answers from {samples} samples of {} steps:\n\
             {}, {:.2} s per crystal\n",
            args.set.name(),
            answer.report.crystals,
            sampling.steps,
            rates(&answer.report),
            answer.seconds_per_crystal
        ))?,
    }
    Ok(Outcome::Clean)
}
