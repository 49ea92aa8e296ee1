//! `cellwright convert`: CIF to POSCAR and back.

use std::path::PathBuf;

use anyhow::Result;
use cellwright_syntax::Language;
use serde::Serialize;

use crate::files::LanguageArg;
use crate::output::Outcome;
use crate::structures::{Given, Options};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,

    /// Target format; without it, by the name of --output, else the other one of the two.
    #[arg(long, value_enum)]
    to: Option<LanguageArg>,
}

/// One conversion, schema `convert` version 1.
#[derive(Debug, Serialize)]
struct Converted {
    file: String,
    block: String,
    to: &'static str,
    /// Where it was written, if it was.
    output: Option<PathBuf>,
    text: String,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    args.options.each(|given| convert(args, given), |converted| &converted.text)
}

fn convert(args: &Args, given: &Given) -> Result<Converted> {
    let by_name = args.options.language_of_output(given);
    let other = match given.input.parsed.language() {
        Language::Cif => Language::Poscar,
        Language::Poscar => Language::Cif,
    };
    let target = args.to.map(Language::from).or(by_name).unwrap_or(other);
    let made = args.options.write(given, given.structure, target)?;
    Ok(Converted {
        file: made.file,
        block: made.block,
        to: made.language,
        output: made.output,
        text: made.text,
    })
}
