//! `cellwright denoise`: displaced atoms back where a model thinks they belong, in the text they came from.

use anyhow::{Result, bail};
use cellwright_crystal::Structure;
use cellwright_features::denoise::{Summary, held, moves, operations};
use cellwright_features::energy::refusal_unless_masked;
use cellwright_models::chgnet::Chgnet;
use cellwright_models::tasks::denoise::{DenoiseOptions, Denoised, Ending, denoise};
use cellwright_models::tasks::mender::Mender;
use cellwright_models::{ModelError, Potential};
use cellwright_syntax::edit::{Update, update, update_as_p1};
use cellwright_syntax::text::{TextEdit, apply_edits};
use cellwright_syntax::{Parsed, Reading};
use serde::Serialize;

use crate::files::{Input, Inputs};
use crate::model::{MenderArgs, ModelArgs};
use crate::output::{self, Format, Outcome};
use crate::write_back::WriteBack;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    inputs: Inputs,

    /// Only these sites, by label: `O1,O2` (in a POSCAR species and number within it).
    #[arg(long, value_delimiter = ',', value_name = "LABELS")]
    sites: Vec<String>,

    /// Let the symmetry go: the answer is written in P 1 with every atom listed. Without it, the declared symmetry (of a POSCAR:
    /// the symmetry found) is kept.
    #[arg(long)]
    p1: bool,

    /// Ask the model so often at most.
    #[arg(long, default_value_t = 5)]
    rounds: usize,

    /// Judge by distances alone; without it the energy of CHGNet may not rise.
    #[arg(long)]
    no_energy: bool,

    #[command(flatten)]
    mender: MenderArgs,

    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    target: WriteBack,

    /// What goes to stdout: the changed file, or numbers.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// One denoised structure, schema `denoise` version 1.
