//! `cellwright predict`: structures for a composition.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use cellwright_models::tasks::predict::{Prediction, Request};
use cellwright_syntax::poscar::Mode;
use cellwright_syntax::write;
use indicatif::{ProgressBar, ProgressStyle};

use crate::model::ModelArgs;
use crate::output::{self, Outcome};

mod answer;
mod asker;
mod batch;
mod question;

use answer::Answer;
use asker::Asker;
use question::question;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A composition is a formula, alone or with settings: 'LiFePO4' or 'Li Fe P O4, Z=4, spacegroup=62, n=5'.
What stands there goes before the options. An input file has one composition a line; # starts a comment.")]
pub(crate) struct Args {
    /// Composition such as `LiFePO4`.
    #[arg(value_name = "COMPOSITION", required_unless_present = "input")]
    composition: Option<String>,

    /// Formula units in the cell, conventional or primitive, as often as the formula is written; without it, those that known
    /// structures have.
    #[arg(long, value_name = "UNITS")]
    z: Option<u32>,

    /// Only structures of this space group (number).
    #[arg(long, value_name = "NUMBER")]
    spacegroup: Option<u16>,

    /// Candidates at most.
    #[arg(short = 'n', long, default_value_t = 20)]
    answers: usize,

    /// Library of known structures; without it the one that comes with this program.
    #[arg(long, value_name = "FILE")]
    library: Option<PathBuf>,

    /// Energies of that library (`cellwright library energies`), for distances from the hull.
    #[arg(long, value_name = "FILE", requires = "library")]
    library_energies: Option<PathBuf>,

    /// Compute the energy of every candidate and its distance from the hull of known phases.
    #[arg(long)]
    energy: bool,

    /// Relax the candidates, the best of them for so many steps, the others for fewer; cell free, symmetry kept. Energies included.
    #[arg(long, value_name = "STEPS", num_args = 0..=1, default_missing_value = "40")]
    relax: Option<usize>,

    /// Add so many samples of a diffusion model; those that many others are like come first.
    #[arg(long, value_name = "N", default_value_t = 0)]
    samples: usize,

    /// Weights of the diffusion model (`cellwright train equicsp`); without it those that come with this program.
    #[arg(long, value_name = "FILE", requires = "samples")]
    diffusion: Option<PathBuf>,

    /// Add so many random structures with symmetry, which --relax sorts out. Without it as many as answers, if no known structure
    /// fits.
    #[arg(long, value_name = "N", requires = "relax")]
    starts: Option<usize>,

    /// Seed of samples and starts.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    #[command(flatten)]
    model: ModelArgs,

    /// File of compositions; answers go to --out.
    #[arg(long, value_name = "FILE", conflicts_with = "composition", requires = "out")]
    input: Option<PathBuf>,

    /// File of the answers to --input, one JSON document a line. Compositions that it has already are not done again.
    #[arg(long, value_name = "FILE", requires = "input")]
    out: Option<PathBuf>,

    /// How to show it.
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Shape {
    /// A table for people.
    Text,
    /// Every candidate as a data block.
    Cif,
    /// The likeliest candidate.
    Poscar,
    /// The answer on one line.
    Jsonl,
    /// For programs; see `cellwright schema`.
    Json,
}

/// With what tolerance (Å) the symmetry is found that a CIF states: that of the Materials Project.
pub(super) const SYMPREC: f64 = 0.1;

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let asker = Asker::new(args)?;
    if let (Some(input), Some(out)) = (&args.input, &args.out) {
        return batch::run(args, &asker, input, out);
    }
    let text = args.composition.as_deref().unwrap_or_default();
    let request = question(text, args)?;
    let bar = ProgressBar::new(1000).with_style(ProgressStyle::with_template("{wide_bar} {msg}")?);
    let prediction = asker.predict(&request, &mut |stage| {
        bar.set_position((1000.0 * stage.fraction) as u64);
        bar.set_message(stage.message.clone());
    })?;
    bar.finish_and_clear();
    for note in &prediction.notes {
        output::complain(note);
    }
    if prediction.candidates.is_empty() && args.relax.is_none() {
        output::complain("with --relax, random structures are looked through");
    }
    show(text, args, &request, &prediction, asker.potential().as_deref())?;
    Ok(if prediction.candidates.is_empty() { Outcome::Findings } else { Outcome::Clean })
}

fn show(
    text: &str,
    args: &Args,
    request: &Request,
    prediction: &Prediction,
    potential: Option<&str>,
) -> Result<()> {
    match args.format {
        Shape::Json => output::print_json(&Answer::new(text, prediction))?,
        Shape::Jsonl => output::print(&Answer::new(text, prediction).line()?)?,
        Shape::Text => output::print(&answer::table(prediction))?,
        Shape::Cif => {
            let blocks = prediction.candidates.iter().enumerate().map(|(i, candidate)| {
                let formula = candidate.structure.composition().reduced().0.formula();
                let name = format!("{formula}_{}", i + 1);
                let keep_cell = request.units.is_some();
                let text =
                    write::cif_with_symmetry(&candidate.structure, &name, SYMPREC, keep_cell);
                format!("# {}\n{text}", answer::origin(candidate, potential))
            });
            output::print(&blocks.collect::<Vec<_>>().join("\n"))?;
        }
        Shape::Poscar => {
            let Some(first) = prediction.candidates.first() else { return Ok(()) };
            let formula = first.structure.composition().reduced().0.formula();
            let comment = format!("{formula} ! {}", answer::origin(first, potential));
            output::print(&write::poscar(&first.structure, &comment, Mode::Direct)?)?;
        }
    }
    Ok(())
}

/// Lines of a file that hold something, without comments.
fn lines(path: &PathBuf) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let line = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    let lines: Vec<String> = text.lines().map(line).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() {
        bail!("{}: no composition in this file", path.display());
    }
    Ok(lines)
}
