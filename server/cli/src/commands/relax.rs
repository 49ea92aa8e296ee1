//! `cellwright relax`: the structure at the nearest minimum of the learned energy, back in its own text.

use std::ops::ControlFlow;

use anyhow::{Result, bail};
use cellwright_crystal::symmetry::{self, Operation};
use cellwright_crystal::{Element, Structure};
use cellwright_features::relax::{self as features, Way};
use cellwright_models::tasks::relax::{Frame, Optimizer, RelaxOptions, Relaxed, relax};
use cellwright_models::{Evaluation, Potential, Provenance};
use cellwright_syntax::edit::Update;
use cellwright_syntax::text::apply_edits;
use cellwright_syntax::{Language, Reading};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::files::{Input, Inputs};
use crate::model::{ModelArgs, ordered};
use crate::output::{self, Format, Outcome};
use crate::write_back::WriteBack;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    inputs: Inputs,

    #[command(flatten)]
    model: ModelArgs,

    /// Relax the cell too, not the positions alone.
    #[arg(long)]
    cell: bool,

    /// Let the symmetry go: the answer is written in P 1 with every atom listed. Without it, the
    /// declared symmetry (of a POSCAR: the symmetry found) is kept.
    #[arg(long)]
    p1: bool,

    /// Largest force in eV/Å that counts as relaxed.
    #[arg(long, value_name = "eV/Å", default_value_t = 0.05)]
    fmax: f64,

    /// Stop after this many steps.
    #[arg(long, default_value_t = 500)]
    steps: usize,

    /// Minimiser.
    #[arg(long, value_enum, default_value_t = OptimizerArg::Fire)]
    optimizer: OptimizerArg,

    #[command(flatten)]
    target: WriteBack,

    /// What goes to stdout: the relaxed file, or numbers.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OptimizerArg {
    /// Fast inertial relaxation engine.
    Fire,
    /// Limited-memory BFGS.
    Lbfgs,
}

