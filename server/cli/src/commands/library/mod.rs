//! `cellwright library`: known crystals as prototypes for structure prediction.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use cellwright_models::prototypes::{Foreign, Known, Library, Provenance, build, read};
use cellwright_models::tasks::predict::Predictor;
use clap::Subcommand;
use rayon::prelude::*;
use serde::Serialize;

mod energies;

use crate::files;
use crate::output::{self, Format, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Condense data sets into a library.
    Build(Build),
    /// Show what a library holds.
    Info(Info),
    /// Compute the energy of every crystal of a library, from which energies above hull are found.
    Energies(energies::Args),
}

#[derive(Debug, clap::Args)]
struct Build {
    /// Data sets such as `mp_20/train`; of crystals with the same id the first one counts.
    #[arg(long, value_name = "SET", required = true, value_delimiter = ',')]
    sets: Vec<String>,

    /// Sets that the library is to be tested on: crystals that are also in one of these are left out.
    #[arg(long, value_name = "SET", value_delimiter = ',')]
    clean_of: Vec<String>,

    /// File of ids, one a line, that are left out too.
    #[arg(long, value_name = "FILE")]
    without_ids: Option<PathBuf>,

    /// Origin and licence of the crystals, kept in the file.
    #[arg(long, default_value = "")]
    licence: String,

    /// Folder of the data sets; without it $CELLWRIGHT_DATA, else ../shared/data.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// File to write.
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,

    /// How to show the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, clap::Args)]
struct Info {
    /// Library; without it the one that comes with this program.
    file: Option<PathBuf>,

    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// What a library holds, schema `library` version 1.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    crystals: usize,
    classes: usize,
    /// Classes with more than one crystal.
    shared_classes: usize,
    /// Crystals of the largest classes with the first one's formula.
    largest: Vec<(String, usize)>,
    #[serde(flatten)]
    provenance: &'a Provenance,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    match &args.what {
        What::Build(args) => make(args),
        What::Energies(args) => energies::run(args),
        What::Info(args) => {
            let shipped;
            let given;
            let library = match &args.file {
                Some(path) => {
                    given = Library::open(path)?;
                    &given
                }
                None => {
                    shipped = Predictor::shipped()?;
                    &shipped.prototypes().library
                }
            };
            show(library, args.format)
        }
    }
}

fn make(args: &Build) -> Result<Outcome> {
    let data = files::data_sets(args.data.as_deref());
    let (known, hashes) = read(&data, &args.sets)?;
    let (others, clean_of) = read(&data, &args.clean_of)?;
    let ids = match &args.without_ids {
        Some(path) => std::fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?,
        None => String::new(),
    };
    let foreign = Foreign::new(ids.lines().map(|id| id.trim().to_owned()), others);
    let kept: Vec<Known> = known.into_par_iter().filter(|k| !foreign.holds(k)).collect();
    let library = build(kept, Provenance { data: hashes, clean_of, licence: args.licence.clone() });
    library.save(&args.out)?;
    show(&library, args.format)
}

fn show(library: &Library, format: Format) -> Result<Outcome> {
    let mut classes: Vec<_> = library.classes().iter().collect();
    classes.sort_by_key(|class| std::cmp::Reverse(class.members.len()));
    let largest = classes.iter().take(10).map(|class| {
        (class.composition(&class.members[0]).reduced().0.formula(), class.members.len())
    });
    let answer = Answer {
        crystals: library.crystals(),
        classes: classes.len(),
        shared_classes: classes.iter().filter(|class| class.members.len() > 1).count(),
        largest: largest.collect(),
        provenance: library.provenance(),
    };
    match format {
        Format::Json => output::print_json(&answer)?,
        Format::Text => output::print(&render(&answer))?,
    }
    Ok(Outcome::Clean)
}

fn render(answer: &Answer) -> String {
    let mut text = format!(
        "{} crystals in {} classes, {} of them with more than one crystal\n",
        answer.crystals, answer.classes, answer.shared_classes
    );
    let list: Vec<String> = answer.largest.iter().map(|(f, n)| format!("{f} ({n})")).collect();
    if !list.is_empty() {
        let _ = writeln!(text, "largest classes: {}", list.join(", "));
    }
    let mut sets = |title: &str, sets: &BTreeMap<String, String>| {
        for (set, hash) in sets {
            let _ = writeln!(text, "{title} {set} (SHA-256 {})", hash.get(..12).unwrap_or(hash));
        }
    };
    sets("from", &answer.provenance.data);
    sets("shares no crystal with", &answer.provenance.clean_of);
    if !answer.provenance.licence.is_empty() {
        let _ = writeln!(text, "{}", answer.provenance.licence);
    }
    text
}
