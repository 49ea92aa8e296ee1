//! `cellwright convert`: CIF to POSCAR and back.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cellwright_syntax::poscar::Mode;
use cellwright_syntax::text::Encoding;
use cellwright_syntax::{Language, Reading, write};
use serde::Serialize;

use crate::files::{self, Input, Inputs, LanguageArg};
use crate::output::{self, Format, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    inputs: Inputs,

    /// Target format; without it, by the name of --output, else the other one of the two.
    #[arg(long, value_enum)]
    to: Option<LanguageArg>,

    /// Data block to convert, by name; without it a file with one structure is needed.
    #[arg(long)]
    block: Option<String>,

    /// Write here instead of to stdout. With several files this is a folder, which is made.
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,

    /// Write Cartesian coordinates (POSCAR only).
    #[arg(long)]
    cartesian: bool,

    /// What goes to stdout: the converted file, or JSON that holds it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
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
    let sources = args.inputs.sources();
    let several = sources.len() > 1;
    if several && args.output.is_none() && args.format == Format::Text {
        bail!("{} files cannot all go to stdout: name a folder with --output", sources.len());
    }
    if several && let Some(folder) = &args.output {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let mut outcome = Outcome::Clean;
    let mut converted = Vec::new();
    for source in sources {
        let result = source.and_then(|s| args.inputs.read(&s)).map_err(anyhow::Error::from);
        match result.and_then(|input| convert(args, &input, several)) {
            Ok(done) => {
                if args.output.is_none() && args.format == Format::Text {
                    output::print(&done.text)?;
                }
                converted.push(done);
            }
            Err(error) => {
                output::complain(&format!("{error:#}"));
                outcome = Outcome::Failed;
            }
        }
    }
    if args.format == Format::Json {
        output::print_json(&converted)?;
    }
    Ok(outcome)
}

fn convert(args: &Args, input: &Input, several: bool) -> Result<Converted> {
    let reading = choose(args, input)?;
    let structure = reading
        .structure
        .as_ref()
        .with_context(|| format!("{}: the file describes no structure", input.name))?;
    if let Some(obstacle) = reading.obstacles.first() {
        bail!("{}: the structure is incomplete: {}", input.name, obstacle.message);
    }
    let by_name = args.output.as_deref().filter(|_| !several).and_then(Language::from_path);
    let other = match input.parsed.language() {
        Language::Cif => Language::Poscar,
        Language::Poscar => Language::Cif,
    };
    let target = args.to.map(Language::from).or(by_name).unwrap_or(other);
    let text = match target {
        Language::Cif => write::cif(structure, &reading.name),
        Language::Poscar => {
            let mode = if args.cartesian { Mode::Cartesian } else { Mode::Direct };
            write::poscar(structure, &reading.name, mode).with_context(|| input.name.clone())?
        }
    };
    let output = args
        .output
        .as_ref()
        .map(|path| if several { path.join(file_name(&input.name, target)) } else { path.clone() });
    if let Some(path) = &output {
        files::write(path, &text, Encoding::Utf8)?;
    }
    let to = match target {
        Language::Cif => "cif",
        Language::Poscar => "poscar",
    };
    Ok(Converted { file: input.name.clone(), block: reading.name.clone(), to, output, text })
}

/// The one structure that is meant.
fn choose<'a>(args: &Args, input: &'a Input) -> Result<&'a Reading> {
    let readings = &input.parsed.readings;
    if let Some(name) = &args.block {
        return readings
            .iter()
            .find(|r| r.name.eq_ignore_ascii_case(name))
            .with_context(|| format!("{}: no data block '{name}'", input.name));
    }
    let mut with_structure = readings.iter().filter(|r| r.structure.is_some());
    match (with_structure.next(), with_structure.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => {
            let names: Vec<_> = readings.iter().map(|r| r.name.as_str()).collect();
            bail!(
                "{}: the file holds several structures, choose one with --block: {}",
                input.name,
                names.join(", ")
            )
        }
        (None, _) => bail!("{}: no structure in this file", input.name),
    }
}

/// Name of the result in a folder: `rutile.cif` becomes `rutile.vasp`.
fn file_name(input: &str, target: Language) -> PathBuf {
    let extension = match target {
        Language::Cif => "cif",
        Language::Poscar => "vasp",
    };
    let name = Path::new(input).file_name().unwrap_or("structure".as_ref());
    Path::new(name).with_extension(extension)
}