/// One relaxation, schema `relax` version 1.
#[derive(Debug, Serialize)]
struct Answer {
    file: String,
    block: String,
    model: String,
    device: String,
    n_atoms: usize,
    steps: usize,
    converged: bool,
    /// Atoms that selective dynamics holds, if only along some axes.
    held_atoms: usize,
    initial: State,
    last: State,
    /// Species of every atom.
    species: Vec<&'static str>,
    cautions: Vec<String>,
    /// What in the file no longer fits the new structure.
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct State {
    /// eV/atom.
    energy_per_atom: f64,
    /// eV/Å, less what pulls at held coordinates.
    max_force: f64,
    /// Å³.
    volume: f64,
    /// Row vectors, Å.
    lattice: [[f64; 3]; 3],
    frac: Vec<[f64; 3]>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let print = args.format == Format::Text;
    args.target.check(args.inputs.sources().len(), print)?;
    let potential = args.model.load()?;
    let mut answers = Vec::new();
    let outcome = args.target.each(&args.inputs, print, |input| {
        let (text, own) = relax_file(args, input, &potential)?;
        answers.extend(own);
        Ok((text, Outcome::Clean))
    })?;
    if args.format == Format::Json {
        output::print_json(&answers)?;
    }
    Ok(outcome)
}

/// Relaxes every structure of a file and puts the answers into its text.
fn relax_file(
    args: &Args,
    input: &Input,
    potential: &dyn Potential,
) -> Result<(String, Vec<Answer>)> {
    let readings = &input.parsed.readings;
    if readings.is_empty() {
        bail!("no structure in this file");
    }
    let mut edits = Vec::new();
    let mut answers = Vec::new();
    for reading in readings {
        let start = ordered(reading).map_err(anyhow::Error::msg)?;
        // Who holds atoms wants them where they are, not where a symmetry would have them.
        let held = features::held(&input.parsed);
        let operations =
            if held.is_empty() { operations(args, input, reading, start) } else { None };
        let held_atoms = held.iter().filter(|flags| flags.contains(&true)).count();
        let relaxed = run_one(args, &reading.name, start, operations.as_deref(), held, potential)?;
        let way = Way { cell: args.cell, keep_symmetry: !args.p1 };
        let Update { edits: own, notes } =
            features::edits(&input.parsed, reading, &relaxed.structure, way)?;
        for note in &notes {
            output::complain(&format!("{}: {note}", reading.name));
        }
        edits.extend(own);
        let answer = answer(&input.name, reading, &potential.provenance(), start, &relaxed);
        answers.push(Answer { held_atoms, notes, ..answer });
    }
    Ok((apply_edits(&input.parsed.text, &edits), answers))
}

/// The operations to keep: those of the file; a POSCAR states none, so those that are found.
fn operations(
    args: &Args,
    input: &Input,
    reading: &Reading,
    structure: &Structure,
) -> Option<Vec<Operation>> {
    if args.p1 {
        return None;
    }
    match input.parsed.language() {
        Language::Cif => Some(reading.symmetry.operations.clone()),
        Language::Poscar => symmetry::detect(structure, 0.01).ok().map(|found| found.operations),
    }
}

fn run_one(
    args: &Args,
    name: &str,
    start: &Structure,
    operations: Option<&[Operation]>,
    held: Vec<[bool; 3]>,
    potential: &dyn Potential,
) -> Result<Relaxed> {
    let optimizer = match args.optimizer {
        OptimizerArg::Fire => Optimizer::Fire,
        OptimizerArg::Lbfgs => Optimizer::Lbfgs,
    };
    let options = RelaxOptions {
        optimizer,
        cell: args.cell,
        force_tolerance: args.fmax,
        max_steps: args.steps,
        held,
    };
    let style = ProgressStyle::with_template("{prefix}: step {pos}, {msg}, {elapsed}")?;
    let bar = ProgressBar::new(args.steps as u64).with_style(style).with_prefix(name.to_owned());
    let mut on_frame = |frame: &Frame<'_>| {
        bar.set_position(frame.step as u64);
        bar.set_message(format!(
            "{:.4} eV/atom, max |F| {:.3} eV/Å",
            frame.evaluation.energy_per_atom, frame.max_force
        ));
        ControlFlow::Continue(())
    };
    let held = features::held_words(&options.held);
    let relaxed = relax(potential, start, operations, &options, &mut on_frame)?;
    bar.finish_and_clear();
    let end = if relaxed.converged { "relaxed" } else { "NOT relaxed" };
    output::complain(&format!(
        "{name}: {end} after {} steps{held}, {:.4} → {:.4} eV/atom, max |F| {:.3} → {:.3} eV/Å",
        relaxed.steps,
        relaxed.initial.energy_per_atom,
        relaxed.last.energy_per_atom,
        relaxed.initial_force,
        relaxed.last_force,
    ));
    Ok(relaxed)
}

fn answer(
    file: &str,
    reading: &Reading,
    provenance: &Provenance,
    start: &Structure,
    relaxed: &Relaxed,
) -> Answer {
    let symbol = |e: Option<Element>| e.map_or("?", Element::symbol);
    Answer {
        file: file.to_owned(),
        block: reading.name.clone(),
        model: format!("{} {}", provenance.model, provenance.version),
        device: provenance.device.clone(),
        n_atoms: start.len(),
        steps: relaxed.steps,
        converged: relaxed.converged,
        held_atoms: 0,
        initial: state(start, &relaxed.initial, relaxed.initial_force),
        last: state(&relaxed.structure, &relaxed.last, relaxed.last_force),
        species: start.sites.iter().map(|s| symbol(s.element)).collect(),
        cautions: relaxed.last.cautions.clone(),
        notes: Vec::new(),
    }
}

fn state(structure: &Structure, evaluation: &Evaluation, max_force: f64) -> State {
    State {
        energy_per_atom: evaluation.energy_per_atom,
        max_force,
        volume: structure.lattice.volume(),
        // nalgebra nests by columns, and the schema by rows.
        lattice: structure.lattice.matrix().transpose().into(),
        frac: structure.sites.iter().map(|s| s.frac.into()).collect(),
    }
}
