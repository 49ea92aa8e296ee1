//! `cellwright match`: whether two structures are the same, how far apart they are, and which atom answers
//! to which.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use cellwright_crystal::Structure;
use cellwright_crystal::matching::{Match, Matcher, Prepared};
use serde::Serialize;
use serde_json::Value;

use crate::output::{self, Format, Outcome};

mod lines;
mod sides;

use sides::Side;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The two structure files; one may be `-`, standard input. Elements and occupancies are compared;
    /// labels and declared charges are not.
    #[arg(value_name = "FILE", num_args = 2)]
    #[arg(required_unless_present = "pairs", conflicts_with = "pairs")]
    files: Vec<PathBuf>,

    /// Data block of the first file that is meant, by name, where there are several.
    #[arg(long, value_name = "NAME", conflicts_with = "pairs")]
    block_a: Option<String>,

    /// Data block of the second file that is meant.
    #[arg(long, value_name = "NAME", conflicts_with = "pairs")]
    block_b: Option<String>,

    /// Match many pairs: a file, or standard input (`-`), with one JSON object a line, {"a": …, "b": …} and
    /// an "id" if wanted. Each side is a path or {"lattice": …, "species": […], "frac": [[…]…]}: the lattice
    /// as [a, b, c, alpha, beta, gamma] or three row vectors, a species as "Fe", {"Fe": 0.5, "Ni": 0.5} or
    /// "?". With --format json there is one answer a line.
    #[arg(long, value_name = "FILE")]
    pairs: Option<PathBuf>,

    /// Relative tolerance of cell lengths.
    #[arg(long, default_value_t = Matcher::default().ltol)]
    ltol: f64,

    /// Tolerance of positions, in units of (V/N)^⅓.
    #[arg(long, default_value_t = Matcher::default().stol)]
    stol: f64,

    /// Tolerance of cell angles in degrees.
    #[arg(long, value_name = "DEGREES", default_value_t = Matcher::default().angle_tol)]
    angle_tol: f64,

    /// Let elements of the first structure become those of the second, each one of its own.
    #[arg(long)]
    anonymous: bool,

    /// Compare cells as they are given instead of primitive ones.
    #[arg(long)]
    whole_cells: bool,

    /// Compare sizes too, instead of scaling both cells to one volume.
    #[arg(long)]
    no_scale: bool,

    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// What is known of one pair, schema `match` version 1.
#[derive(Debug, Default, Serialize)]
struct Answer {
    rms: Option<f64>,
    max: Option<f64>,
    fit: Option<bool>,
    mapping: Option<Vec<Partners>>,
    elements: Option<BTreeMap<&'static str, &'static str>>,
    /// Which line of the pairs it was, from 1.
    line: Option<usize>,
    id: Value,
    error: Option<String>,
}

/// Atoms that lie on each other, numbered from 0 in the order of `info --sites`.
#[derive(Debug, Serialize)]
struct Partners {
    a: Vec<usize>,
    b: Vec<usize>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let matcher = Matcher {
        ltol: args.ltol,
        stol: args.stol,
        angle_tol: args.angle_tol,
        primitive: !args.whole_cells,
        scale: !args.no_scale,
    };
    if let Some(path) = &args.pairs {
        return lines::run(args, &matcher, path);
    }
    let [a, b] = &args.files[..] else { bail!("two files are needed") };
    let a = Side::file(a, args.block_a.as_deref())?;
    let b = Side::file(b, args.block_b.as_deref())?;
    let answer = compare(args, &matcher, &a.structure, &b.structure)?;
    match args.format {
        Format::Json => output::print_json(&answer)?,
        Format::Text => output::print(&render(&answer, &a, &b))?,
    }
    Ok(answer.outcome())
}

impl Answer {
    fn outcome(&self) -> Outcome {
        match self {
            Self { error: Some(_), .. } => Outcome::Failed,
            Self { rms: Some(_), .. } => Outcome::Clean,
            _ => Outcome::Findings,
        }
    }
}

fn compare(args: &Args, matcher: &Matcher, a: &Structure, b: &Structure) -> Result<Answer> {
    let first = matcher.prepare(a).context("the first structure cannot be matched")?;
    let second = matcher.prepare(b).context("the second structure cannot be matched")?;
    let mut answer = Answer::default();
    let found = if args.anonymous {
        answer.fit = Some(matcher.fit_anonymous(&first, &second).is_some());
        matcher.rms_anonymous(&first, &second).map(|anonymous| {
            let named = anonymous.elements.iter().map(|(a, b)| (a.symbol(), b.symbol()));
            answer.elements = Some(named.collect());
            anonymous.found
        })
    } else {
        answer.fit = Some(matcher.fit(&first, &second));
        matcher.rms(&first, &second)
    };
    if let Some(found) = found {
        answer.mapping = Some(partners(&found, &first, &second));
        answer.rms = Some(found.rms);
        answer.max = Some(found.max);
    }
    Ok(answer)
}

fn partners(found: &Match, first: &Prepared, second: &Prepared) -> Vec<Partners> {
    let pairs = found.partners.iter().enumerate();
    let mut partners: Vec<_> = pairs
        .map(|(i, &j)| Partners { a: first.members(i).to_vec(), b: second.members(j).to_vec() })
        .collect();
    partners.sort_by_key(|partners| partners.a[0]);
    partners
}

fn render(answer: &Answer, a: &Side, b: &Side) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "  {name:<9} {value}");
    };
    let fits = if answer.fit == Some(true) { "yes" } else { "no" };
    line("fit", fits.to_owned());
    let (Some(rms), Some(max)) = (answer.rms, answer.max) else { return out };
    line("rms", format!("{rms:.6} (V/N)^⅓"));
    line("max", format!("{max:.6} (V/N)^⅓"));
    if let Some(elements) = &answer.elements {
        let named: Vec<_> = elements.iter().map(|(a, b)| format!("{a} → {b}")).collect();
        line("elements", named.join(", "));
    }
    let names = |side: &Side, sites: &[usize]| {
        sites.iter().map(|&i| side.name(i)).collect::<Vec<_>>().join(", ")
    };
    for (i, partners) in answer.mapping.iter().flatten().enumerate() {
        let name = if i == 0 { "sites" } else { "" };
        line(name, format!("{} → {}", names(a, &partners.a), names(b, &partners.b)));
    }
    out
}
