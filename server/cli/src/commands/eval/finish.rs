//! Whether relaxing helps to rank candidates, and by how much energies should count.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cellwright_models::Potential;
use cellwright_models::eval::finish::{Compared, Looked, compare, look};
use cellwright_models::prototypes::{Library, Provenance};
use cellwright_models::tasks::finish::{Options, Reranker};
use cellwright_models::tasks::predict::{Predictor, Prototypes};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::set::Set;
use crate::model::ModelArgs;
use crate::output::{self, Format, Outcome};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Crystals are looked for among known structures without entries of their formula, the first candidates are relaxed, and the order by
chemistry, by energy and by both are compared. The weights of the last are fitted to the other nine tenths of the questions (ten-fold
cross-validation) or, with --shipped, those that come with this program. The potential has seen structures of the Materials Project: this measures the finishing, not prediction without it.")]
pub(super) struct Args {
    #[command(flatten)]
    set: Set,

    /// Library of known structures, clean of that part; without it the one that comes with this program.
    #[arg(long, value_name = "FILE")]
    library: Option<PathBuf>,

    /// Candidates that are relaxed.
    #[arg(short = 'n', long, default_value_t = 10)]
    answers: usize,

    /// Steps that the best of them get.
    #[arg(long, default_value_t = 40)]
    steps: usize,

    /// File of the relaxed candidates, one crystal a line. Those that it has already are not done again.
    #[arg(long, value_name = "FILE")]
    records: PathBuf,

    /// File for the weights that were fitted to all questions.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Order by the weights that come with this program instead of by weights fitted to the other questions: for a set that
    /// they were not fitted to.
    #[arg(long)]
    shipped: bool,

    /// Seed of the bootstrap.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    #[command(flatten)]
    model: ModelArgs,

    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// One comparison, schema `eval` version 1.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    method: &'static str,
    dataset: &'a str,
    split: &'a str,
    library: &'a Provenance,
    crystals: usize,
    answers: usize,
    steps: usize,
    /// Whether the order by both is that of the weights that come with this program.
    shipped: bool,
    seed: u64,
    potential: cellwright_models::Provenance,
    #[serde(flatten)]
    compared: Compared,
}

pub(super) fn run(args: &Args) -> Result<Outcome> {
    let crystals = args.set.read()?;
    if args.answers == 0 {
        bail!("-n 0 asks for no candidate");
    }
    let shipped = Predictor::shipped()?;
    let prototypes = match &args.library {
        Some(path) => Prototypes {
            library: Library::open(path)?,
            ranker: shipped.prototypes().ranker.clone(),
        },
        None => shipped.prototypes().clone(),
    };
    let set = args.set.name();
    if !prototypes.library.provenance().clean_of.contains_key(&set) {
        output::complain(&format!("the library is not known to be free of the crystals of {set}"));
    }
    let potential = args.model.load()?;
    let mut known = read(&args.records)?;
    let context = || format!("{} cannot be written", args.records.display());
    let mut file = OpenOptions::new().create(true).append(true).open(&args.records);
    let bar = ProgressBar::new(crystals.len() as u64)
        .with_style(ProgressStyle::with_template("{wide_bar} {pos}/{len}, {elapsed}, {eta} left")?);
    let mut questions = Vec::with_capacity(crystals.len());
    for crystal in &crystals {
        let looked = match known.remove(&crystal.id) {
            Some(looked) => looked,
            None => {
                let options = Options { steps: args.steps };
                let mut evaluate = |structures: &[&_]| potential.evaluate(structures);
                let looked = look(&prototypes, crystal, args.answers, &options, &mut evaluate)?;
                let line = format!("{}\n", serde_json::to_string(&looked)?);
                let file =
                    file.as_mut().map_err(|e| anyhow::anyhow!("{e}")).with_context(context)?;
                file.write_all(line.as_bytes()).with_context(context)?;
                looked
            }
        };
        questions.push(looked);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let given = args.shipped.then(|| shipped.reranker()).flatten().map(Reranker::weights);
    let compared = compare(&questions, given, args.seed);
    if let Some(out) = &args.out {
        let text = format!("{}\n", serde_json::to_string_pretty(&compared.weights)?);
        std::fs::write(out, text).with_context(|| format!("cannot write {}", out.display()))?;
    }
    let answer = Answer {
        method: "finish",
        dataset: &args.set.dataset,
        split: &args.set.split,
        library: prototypes.library.provenance(),
        crystals: questions.len(),
        answers: args.answers,
        steps: args.steps,
        shipped: args.shipped,
        seed: args.seed,
        potential: potential.provenance(),
        compared,
    };
    match args.format {
        Format::Json => output::print_json(&answer)?,
        Format::Text => output::print(&render(&answer))?,
    }
    Ok(Outcome::Clean)
}

/// What was found already, by crystal.
fn read(path: &Path) -> Result<HashMap<String, Looked>> {
    if !path.exists() {
        return Ok(HashMap::new());
    }
    let context = || format!("{} cannot be read", path.display());
    let text = std::fs::read_to_string(path).with_context(context)?;
    let looked = |line: &str| serde_json::from_str::<Looked>(line).with_context(context);
    text.lines().map(|line| looked(line).map(|looked| (looked.id.clone(), looked))).collect()
}

fn render(answer: &Answer) -> String {
    let mut text = format!(
        "{} {}, {} crystals, {} candidates each, up to {} steps with {} {}\n\n",
        answer.dataset,
        answer.split,
        answer.crystals,
        answer.answers,
        answer.steps,
        answer.potential.model,
        answer.potential.version
    );
    let _ = writeln!(
        text,
        "{:<20} {:>8} {:>16} {:>8} {:>12} {:>12}",
        "order by", "match %", "95 % interval", "RMSE", "log-lik.", "calibration"
    );
    let or_dash = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{x:.4}"));
    for order in &answer.compared.orders {
        let [low, high] = order.report.match_rate_interval;
        let _ = writeln!(
            text,
            "{:<20} {:>8.1} {:>16} {:>8} {:>12} {:>12}",
            order.name,
            100.0 * order.report.match_rate,
            format!("{:.1} to {:.1}", 100.0 * low, 100.0 * high),
            or_dash(order.report.rmse),
            or_dash(order.log_likelihood),
            or_dash(order.calibration_error)
        );
    }
    let any = &answer.compared.any;
    let [low, high] = any.match_rate_interval;
    let _ = writeln!(
        text,
        "{:<20} {:>8.1} {:>16} {:>8}",
        "any of them",
        100.0 * any.match_rate,
        format!("{:.1} to {:.1}", 100.0 * low, 100.0 * high),
        or_dash(any.rmse)
    );
    let [gain, low, high] = answer.compared.gain.map(|x| 100.0 * x);
    let _ = writeln!(
        text,
        "\ngain of both over chemistry: {gain:+.1} points of match rate ({low:+.1} to {high:+.1}),"
    );
    let [gain, low, high] = answer.compared.likelihood_gain;
    let _ = writeln!(text, "{gain:+.4} of log-likelihood ({low:+.4} to {high:+.4})");
    let w = answer.compared.weights;
    let _ = writeln!(
        text,
        "weights: {:.3} ln p, {:.3} per eV/atom, {:.3} strain, {:+.3} for none",
        w.prior, w.energy, w.strain, w.none
    );
    text
}
