//! `cellwright check`: every diagnostic over files, folders or standard input.

use std::time::Duration;

use anyhow::Result;
use cellwright_checks::{Finding, Severity, Tolerances, check};
use indicatif::{ParallelProgressIterator, ProgressBar, ProgressStyle};
use rayon::prelude::*;

use crate::files::{Input, Inputs, Source, Unreadable};
use crate::output::{self, Outcome};
use crate::report;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    inputs: Inputs,

    /// How to show the findings.
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    format: CheckFormat,

    /// Exit with 1 from this severity on; lesser findings are shown but forgiven.
    #[arg(long, value_enum, default_value_t = FailOn::Warning)]
    fail_on: FailOn,

    /// Distance in Å below which two atoms are an error.
    #[arg(long, value_name = "Å", default_value_t = Tolerances::default().distance_error)]
    distance_error: f64,

    /// Share of the sum of covalent radii below which two atoms are a warning.
    #[arg(long, value_name = "SHARE", default_value_t = Tolerances::default().distance_warning)]
    distance_warning: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum CheckFormat {
    /// For people: each finding under its line.
    Text,
    /// For programs; see `cellwright schema check`.
    Json,
    /// SARIF 2.1.0, for code-scanning services.
    Sarif,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Information,
    Hint,
}

impl FailOn {
    fn covers(self, severity: Severity) -> bool {
        let limit = match self {
            Self::Error => Severity::Error,
            Self::Warning => Severity::Warning,
            Self::Information => Severity::Information,
            Self::Hint => Severity::Hint,
        };
        severity <= limit
    }
}

/// What one file gave, already in the shape it is shown in: the texts of a large folder are not kept.
#[derive(Debug, Default)]
struct Checked {
    text: String,
    json: Vec<report::JsonFinding>,
    sarif: Vec<serde_json::Value>,
    errors: usize,
    warnings: usize,
    notes: usize,
    failing: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let sources = args.inputs.sources();
    let bar = progress(sources.len());
    let results: Vec<Result<Checked, Unreadable>> = sources
        .into_par_iter()
        .progress_with(bar.clone())
        .map(|source| check_one(args, &source?))
        .collect();
    bar.finish_and_clear();

    let (checked, unreadable): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    let checked: Vec<Checked> = checked.into_iter().filter_map(Result::ok).collect();
    let unreadable: Vec<Unreadable> = unreadable.into_iter().filter_map(Result::err).collect();
    for file in &unreadable {
        output::complain(&file.to_string());
    }
    let failing = checked.iter().any(|c| c.failing);
    match args.format {
        CheckFormat::Text => output::print(&summary(&checked, unreadable.len()))?,
        CheckFormat::Json => {
            output::print_json(&checked.iter().flat_map(|c| &c.json).collect::<Vec<_>>())?;
        }
        CheckFormat::Sarif => {
            let results: Vec<_> = checked.into_iter().flat_map(|c| c.sarif).collect();
            output::print_json(&report::sarif(&results, &unreadable))?;
        }
    }
    Ok(match (unreadable.is_empty(), failing) {
        (false, _) => Outcome::Failed,
        (true, true) => Outcome::Findings,
        (true, false) => Outcome::Clean,
    })
}

fn check_one(args: &Args, source: &Source) -> Result<Checked, Unreadable> {
    let input: Input = args.inputs.read(source)?;
    let tolerances =
        Tolerances { distance_error: args.distance_error, distance_warning: args.distance_warning };
    let findings = check(&input.parsed, &tolerances);
    let count =
        |wanted: fn(Severity) -> bool| findings.iter().filter(|f| wanted(f.severity)).count();
    let mut checked = Checked {
        errors: count(|s| s == Severity::Error),
        warnings: count(|s| s == Severity::Warning),
        notes: count(|s| s > Severity::Warning),
        failing: findings.iter().any(|f| args.fail_on.covers(f.severity)),
        ..Checked::default()
    };
    shape(args.format, &input, &findings, &mut checked);
    Ok(checked)
}

fn shape(format: CheckFormat, input: &Input, findings: &[Finding], checked: &mut Checked) {
    match format {
        CheckFormat::Text => checked.text = report::text(input, findings),
        CheckFormat::Json => checked.json = report::json(input, findings),
        CheckFormat::Sarif => checked.sarif = report::sarif_results(input, findings),
    }
}

fn summary(checked: &[Checked], unreadable: usize) -> String {
    let mut out: String = checked.iter().map(|c| c.text.as_str()).collect();
    let sum = |of: fn(&Checked) -> usize| checked.iter().map(of).sum::<usize>();
    let (errors, warnings, notes) = (sum(|c| c.errors), sum(|c| c.warnings), sum(|c| c.notes));
    let unread = if unreadable > 0 { format!(", {unreadable} unreadable") } else { String::new() };
    out.push_str(&format!(
        "{} checked{unread}: {}, {}, {}\n",
        plural(checked.len(), "file"),
        plural(errors, "error"),
        plural(warnings, "warning"),
        plural(notes, "note"),
    ));
    out
}

fn plural(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// A bar on stderr that shows itself only when the work takes long.
fn progress(files: usize) -> ProgressBar {
    if files < 20 {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(files as u64).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
