//! Which structure of a file is meant; and, for commands that make one structure file of another, where the
//! result goes.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cellwright_crystal::Structure;
use cellwright_syntax::poscar::Mode;
use cellwright_syntax::text::Encoding;
use cellwright_syntax::{Language, Reading, write};
use serde::Serialize;

use crate::files::{self, Input, Inputs};
use crate::output::{self, Format, Outcome};

/// What such commands have in common.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    inputs: Inputs,

    /// Data block that is meant, by name; without it a file with one structure is needed.
    #[arg(long)]
    block: Option<String>,

    /// Write here instead of to stdout. With several files this is a folder, which is made.
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,

    /// Write Cartesian coordinates (POSCAR only).
    #[arg(long)]
    cartesian: bool,

    /// What goes to stdout: the new file, or JSON that holds it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// A structure file that was made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) file: String,
    pub(crate) block: String,
    pub(crate) language: &'static str,
    /// Where it was written, if it was.
    pub(crate) output: Option<PathBuf>,
    pub(crate) text: String,
}

/// The structure of a file, complete.
pub(crate) struct Given<'a> {
    pub(crate) input: &'a Input,
    pub(crate) reading: &'a Reading,
    pub(crate) structure: &'a Structure,
    /// One of several files, whose results go into one folder.
    several: bool,
}

impl Options {
    /// Makes something of the structure of every file and shows it; one bad file does not stop the others.
    pub(crate) fn each<T: Serialize>(
        &self,
        make: impl Fn(&Given) -> Result<T>,
        text: impl Fn(&T) -> &str,
    ) -> Result<Outcome> {
        let sources = self.inputs.sources();
        let several = sources.len() > 1;
        if several && self.output.is_none() && self.format == Format::Text {
            bail!("{} files cannot all go to stdout: name a folder with --output", sources.len());
        }
        if several && let Some(folder) = &self.output {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        let mut outcome = Outcome::Clean;
        let mut made = Vec::new();
        for source in sources {
            let result = source.and_then(|s| self.inputs.read(&s)).map_err(anyhow::Error::from);
            let result = result.and_then(|input| {
                let (reading, structure) = choose(&input, self.block.as_deref())?;
                make(&Given { input: &input, reading, structure, several })
                    .with_context(|| input.name.clone())
            });
            match result {
                Ok(done) => {
                    if self.output.is_none() && self.format == Format::Text {
                        output::print(text(&done))?;
                    }
                    made.push(done);
                }
                Err(error) => {
                    output::complain(&format!("{error:#}"));
                    outcome = Outcome::Failed;
                }
            }
        }
        if self.format == Format::Json {
            output::print_json(&made)?;
        }
        Ok(outcome)
    }

    /// Format by the name of --output, where that says it and is no folder.
    pub(crate) fn language_of_output(&self, given: &Given) -> Option<Language> {
        self.output.as_deref().filter(|_| !given.several).and_then(Language::from_path)
    }

    /// Writes a structure in a format, to where it is to go.
    pub(crate) fn write(
        &self,
        given: &Given,
        structure: &Structure,
        language: Language,
    ) -> Result<Made> {
        let name = &given.reading.name;
        let text = match language {
            Language::Cif => write::cif(structure, name),
            Language::Poscar => {
                let mode = if self.cartesian { Mode::Cartesian } else { Mode::Direct };
                write::poscar(structure, name, mode)?
            }
        };
        let file = &given.input.name;
        let inside = |folder: &PathBuf| folder.join(file_name(file, language));
        let output = self.output.as_ref();
        let output = output.map(|path| if given.several { inside(path) } else { path.clone() });
        if let Some(path) = &output {
            files::write(path, &text, Encoding::Utf8)?;
        }
        let language = match language {
            Language::Cif => "cif",
            Language::Poscar => "poscar",
        };
        Ok(Made { file: file.clone(), block: name.clone(), language, output, text })
    }
}

/// The one structure that is meant, complete: that of the data block of this name, else the only one there is.
pub(crate) fn choose<'a>(
    input: &'a Input,
    block: Option<&str>,
) -> Result<(&'a Reading, &'a Structure)> {
    let reading = reading(input, block)?;
    if let Some(obstacle) = reading.obstacles.first() {
        bail!("{}: the structure is incomplete: {}", input.name, obstacle.message);
    }
    let structure = reading
        .structure
        .as_ref()
        .with_context(|| format!("{}: the file describes no structure", input.name))?;
    Ok((reading, structure))
}

/// The one data block that is meant.
fn reading<'a>(input: &'a Input, block: Option<&str>) -> Result<&'a Reading> {
    let readings = &input.parsed.readings;
    if let Some(name) = block {
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
                "{}: the file holds several structures, choose one of its data blocks: {}",
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
