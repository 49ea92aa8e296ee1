//! One file per command.

use anyhow::Result;
use clap::Subcommand;

use crate::output::Outcome;

mod bench;
mod cell;
mod check;
mod complete;
mod convert;
mod denoise;
mod doctor;
mod energy;
mod eval;
mod explain;
mod generate;
mod info;
mod library;
mod lsp;
mod matching;
mod models;
mod predict;
mod relax;
mod schema;
mod substitutions;
mod train;
mod valid;
mod worker;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find what is wrong in structure files.
    Check(check::Args),
    /// Explain a diagnostic: what it means, why it matters, how to mend it.
    Explain(explain::Args),
    /// Show formula, cell, space group, density and shortest distance.
    Info(info::Args),
    /// Compute learned energy, forces, stress and magnetic moments.
    Energy(energy::Args),
    /// Relax a structure by learned energy.
    Relax(relax::Args),
    /// Convert between CIF and POSCAR.
    Convert(convert::Args),
    /// Say whether two structures are the same and which atom answers to which.
    Match(matching::Args),
    /// Put a structure into another cell: primitive, conventional, reduced, supercell.
    Cell(cell::Args),
    /// Say whether the charges of a formula can add up.
    Valid(valid::Args),
    /// Predict structures for a composition.
    Predict(predict::Args),
    /// Make up crystals with a diffusion model that chooses the species too.
    Generate(generate::Args),
    /// Name masked sites: the elements a model finds likely there.
    Complete(complete::Args),
    /// Put displaced atoms back where a model thinks they belong.
    Denoise(denoise::Args),
    /// Show what replaces an element, or the element of a site.
    Substitutions(substitutions::Args),
    /// Condense known crystals into the library that predictions start from.
    Library(library::Args),
    /// Run the language server on stdin and stdout.
    Lsp(lsp::Args),
    /// Run an inference worker on stdin and stdout.
    Worker(worker::Args),
    /// Get and list model weights.
    Models(models::Args),
    /// Say whether everything that Cellwright needs is in place.
    Doctor(doctor::Args),
    /// Measure how fast this machine is.
    Bench(bench::Args),
    /// Train a model on a set of crystals.
    Train(train::Args),
    /// Measure how good a model is.
    Eval(eval::Args),
    /// Print the JSON schema of a command's output.
    Schema(schema::Args),
}

pub(crate) fn run(command: Command) -> Result<Outcome> {
    match command {
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Info(args) => info::run(&args),
        Command::Energy(args) => energy::run(&args),
        Command::Relax(args) => relax::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Match(args) => matching::run(&args),
        Command::Cell(args) => cell::run(&args),
        Command::Valid(args) => valid::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Complete(args) => complete::run(&args),
        Command::Denoise(args) => denoise::run(&args),
        Command::Substitutions(args) => substitutions::run(&args),
        Command::Library(args) => library::run(&args),
        Command::Lsp(args) => lsp::run(&args),
        Command::Worker(args) => worker::run(&args),
        Command::Models(args) => models::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Schema(args) => schema::run(&args),
    }
}
