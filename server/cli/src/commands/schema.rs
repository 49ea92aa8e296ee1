//! `cellwright schema`: what the JSON of a command looks like.

use anyhow::{Result, bail};

use crate::output::{self, Outcome};

/// Command and schema; the schema's `$id` carries its version.
pub(crate) const SCHEMAS: &[(&str, &str)] = &[
    ("cell", include_str!("../../schemas/cell.v1.json")),
    ("check", include_str!("../../schemas/check.v1.json")),
    ("complete", include_str!("../../schemas/complete.v1.json")),
    ("convert", include_str!("../../schemas/convert.v1.json")),
    ("denoise", include_str!("../../schemas/denoise.v1.json")),
    ("doctor", include_str!("../../schemas/doctor.v1.json")),
    ("energy", include_str!("../../schemas/energy.v1.json")),
    ("eval", include_str!("../../schemas/eval.v1.json")),
    ("eval-finish", include_str!("../../schemas/eval-finish.v1.json")),
    ("generate", include_str!("../../schemas/generate.v1.json")),
    ("eval-generation", include_str!("../../schemas/eval-generation.v1.json")),
    ("eval-ssl", include_str!("../../schemas/eval-ssl.v1.json")),
    ("info", include_str!("../../schemas/info.v1.json")),
    ("library", include_str!("../../schemas/library.v1.json")),
    ("library-energies", include_str!("../../schemas/library-energies.v1.json")),
    ("match", include_str!("../../schemas/match.v1.json")),
    ("models", include_str!("../../schemas/models.v1.json")),
    ("predict", include_str!("../../schemas/predict.v1.json")),
    ("relax", include_str!("../../schemas/relax.v1.json")),
    ("substitutions", include_str!("../../schemas/substitutions.v1.json")),
    ("train", include_str!("../../schemas/train.v1.json")),
    ("valid", include_str!("../../schemas/valid.v1.json")),
];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Command whose `--format json` is meant; without it, the commands are listed.
    command: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let Some(command) = &args.command else {
        let names: String = SCHEMAS.iter().map(|(name, _)| format!("{name}\n")).collect();
        output::print(&names)?;
        return Ok(Outcome::Clean);
    };
    let Some((_, schema)) = SCHEMAS.iter().find(|(name, _)| name == command) else {
        bail!("'{command}' has no JSON output: `cellwright schema` lists the commands that have");
    };
    output::print(schema)?;
    Ok(Outcome::Clean)
}
