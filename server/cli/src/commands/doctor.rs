//! `cellwright doctor`: is everything in place?

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use cellwright_crystal::{Element, Lattice, Site, Structure};
use cellwright_models::chgnet::Chgnet;
use cellwright_models::device::Device;
use cellwright_models::sevennet::Sevennet;
use cellwright_models::{ModelError, Potential, weights};
use serde::Serialize;

use crate::output::{self, Format, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// One examined thing, schema `doctor` version 1.
#[derive(Debug, Serialize)]
struct Item {
    name: &'static str,
    state: State,
    detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Good,
    /// Something optional is not there.
    Missing,
    Bad,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let items = vec![
        program(),
        machine(),
        data_dir(),
        potential("energies", Chgnet::load, CHGNET_ENERGY),
        potential("stresses", Sevennet::load, SEVENNET_ENERGY),
        python(),
    ];
    match args.format {
        Format::Json => output::print_json(&items)?,
        Format::Text => {
            let mut text = String::new();
            for item in &items {
                let mark = match item.state {
                    State::Good => "ok     ",
                    State::Missing => "missing",
                    State::Bad => "BAD    ",
                };
                let _ = writeln!(text, "{mark}  {:<10} {}", item.name, item.detail);
            }
            output::print(&text)?;
        }
    }
    let bad = items.iter().any(|i| i.state == State::Bad);
    let missing = items.iter().any(|i| i.state == State::Missing);
    Ok(if bad {
        Outcome::Failed
    } else if missing {
        Outcome::Findings
    } else {
        Outcome::Clean
    })
}

fn program() -> Item {
    let detail = match std::env::current_exe() {
        Ok(path) => format!("cellwright {} at {}", env!("CARGO_PKG_VERSION"), path.display()),
        Err(error) => {
            format!("cellwright {}, own path unknown: {error}", env!("CARGO_PKG_VERSION"))
        }
    };
    Item { name: "program", state: State::Good, detail }
}

fn machine() -> Item {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let detail = format!("{} {}, {cores} threads", std::env::consts::OS, std::env::consts::ARCH);
    Item { name: "machine", state: State::Good, detail }
}

fn data_dir() -> Item {
    let dir = weights::data_dir();
    let (state, detail) = match std::fs::create_dir_all(&dir) {
        Ok(()) => (State::Good, dir.display().to_string()),
        Err(error) => (State::Bad, format!("{} cannot be made: {error}", dir.display())),
    };
    Item { name: "data", state, detail }
}

/// What chgnet 0.4.2 with the weights 0.3.0 says of [`strontium_titanate`] (eV/atom).
const CHGNET_ENERGY: f64 = -8.418_260;

/// What sevenn 0.10.4 with the weights of July 2024 says of it; without the corrections that the other one was trained with.
const SEVENNET_ENERGY: f64 = -8.015_965;

/// Loads a potential and computes cubic SrTiO₃, whose energy the reference program gives too.
fn potential<P: Potential>(
    name: &'static str,
    load: fn(&Path, &Device) -> Result<P, ModelError>,
    reference: f64,
) -> Item {
    let (state, detail) = match energy(load) {
        Ok((by, energy)) if (energy - reference).abs() < 1e-3 => {
            (State::Good, format!("{by}: SrTiO3 has {energy:.4} eV/atom, as it should"))
        }
        Ok((by, energy)) => {
            let detail = format!("{by}: SrTiO3 has {energy:.4} eV/atom instead of {reference:.4}");
            (State::Bad, detail)
        }
        Err(error @ ModelError::NotInstalled { .. }) => (State::Missing, error.to_string()),
        Err(error) => (State::Bad, error.to_string()),
    };
    Item { name, state, detail }
}

fn energy<P: Potential>(
    load: fn(&Path, &Device) -> Result<P, ModelError>,
) -> Result<(String, f64), ModelError> {
    let potential = load(&weights::data_dir(), &Device::Cpu)?;
    let bad = |what: &str| ModelError::BadWeights(format!("SrTiO3 cannot be computed: {what}"));
    let crystal = strontium_titanate().map_err(|what| bad(&what))?;
    let evaluation =
        potential.evaluate(&[&crystal]).pop().unwrap_or_else(|| Err(bad("no answer")))?;
    let by = potential.provenance();
    let name = format!("{} {} on {}", by.model, by.version, by.device);
    Ok((name, evaluation.energy_per_atom))
}

fn strontium_titanate() -> Result<Structure, String> {
    let lattice =
        Lattice::from_parameters([3.905; 3], [90.0; 3]).map_err(|error| error.to_string())?;
    let site = |(symbol, frac): (&str, [f64; 3])| {
        Element::from_symbol(symbol).map(|e| Site::new(e, frac.into())).ok_or(symbol.to_owned())
    };
    let sites = [
        ("Sr", [0.0, 0.0, 0.0]),
        ("Ti", [0.5, 0.5, 0.5]),
        ("O", [0.5, 0.5, 0.0]),
        ("O", [0.5, 0.0, 0.5]),
        ("O", [0.0, 0.5, 0.5]),
    ];
    Ok(Structure { lattice, sites: sites.into_iter().map(site).collect::<Result<_, _>>()? })
}

/// Only `models pull` needs it.
fn python() -> Item {
    let output = Command::new("python3").args(["-m", "pip", "--version"]).output();
    let (state, detail) = match output {
        Ok(output) if output.status.success() => {
            (State::Good, String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        Ok(_) => (State::Missing, "python3 has no pip, which `models pull` needs".to_owned()),
        Err(_) => (State::Missing, "no python3 on the PATH, which `models pull` needs".to_owned()),
    };
    Item { name: "python", state, detail }
}
