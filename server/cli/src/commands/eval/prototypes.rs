//! Known structures as predictions.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use cellwright_models::data::Crystal;
use cellwright_models::eval::prototypes::{Measured, measure};
use cellwright_models::prototypes::ranker::Ranker;
use cellwright_models::prototypes::{Library, Provenance};
use cellwright_models::tasks::predict::{Predictor, Prototypes};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::Csp;
use crate::output::{self, Format, Outcome};

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

    /// Let the library know crystals of the formula that is asked for. Without it every entry with the same reduced
    /// formula is left out: prediction, not recall.
    #[arg(long)]
    with_same_formula: bool,

    /// A table in Markdown.
    #[arg(long, conflicts_with = "format")]
    markdown: bool,
}

/// One measurement of prototypes, schema `eval` version 1.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    method: &'static str,
    dataset: &'a str,
    split: &'a str,
    library: &'a Provenance,
    ranked: bool,
    with_same_formula: bool,
    crystals: usize,
    seed: u64,
    #[serde(flatten)]
    measured: Measured,
    seconds_per_crystal: f64,
}

pub(super) fn run(args: &Csp, crystals: &[Crystal]) -> Result<Outcome> {
    let options = &args.prototypes;
    let shipped = Predictor::shipped()?;
    let library = match &options.library {
        Some(path) => Library::open(path)?,
        None => shipped.prototypes().library.clone(),
    };
    let ranker = match &options.ranker {
        Some(path) => Some(Ranker::open(path)?),
        None => shipped.prototypes().ranker.clone(),
    };
    let prototypes = Prototypes { library, ranker: ranker.filter(|_| !options.unranked) };
    let bar = ProgressBar::new(crystals.len() as u64)
        .with_style(ProgressStyle::with_template("{wide_bar} {pos}/{len}, {elapsed}, {eta} left")?);
    let start = Instant::now();
    let without = !options.with_same_formula;
    let measured =
        measure(&prototypes, crystals, &args.answers, without, args.seed, &|| bar.inc(1))?;
    bar.finish_and_clear();
    let answer = Answer {
        method: "prototypes",
        dataset: &args.dataset,
        split: &args.split,
        library: prototypes.library.provenance(),
        ranked: prototypes.ranker.is_some(),
        with_same_formula: options.with_same_formula,
        crystals: crystals.len(),
        seed: args.seed,
        measured,
        seconds_per_crystal: start.elapsed().as_secs_f64() / crystals.len() as f64,
    };
    match args.format {
        Format::Json => output::print_json(&answer)?,
        Format::Text => output::print(&render(&answer, options.markdown))?,
    }
    Ok(Outcome::Clean)
}

fn render(answer: &Answer, markdown: bool) -> String {
    let mut text = String::new();
    let sets: Vec<&str> = answer.library.data.keys().map(String::as_str).collect();
    let measured = &answer.measured;
    let percent = |x: f64| format!("{:.1}", 100.0 * x);
    let set = format!("{}/{}", answer.dataset, answer.split);
    if !answer.library.clean_of.contains_key(&set) {
        let _ = writeln!(text, "The library is not known to be free of the crystals of {set}.");
    }
    let _ = writeln!(
        text,
        "{} {}, {} crystals, library {}, {}, entries of the same formula {}\n",
        answer.dataset,
        answer.split,
        answer.crystals,
        sets.join(" + "),
        if answer.ranked { "ranked" } else { "nearest in Mendeleev number first" },
        if answer.with_same_formula { "kept" } else { "removed" }
    );
    let table = |text: &mut String, rows: &[Vec<String>]| {
        for (i, row) in rows.iter().enumerate() {
            if markdown {
                let _ = writeln!(text, "| {} |", row.join(" | "));
                if i == 0 {
                    let _ = writeln!(text, "|{}", "---|".repeat(row.len()));
                }
            } else {
                let cells: Vec<String> = row.iter().map(|cell| format!("{cell:>18}")).collect();
                let _ = writeln!(text, "{}", cells.join(" "));
            }
        }
    };
    let head = ["answers", "match %", "95 % interval", "RMSE", "METRe %", "cRMSE"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for row in &measured.rows {
        let [low, high] = row.report.match_rate_interval;
        rows.push(vec![
            row.answers.to_string(),
            percent(row.report.match_rate),
            format!("{} to {}", percent(low), percent(high)),
            row.report.rmse.map_or_else(|| "–".to_owned(), |x| format!("{x:.4}")),
            percent(row.metre),
            format!("{:.4}", row.crmse),
        ]);
    }
    table(&mut text, &rows);
    text.push('\n');
    let mut head = vec!["part".to_owned(), "crystals".to_owned()];
    head.extend(measured.rows.iter().map(|row| format!("match % of {}", row.answers)));
    let mut rows = vec![head];
    for part in &measured.parts {
        let mut row = vec![part.name.clone(), part.crystals.to_string()];
        row.extend(part.match_rates.iter().map(|rate| percent(*rate)));
        rows.push(row);
    }
    table(&mut text, &rows);
    let _ = writeln!(
        text,
        "\n{} without any answer; {} share their formula with another; {:.1} ms per crystal",
        measured.unanswered,
        measured.polymorphs,
        1e3 * answer.seconds_per_crystal
    );
    if let Some((error, mean)) = measured.calibration_error.zip(measured.mean_probability) {
        let _ = writeln!(
            text,
            "expected calibration error of the first answer {error:.3}, its mean probability {mean:.3}"
        );
    }
    text
}