#[derive(Debug, Serialize)]
struct Answer {
    file: String,
    block: String,
    model: String,
    device: String,
    n_atoms: usize,
    rounds: usize,
    ending: Ending,
    /// How far the atoms of each row that moved moved, the furthest first.
    moves: Vec<Move>,
    /// eV/atom.
    energies: Option<Energies>,
    /// Å.
    shortest_before: f64,
    shortest_after: f64,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Move {
    site: String,
    /// Å.
    distance: f64,
}

#[derive(Debug, Serialize)]
struct Energies {
    model: String,
    before: f64,
    after: f64,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let print = args.format == Format::Text;
    args.target.check(args.inputs.sources().len(), print)?;
    let models = Models::load(args)?;
    let mut answers = Vec::new();
    let outcome = args.target.each(&args.inputs, print, |input| {
        let (own, edits) = of_file(args, input, &models)?;
        let worse = own.iter().any(|a| a.rounds == 0 && matches!(a.ending, Ending::Worse(_)));
        answers.extend(own);
        let outcome = if worse { Outcome::Findings } else { Outcome::Clean };
        Ok((apply_edits(&input.parsed.text, &edits), outcome))
    })?;
    if args.format == Format::Json {
        output::print_json(&answers)?;
    }
    Ok(outcome)
}

/// What is asked.
struct Models {
    mender: std::sync::Arc<dyn Mender>,
    potential: Option<Chgnet>,
    /// Why there is no potential.
    note: Option<String>,
}

impl Models {
    fn load(args: &Args) -> Result<Self> {
        let mender = args.mender.load(&args.model)?;
        let (potential, note) = args.model.load_if_installed(!args.no_energy)?;
        Ok(Self { mender, potential, note })
    }
}

/// Denoises every structure of a file.
fn of_file(args: &Args, input: &Input, models: &Models) -> Result<(Vec<Answer>, Vec<TextEdit>)> {
    let parsed = &input.parsed;
    if parsed.readings.is_empty() {
        bail!("no structure in this file");
    }
    let (mut answers, mut edits) = (Vec::new(), Vec::new());
    for reading in &parsed.readings {
        if let Some(reason) = refusal_unless_masked(reading) {
            bail!("{}: {reason}", reading.name);
        }
        let Some(start) = &reading.structure else { bail!("{}: no atoms are given", reading.name) };
        let done = of_reading(args, parsed, reading, start, models)?;
        let symmetric = reading.symmetry.operations.len() > 1;
        let as_p1 = args.p1 && symmetric;
        let change = if as_p1 { update_as_p1 } else { update };
        let Update { edits: own, notes } = change(parsed, reading, &done.structure)?;
        edits.extend(own);
        let answer = answer(&input.name, reading, start, done, models, notes);
        tell(reading, &answer);
        answers.push(answer);
    }
    Ok((answers, edits))
}

fn of_reading(
    args: &Args,
    parsed: &Parsed,
    reading: &Reading,
    start: &Structure,
    models: &Models,
) -> Result<Denoised> {
    let rows = (!args.sites.is_empty()).then(|| rows(reading, &args.sites)).transpose()?;
    let held = held(parsed, reading, rows.as_deref());
    let operations = operations(parsed, reading, start, &held).filter(|_| !args.p1);
    let options = DenoiseOptions { rounds: args.rounds, held, ..DenoiseOptions::default() };
    let known = start.sites.iter().all(|site| site.element.is_some());
    let missing = || ModelError::Unsupported("the potential gave no answer".to_owned());
    let mut evaluate = |structure: &Structure| match &models.potential {
        Some(potential) => potential.evaluate(&[structure]).pop().unwrap_or_else(|| Err(missing())),
        None => Err(missing()),
    };
    let ask = models.potential.is_some() && known;
    let done = denoise(
        models.mender.as_ref(),
        start,
        operations.as_deref(),
        &options,
        if ask { Some(&mut evaluate) } else { None },
        &mut |_, _| true,
    )?;
    Ok(done)
}

/// Rows by their labels.
fn rows(reading: &Reading, labels: &[String]) -> Result<Vec<usize>> {
    let mut rows = Vec::new();
    for label in labels {
        let before = rows.len();
        rows.extend((0..reading.sites.len()).filter(|i| reading.sites[*i].label == *label));
        if rows.len() == before {
            bail!("{}: there is no site '{label}'", reading.name);
        }
    }
    Ok(rows)
}

fn answer(
    file: &str,
    reading: &Reading,
    start: &Structure,
    done: Denoised,
    models: &Models,
    left: Vec<String>,
) -> Answer {
    let by = models.mender.provenance();
    let name = |p: cellwright_models::Provenance| format!("{} {}", p.model, p.version);
    let energies =
        done.energies.zip(models.potential.as_ref()).map(|((before, after), by)| Energies {
            model: name(by.provenance()),
            before: before.energy_per_atom,
            after: after.energy_per_atom,
        });
    let moves = moves(reading, start, &done.structure).into_iter();
    Answer {
        file: file.to_owned(),
        block: reading.name.clone(),
        device: by.device.clone(),
        model: name(by),
        n_atoms: start.len(),
        rounds: done.rounds,
        ending: done.ending,
        moves: moves.map(|(site, distance)| Move { site, distance }).collect(),
        energies,
        shortest_before: done.shortest.0,
        shortest_after: done.shortest.1,
        notes: models.note.iter().cloned().chain(done.notes).chain(left).collect(),
    }
}

/// For people: what moved, and what that did.
fn tell(reading: &Reading, answer: &Answer) {
    let worse = match &answer.ending {
        Ending::Worse(reason) => Some(reason.clone()),
        Ending::Settled | Ending::Rounds => None,
    };
    let summary = Summary {
        rounds: answer.rounds,
        moves: answer.moves.iter().map(|m| (m.site.clone(), m.distance)).collect(),
        energies: answer.energies.as_ref().map(|e| (e.before, e.after)),
        shortest: (answer.shortest_before, answer.shortest_after),
        worse,
    };
    output::complain(&format!("{}: {}", reading.name, summary.message()));
    for one in &answer.moves {
        output::tell(&format!("  {:<8} {:.3} Å", one.site, one.distance));
    }
    for note in &answer.notes {
        output::complain(&format!("{}: {note}", reading.name));
    }
}
