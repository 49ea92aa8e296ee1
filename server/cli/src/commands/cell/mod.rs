//! `cellwright cell`: the same crystal in another cell, and the small edits that go with it.

use std::path::PathBuf;

use anyhow::{Result, bail};
use cellwright_crystal::cells::{Recast, Standard, standard, supercell};
use cellwright_crystal::reduction::{delaunay, niggli};
use cellwright_crystal::symmetry::Setting;
use cellwright_crystal::{Lattice, Structure};
use cellwright_syntax::Language;
use clap::ValueEnum;
use nalgebra::Matrix3;
use serde::Serialize;

use crate::files::LanguageArg;
use crate::output::Outcome;
use crate::structures::{Given, Options};

mod edits;
mod matrix;

use edits::Edits;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,

    /// The cell to make.
    #[arg(long, value_enum, default_value_t = Target::Given)]
    to: Target,

    /// Supercell: its lattice vectors as rows of nine whole numbers in terms of the old ones
    /// ("2 0 0 0 2 0 0 0 1"), or how many cells along each axis ("2x2x1").
    #[arg(long, value_parser = matrix::parse, allow_hyphen_values = true)]
    #[arg(required_if_eq("to", "supercell"))]
    matrix: Option<Matrix3<i32>>,

    /// Tolerance in Å for finding the symmetry (primitive and conventional).
    #[arg(long, value_name = "Å", default_value_t = 0.01)]
    symprec: f64,

    /// Make the symmetry exact that was found within --symprec: cell and positions (primitive and
    /// conventional).
    #[arg(long)]
    idealise: bool,

    #[command(flatten)]
    edits: Edits,

    /// Format to write; without it, by the name of --output, else that of the file.
    #[arg(long, value_enum)]
    to_format: Option<LanguageArg>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Target {
    /// The cell as it is, for the edits alone.
    Given,
    /// The smallest cell, in the standard setting of the space group.
    Primitive,
    /// The cell of the space group's standard setting.
    Conventional,
    /// The reduced cell of Niggli: the same for every description of the lattice.
    Niggli,
    /// The reduced cell of Delaunay: the three shortest vectors.
    Delaunay,
    /// The cell that --matrix says.
    Supercell,
}

/// One structure in its new cell, schema `cell` version 1.
#[derive(Debug, Serialize)]
struct Cell {
    file: String,
    block: String,
    to: Target,
    format: &'static str,
    output: Option<PathBuf>,
    n_atoms: usize,
    lattice: [[f64; 3]; 3],
    parameters: Parameters,
    volume: f64,
    transform: [[f64; 3]; 3],
    origin: [f64; 3],
    sites: Vec<usize>,
    standard: Option<StandardCell>,
    text: String,
}

#[derive(Debug, Serialize)]
struct Parameters {
    a: f64,
    b: f64,
    c: f64,
    alpha: f64,
    beta: f64,
    gamma: f64,
}

#[derive(Debug, Serialize)]
struct StandardCell {
    number: u16,
    symbol: Option<&'static str>,
    centring: [[i32; 3]; 3],
    whole: [[i32; 3]; 3],
}

/// Relative tolerance of the reduced cells: the usual one, far above rounding and far below what files give.
const REDUCTION: f64 = 1e-5;

/// Atoms of averaged cells may miss a symmetry by a few times the tolerance that it was found within.
const REACH: f64 = 4.0;

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    if args.matrix.is_some() && args.to != Target::Supercell {
        bail!("--matrix belongs to --to supercell");
    }
    if args.idealise && !matches!(args.to, Target::Primitive | Target::Conventional) {
        bail!("--idealise belongs to --to primitive and --to conventional");
    }
    args.options.each(|given| make(args, given), |cell| &cell.text)
}

fn make(args: &Args, given: &Given) -> Result<Cell> {
    let mut structure = given.structure.clone();
    let kept = args.edits.before(&mut structure)?;
    let (mut new, standard) = recast(args, &structure)?;
    args.edits.after(&mut new)?;
    let by_name = args.options.language_of_output(given);
    let same = given.input.parsed.language();
    let language = args.to_format.map(Language::from).or(by_name).unwrap_or(same);
    let made = args.options.write(given, &new.structure, language)?;
    let lattice = &new.structure.lattice;
    Ok(Cell {
        file: made.file,
        block: made.block,
        to: args.to,
        format: made.language,
        output: made.output,
        n_atoms: new.structure.len(),
        lattice: rows(lattice.matrix()),
        parameters: parameters(lattice),
        volume: lattice.volume(),
        transform: rows(&new.transform),
        origin: new.origin.into(),
        sites: new.sites.iter().map(|&site| kept[site]).collect(),
        standard,
        text: made.text,
    })
}

fn recast(args: &Args, structure: &Structure) -> Result<(Recast, Option<StandardCell>)> {
    let lattice = &structure.lattice;
    let matrix = match args.to {
        Target::Primitive | Target::Conventional => {
            let mut found = standard(structure, args.symprec)?;
            if args.idealise {
                found.idealise(REACH * args.symprec)?;
            }
            let about = about(&found);
            let primitive = args.to == Target::Primitive;
            let cell = if primitive { found.primitive } else { found.conventional };
            return Ok((cell, Some(about)));
        }
        Target::Niggli => niggli(lattice, REDUCTION)?.transform,
        Target::Delaunay => delaunay(lattice, REDUCTION)?.transform,
        Target::Given => Matrix3::identity(),
        // The arguments ask for a matrix; without one there is one cell.
        Target::Supercell => args.matrix.unwrap_or_else(Matrix3::identity),
    };
    Ok((supercell(structure, &matrix)?, None))
}

fn about(found: &Standard) -> StandardCell {
    StandardCell {
        number: found.number,
        symbol: Setting::from_hall_number(found.hall_number).map(Setting::hm),
        centring: found.centring.transpose().into(),
        whole: found.whole.transpose().into(),
    }
}

/// Rows of a matrix; no zero is written as -0.
fn rows(matrix: &Matrix3<f64>) -> [[f64; 3]; 3] {
    matrix.map(|x| x + 0.0).transpose().into()
}

fn parameters(lattice: &Lattice) -> Parameters {
    let ([a, b, c], [alpha, beta, gamma]) = (lattice.lengths(), lattice.angles());
    Parameters { a, b, c, alpha, beta, gamma }
}
