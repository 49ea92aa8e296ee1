//! `cellwright library energies`: what a learned potential says of every known crystal.

use std::path::PathBuf;

use anyhow::{Context, Result};
use cellwright_models::hull::Energies;
use cellwright_models::prototypes::Library;
use cellwright_models::tasks::predict::LIBRARY;
use cellwright_models::{Potential, Provenance};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::model::ModelArgs;
use crate::output::{self, Format, Outcome};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Library; without it the one that comes with this program.
    file: Option<PathBuf>,

    #[command(flatten)]
    model: ModelArgs,

    /// File to write. Energies of the same library that it has already are not computed again.
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,

    /// How to show the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// What the file holds, schema `library-energies` version 1.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    crystals: usize,
    /// Those that have an energy.
    known: usize,
    /// Those that the model cannot treat.
    refused: usize,
    model: &'a Provenance,
}

/// Crystals between two writes.
const SAVED: usize = 1024;

pub(super) fn run(args: &Args) -> Result<Outcome> {
    let given;
    let bytes = match &args.file {
        Some(path) => {
            let context = || format!("{} cannot be read", path.display());
            given = std::fs::read(path).with_context(context)?;
            given.as_slice()
        }
        None => LIBRARY,
    };
    let library = Library::from_bytes(bytes)?;
    let potential = args.model.load()?;
    let mut energies = match std::fs::read(&args.out) {
        Ok(known) => {
            let energies = Energies::from_bytes(&known, bytes);
            energies.with_context(|| format!("{} is not overwritten", args.out.display()))?
        }
        Err(_) => Energies::none(bytes, potential.provenance())?,
    };
    let bar = ProgressBar::new(energies.iter().len() as u64)
        .with_style(ProgressStyle::with_template("{wide_bar} {pos}/{len}, {elapsed}, {eta} left")?);
    let mut saved = energies.asked();
    let mut failure = Ok(());
    energies.complete(&library, &potential, &mut |energies| {
        bar.set_position(energies.asked() as u64);
        if energies.asked() >= saved + SAVED {
            saved = energies.asked();
            failure = energies.save(&args.out);
        }
        failure.is_ok()
    })?;
    failure?;
    energies.save(&args.out)?;
    bar.finish_and_clear();
    let (crystals, known) = (energies.iter().len(), energies.known());
    let answer = Answer { crystals, known, refused: crystals - known, model: energies.model() };
    match args.format {
        Format::Json => output::print_json(&answer)?,
        Format::Text => output::print(&format!(
            "energies of {known} of {crystals} crystals by {} {}, {} that it cannot treat\n",
            answer.model.model, answer.model.version, answer.refused
        ))?,
    }
    Ok(Outcome::Clean)
}
