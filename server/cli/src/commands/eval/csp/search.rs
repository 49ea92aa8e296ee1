//! Search by learned energy, without templates: the baseline that every other way has to beat.

use std::time::Instant;

use anyhow::Result;
use cellwright_models::data::Crystal;
use cellwright_models::eval::csp::{self, Report};
use cellwright_models::eval::search::{Kind, Plan, look};
use cellwright_models::{Potential, Provenance};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{Args, rates};
use crate::output::{self, Format, Outcome};

/// What only searches need.
#[derive(Debug, clap::Args)]
pub(super) struct Budget {
    /// Structures of a search whose energy is asked for.
    #[arg(long, value_name = "N", default_value_t = 200)]
    evaluations: usize,

    /// Different ones among the best of them that are relaxed.
    #[arg(long, value_name = "N", default_value_t = 8)]
    relaxed: usize,

    /// Steps that the best of these get.
    #[arg(long, value_name = "N", default_value_t = 40)]
    relax: usize,
}

/// One measurement of a search, schema `eval` version 1.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    method: &'static str,
    dataset: &'a str,
    split: &'a str,
    /// Whose energies; it may have seen the crystals.
    potential: Provenance,
    /// What the expected volumes come from.
    library: &'a cellwright_models::prototypes::Provenance,
    evaluations: usize,
    relaxed: usize,
    steps: usize,
    seed: u64,
    rows: Vec<Row>,
    seconds_per_crystal: f64,
}

#[derive(Debug, Serialize)]
struct Row {
    answers: usize,
    #[serde(flatten)]
    report: Report,
}

pub(super) fn run(args: &Args, kind: Kind, crystals: &[Crystal]) -> Result<Outcome> {
    let options = &args.search;
    let library = args.prototypes.library()?;
    let potential = args.model.load()?;
    let truth = crystals.iter().map(Crystal::structure).collect::<Result<Vec<_>, _>>()?;
    let bar = ProgressBar::new(crystals.len() as u64)
        .with_style(ProgressStyle::with_template("{wide_bar} {pos}/{len}, {elapsed}, {eta} left")?);
    let start = Instant::now();
    let mut found = Vec::with_capacity(crystals.len());
    for (i, crystal) in crystals.iter().enumerate() {
        let plan = Plan {
            kind,
            evaluations: options.evaluations,
            relaxed: options.relaxed,
            steps: options.relax,
            seed: args.seed.wrapping_mul(1 << 32).wrapping_add(i as u64),
        };
        found.push(look(&library, crystal, &plan, &mut |s| potential.evaluate(s))?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let row = |&answers: &usize| {
        let first = |list: &Vec<_>| list.iter().take(answers).cloned().collect();
        let answered: Vec<Vec<_>> = found.iter().map(first).collect();
        Row { answers, report: csp::report(&csp::closest(&truth, &answered), args.seed) }
    };
    let answer = Answer {
        method: match kind {
            Kind::Random => "random",
            Kind::Swarm => "swarm",
            Kind::Bayesian => "bayesian",
        },
        dataset: &args.set.dataset,
        split: &args.set.split,
        potential: potential.provenance(),
        library: library.provenance(),
        evaluations: options.evaluations,
        relaxed: options.relaxed,
        steps: options.relax,
        seed: args.seed,
        rows: args.answers.iter().map(row).collect(),
        seconds_per_crystal: start.elapsed().as_secs_f64() / crystals.len() as f64,
    };
    match args.format {
        Format::Json => output::print_json(&answer)?,
        Format::Text => output::print(&render(&answer, &args.set.name(), crystals.len()))?,
    }
    Ok(Outcome::Clean)
}

fn render(answer: &Answer, set: &str, crystals: usize) -> String {
    let mut text = format!(
        "{set}, {crystals} crystals, {} search, {} energies, {} relaxed up to {} steps by {} {}:\n",
        answer.method,
        answer.evaluations,
        answer.relaxed,
        answer.steps,
        answer.potential.model,
        answer.potential.version
    );
    for row in &answer.rows {
        text.push_str(&format!("n = {}: {}\n", row.answers, rates(&row.report)));
    }
    text.push_str(&format!("{:.2} s per crystal\n", answer.seconds_per_crystal));
    text
}
