//! Known structures as predictions.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use cellwright_models::data::Crystal;
use cellwright_models::eval::prototypes::{Measured, measure};
use cellwright_models::prototypes::ranker::Ranker;
use cellwright_models::prototypes::{Library, Provenance};
use cellwright_models::tasks::predict::{Predictor, Prototypes};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::Args;
use crate::output::{self, Format, Outcome};
use crate::plot::{self, Curve};

mod table;

/// What only prototypes need.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Library of known structures; without it the one that comes with this program.
    #[arg(long, value_name = "FILE")]
    library: Option<PathBuf>,

    /// Weights of the ranker; without them those that come with this program.
    #[arg(long, value_name = "FILE")]
    ranker: Option<PathBuf>,

    /// Rank by nothing but the difference of Mendeleev numbers.
    #[arg(long, conflicts_with = "ranker")]
    unranked: bool,

    /// What becomes of library entries with the reduced formula that is asked for: removed (prediction, not recall), kept,
    /// or both one after the other.
    #[arg(long, value_enum, default_value = "removed", value_delimiter = ',', num_args = 1..)]
    same_formula: Vec<SameFormula>,

    /// A table in Markdown.
    #[arg(long, conflicts_with = "format")]
    markdown: bool,

    /// Where to draw the match rate against the number of answers (SVG).
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

impl Options {
    /// The library.
    pub(super) fn library(&self) -> Result<Library> {
        Ok(match &self.library {
            Some(path) => Library::open(path)?,
            None => Predictor::shipped()?.prototypes().library.clone(),
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum SameFormula {
    /// The library forgets them.
    Removed,
    /// The library may know the answer.
    Kept,
}

/// One measurement of prototypes, schema `eval` version 1.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    method: &'static str,
    dataset: &'a str,
    split: &'a str,
    library: &'a Provenance,
    /// Whether the library is known to share no crystal with the set.
    clean: bool,
    ranked: bool,
    /// Learned potential that took part.
    potential: Option<&'a str>,
    with_same_formula: bool,
    crystals: usize,
    seed: u64,
    #[serde(flatten)]
    measured: Measured,
    seconds_per_crystal: f64,
}

/// Several measurements, schema `eval` version 1.
#[derive(Debug, Serialize)]
struct Answers<'a> {
    measurements: &'a [Answer<'a>],
}

pub(super) fn run(args: &Args, crystals: &[Crystal]) -> Result<Outcome> {
    let options = &args.prototypes;
    let shipped = Predictor::shipped()?;
    let library = options.library()?;
    let ranker = match &options.ranker {
        Some(path) => Some(
            Ranker::open(path).with_context(|| format!("{} gives no ranker", path.display()))?,
        ),
        None => shipped.prototypes().ranker.clone(),
    };
    let prototypes = Prototypes { library, ranker: ranker.filter(|_| !options.unranked) };
    let provenance = prototypes.library.provenance();
    let set = args.set.name();
    let mut answers = Vec::new();
    for same_formula in &options.same_formula {
        let bar = ProgressBar::new(crystals.len() as u64).with_style(ProgressStyle::with_template(
            "{wide_bar} {pos}/{len}, {elapsed}, {eta} left",
        )?);
        let start = Instant::now();
        let without = *same_formula == SameFormula::Removed;
        let measured =
            measure(&prototypes, crystals, &args.answers, without, args.seed, &|| bar.inc(1))?;
        bar.finish_and_clear();
        answers.push(Answer {
            method: "prototypes",
            dataset: &args.set.dataset,
            split: &args.set.split,
            library: provenance,
            clean: provenance.clean_of.contains_key(&set),
            ranked: prototypes.ranker.is_some(),
            potential: None,
            with_same_formula: !without,
            crystals: crystals.len(),
            seed: args.seed,
            measured,
            seconds_per_crystal: start.elapsed().as_secs_f64() / crystals.len() as f64,
        });
    }
    if let Some(path) = &options.plot {
        std::fs::write(path, draw(&set, &answers)?)
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    match (args.format, answers.as_slice()) {
        (Format::Json, [answer]) => output::print_json(answer)?,
        (Format::Json, answers) => output::print_json(&Answers { measurements: answers })?,
        (Format::Text, answers) => {
            output::print(&table::render(answers, options.markdown))?;
        }
    }
    Ok(Outcome::Clean)
}

/// Match rate against the number of answers.
fn draw(set: &str, answers: &[Answer]) -> Result<String> {
    let curves: Vec<Curve> = answers
        .iter()
        .map(|answer| Curve {
            name: if answer.with_same_formula {
                "same formula kept"
            } else {
                "same formula removed"
            },
            points: (1..)
                .map(f64::from)
                .zip(answer.measured.curve.iter().map(|r| 100.0 * r))
                .collect(),
        })
        .collect();
    let title = format!("{set}, {} crystals", answers.first().map_or(0, |a| a.crystals));
    plot::linear(&title, ["answers", "crystals found (%)"], &curves)
}
