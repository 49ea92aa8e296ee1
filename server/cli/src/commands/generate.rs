//! `cellwright generate`: crystals that a diffusion model makes up, species and all.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use cellwright_models::equicsp::Model;
use cellwright_models::tasks::generate::{Generated, Order, generate};
use cellwright_syntax::write;
use serde::Serialize;

use super::predict::SYMPREC;
use crate::geometry::Geometry;
use crate::model::ModelArgs;
use crate::output::{self, Outcome};
use crate::sampling::SamplingArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Weights of a diffusion model that chooses species (`cellwright train equicsp` with `species`).
    #[arg(long, value_name = "FILE")]
    model: PathBuf,

    /// How many crystals.
    #[arg(short = 'n', long, default_value_t = 10)]
    crystals: usize,

    /// Atoms of the cell; without it as often each number as the model has seen it.
    #[arg(long, value_name = "N")]
    atoms: Option<usize>,

    #[command(flatten)]
    sampling: SamplingArgs,

    /// Seed of whatever chance decides.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    #[command(flatten)]
    device: ModelArgs,

    /// How to show it.
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Shape {
    /// A table for people.
    Text,
    /// Every crystal as a data block.
    Cif,
    /// For programs; see `cellwright schema`.
    Json,
}

/// The crystals, schema `generate` version 1.
#[derive(Debug, Serialize)]
struct Answer {
    model: String,
    seed: u64,
    asked: usize,
    crystals: Vec<Made>,
}

#[derive(Debug, Serialize)]
struct Made {
    formula: String,
    space_group: Option<u16>,
    density: f64,
    shortest: Option<f64>,
    charge_balanced: Option<bool>,
    #[serde(flatten)]
    geometry: Geometry,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    if args.crystals == 0 {
        bail!("-n 0 asks for no crystal");
    }
    let model = Model::load(&args.model, &args.device.device()?)?;
    let sampling = args.sampling.options(args.seed);
    let order = Order { crystals: args.crystals, atoms: args.atoms, sampling };
    let made = generate(&model, &order, &|| false)?;
    let missing = args.crystals - made.len();
    if missing > 0 {
        output::complain(&format!("{missing} of {} draws gave no cell", args.crystals));
    }
    match args.format {
        Shape::Text => output::print(&table(&made))?,
        Shape::Cif => output::print(&blocks(&made, args))?,
        Shape::Json => output::print_json(&Answer {
            model: args.model.display().to_string(),
            seed: args.seed,
            asked: args.crystals,
            crystals: made.iter().map(Made::new).collect(),
        })?,
    }
    Ok(if made.is_empty() { Outcome::Findings } else { Outcome::Clean })
}

impl Made {
    fn new(made: &Generated) -> Self {
        let structure = &made.structure;
        Self {
            formula: formula(made),
            space_group: made.space_group.as_ref().map(|(number, _)| *number),
            density: structure.density(),
            shortest: made.shortest,
            charge_balanced: made.charge_balanced,
            geometry: Geometry::new(structure),
        }
    }
}

fn formula(made: &Generated) -> String {
    made.structure.composition().reduced().0.formula()
}

fn table(made: &[Generated]) -> String {
    let width = made.iter().map(|m| formula(m).chars().count()).max().unwrap_or(0).max(7);
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:>3}  {:<width$}  {:>5}  {:<12}  {:>7}  {:>7}  charges",
        "", "formula", "atoms", "space group", "g/cm³", "nearest"
    );
    for (i, one) in made.iter().enumerate() {
        let or_dash = |x: Option<String>| x.unwrap_or_else(|| "–".to_owned());
        let charges = match one.charge_balanced {
            Some(true) => "balanced",
            Some(false) => "not balanced",
            None => "–",
        };
        let _ = writeln!(
            text,
            "{:>3}  {:<width$}  {:>5}  {:<12}  {:>7.3}  {:>7}  {charges}",
            i + 1,
            formula(one),
            one.structure.len(),
            or_dash(one.space_group.as_ref().map(|(_, symbol)| symbol.clone())),
            one.structure.density(),
            or_dash(one.shortest.map(|d| format!("{d:.2} Å")))
        );
    }
    text
}

fn blocks(made: &[Generated], args: &Args) -> String {
    let model = args.model.file_stem().unwrap_or_default().to_string_lossy();
    let block = |(i, one): (usize, &Generated)| {
        let name = format!("{}_{}", formula(one), i + 1);
        let text = write::cif_with_symmetry(&one.structure, &name, SYMPREC, false);
        format!("# made up by EquiCSP {model}, seed {}, number {}\n{text}", args.seed, i + 1)
    };
    made.iter().enumerate().map(block).collect::<Vec<_>>().join("\n")
}
