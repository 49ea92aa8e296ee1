//! `cellwright info`: what a file describes.

use std::fmt::Write;

use anyhow::Result;
use cellwright_checks::{Tolerances, check};
use cellwright_crystal::charge::bond_valence::{Bonds, bond_valence_sums};
use cellwright_crystal::charge::certain_states;
use cellwright_crystal::{Element, Structure, symmetry};
use cellwright_syntax::Reading;
use serde::Serialize;

use crate::files::{Input, Inputs};
use crate::output::{self, Format, Outcome};
use crate::report::severity_name;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    inputs: Inputs,

    /// Show every atom of the cell, with the sum of its bond valences where its oxidation state is
    /// certain. (JSON always lists them.)
    #[arg(long)]
    sites: bool,

    /// Tolerance in Å for finding the space group.
    #[arg(long, value_name = "Å", default_value_t = 0.01)]
    symprec: f64,

    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// One structure, schema `info` version 1.
#[derive(Debug, Serialize)]
struct Info {
    file: String,
    block: String,
    format: &'static str,
    formula: Option<String>,
    n_atoms: usize,
    volume: Option<f64>,
    density: Option<f64>,
    spacegroup: SpaceGroup,
    min_distance: Option<f64>,
    sites: Vec<SiteInfo>,
    problems: Vec<ProblemInfo>,
}

#[derive(Debug, Default, Serialize)]
struct SpaceGroup {
    /// Found in the structure.
    number: Option<u16>,
    symbol: Option<String>,
    /// Written in the file.
    declared: Option<String>,
}

#[derive(Debug, Serialize)]
struct SiteInfo {
    label: String,
    element: Option<&'static str>,
    occupancy: f64,
    frac: [f64; 3],
    /// Where the oxidation states leave no choice.
    bond_valence: Option<f64>,
}

#[derive(Debug, Serialize)]
struct ProblemInfo {
    code: &'static str,
    severity: &'static str,
    message: String,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let mut outcome = Outcome::Clean;
    let mut infos = Vec::new();
    for input in args.inputs.read_all() {
        match input {
            Ok(input) => {
                let found = describe(&input, args.symprec);
                // What is known of a crystal without a structure is shown all the same.
                if found.iter().all(|info| info.formula.is_none()) {
                    output::complain(&format!("{}: no structure in this file", input.name));
                    outcome = Outcome::Failed;
                }
                infos.extend(found);
            }
            Err(unreadable) => {
                output::complain(&unreadable.to_string());
                outcome = Outcome::Failed;
            }
        }
    }
    match args.format {
        Format::Json => output::print_json(&infos)?,
        Format::Text => {
            let text: String = infos.iter().map(|info| render(info, args.sites)).collect();
            output::print(&text)?;
        }
    }
    Ok(outcome)
}

fn describe(input: &Input, symprec: f64) -> Vec<Info> {
    let findings = check(&input.parsed, &Tolerances::default());
    let format = match input.parsed.language() {
        cellwright_syntax::Language::Cif => "cif",
        cellwright_syntax::Language::Poscar => "poscar",
    };
    input
        .parsed
        .readings
        .iter()
        .map(|reading| {
            let structure = reading.structure.as_ref();
            let inside = |f: &&cellwright_checks::Finding| {
                (reading.span.start..=reading.span.end).contains(&f.span.start)
            };
            Info {
                file: input.name.clone(),
                block: reading.name.clone(),
                format,
                formula: structure.map(|s| s.composition().to_string()),
                n_atoms: structure.map_or(0, Structure::len),
                volume: structure.map(|s| s.lattice.volume()),
                density: structure.map(Structure::density),
                spacegroup: space_group(reading, symprec),
                min_distance: structure.and_then(|s| Some(s.closest_pair().ok()??.distance)),
                sites: sites(reading),
                problems: findings
                    .iter()
                    .filter(inside)
                    .map(|f| ProblemInfo {
                        code: f.code,
                        severity: severity_name(f.severity),
                        message: f.message.clone(),
                    })
                    .collect(),
            }
        })
        .collect()
}

fn space_group(reading: &Reading, symprec: f64) -> SpaceGroup {
    let written = &reading.symmetry;
    let declared = (written.hm.as_ref().map(|s| s.value.clone()))
        .or_else(|| written.hall.as_ref().map(|s| s.value.clone()))
        .or_else(|| written.number.as_ref().map(|n| n.value.to_string()));
    let found = reading.structure.as_ref().and_then(|s| symmetry::detect(s, symprec).ok());
    SpaceGroup { number: found.as_ref().map(|f| f.number), symbol: found.map(|f| f.hm), declared }
}

fn sites(reading: &Reading) -> Vec<SiteInfo> {
    let Some(structure) = &reading.structure else { return Vec::new() };
    let labelled = structure.sites.iter().zip(&reading.origins).zip(bond_valences(structure));
    labelled
        .map(|((site, origin), bond_valence)| SiteInfo {
            label: reading.sites[origin.site].label.clone(),
            element: site.element.map(Element::symbol),
            occupancy: site.occupancy,
            frac: site.frac.into(),
            bond_valence,
        })
        .collect()
}

/// One for each site; none where states are not certain or cannot be added up.
fn bond_valences(structure: &Structure) -> Vec<Option<f64>> {
    let sums = certain_states(structure)
        .and_then(|states| bond_valence_sums(structure, &states, Bonds::default()).ok());
    sums.unwrap_or_else(|| vec![None; structure.len()])
}

fn render(info: &Info, with_sites: bool) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "  {name:<12} {value}");
    };
    let unknown = || "unknown".to_owned();
    line("formula", info.formula.clone().unwrap_or_else(unknown));
    line("atoms", format!("{} in the cell", info.n_atoms));
    line("volume", info.volume.map_or_else(unknown, |v| format!("{v:.3} Å³")));
    line("density", info.density.map_or_else(unknown, |d| format!("{d:.3} g/cm³")));
    let group = &info.spacegroup;
    let found = match (&group.symbol, group.number) {
        (Some(symbol), Some(number)) => format!("{symbol} ({number})"),
        _ => unknown(),
    };
    let declared = group.declared.as_ref().map_or(String::new(), |d| format!(", declared {d}"));
    line("space group", found + &declared);
    line("shortest", info.min_distance.map_or_else(unknown, |d| format!("{d:.3} Å")));
    for problem in &info.problems {
        line(problem.severity, format!("{} [{}]", problem.message, problem.code));
    }
    if with_sites {
        for site in &info.sites {
            let [x, y, z] = site.frac;
            let element = site.element.unwrap_or("?");
            let occupancy =
                if site.occupancy == 1.0 { String::new() } else { format!("  {}", site.occupancy) };
            let valence = site.bond_valence.map_or(String::new(), |v| format!("  v {v:+.2}"));
            let _ = writeln!(
                out,
                "  {:<8} {element:<2} {x:>10.6} {y:>10.6} {z:>10.6}{occupancy}{valence}",
                site.label
            );
        }
    }
    format!("{} · {}\n{out}\n", info.file, info.block)
}
