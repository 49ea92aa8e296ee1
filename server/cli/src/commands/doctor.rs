//! `cellwright doctor`: is everything in place?

use std::fmt::Write;
use std::process::Command;

use anyhow::Result;
use cellwright_crystal::{Element, Lattice, Site, Structure};
use cellwright_models::chgnet::Chgnet;
use cellwright_models::device::Device;
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
    let items = vec![program(), machine(), data_dir(), model(), python()];
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

/// Loads the model and computes cubic SrTiO₃, whose energy the reference program gives too.
fn model() -> Item {
    let (state, detail) = match reference_energy() {
        Ok((name, energy)) if (energy - REFERENCE_ENERGY).abs() < 1e-3 => {
            (State::Good, format!("{name}: SrTiO3 has {energy:.4} eV/atom, as it should"))
        }
        Ok((name, energy)) => {
            let detail =
                format!("{name}: SrTiO3 has {energy:.4} eV/atom instead of {REFERENCE_ENERGY:.4}");
            (State::Bad, detail)
        }
        Err(error @ ModelError::NotInstalled { .. }) => (State::Missing, error.to_string()),
        Err(error) => (State::Bad, error.to_string()),
    };
    Item { name: "model", state, detail }
}

/// What chgnet 0.4.2 with the weights 0.3.0 says of the cell below (eV/atom).
const REFERENCE_ENERGY: f64 = -8.418_260;

fn reference_energy() -> Result<(String, f64), ModelError> {
    let potential = Chgnet::load(&weights::data_dir(), &Device::Cpu)?;
    let bad = |what: &str| ModelError::BadWeights(format!("SrTiO3 cannot be computed: {what}"));
    let lattice =
        Lattice::from_parameters([3.905; 3], [90.0; 3]).map_err(|e| bad(&e.to_string()))?;
    let site = |symbol: &str, frac: [f64; 3]| {
        let element = Element::from_symbol(symbol).ok_or_else(|| bad(symbol))?;
        Ok::<_, ModelError>(Site::new(element, frac.into()))
    };
    let sites = vec![
        site("Sr", [0.0, 0.0, 0.0])?,
        site("Ti", [0.5, 0.5, 0.5])?,
        site("O", [0.5, 0.5, 0.0])?,
        site("O", [0.5, 0.0, 0.5])?,
        site("O", [0.0, 0.5, 0.5])?,
    ];
    let evaluation = potential
        .evaluate(&[&Structure { lattice, sites }])
        .pop()
        .unwrap_or_else(|| Err(bad("no answer")))?;
    let provenance = potential.provenance();
    let name = format!("{} {} on {}", provenance.model, provenance.version, provenance.device);
    Ok((name, evaluation.energy_per_atom))
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
