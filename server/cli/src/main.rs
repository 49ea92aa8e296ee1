//! The one binary: command line, language server and inference worker. Everything it does is done by
//! the crates below it; here are only arguments, files, tables and exit codes.

mod commands;
mod files;
mod geometry;
mod lines;
mod model;
mod output;
mod plot;
mod report;
mod sampling;
mod structures;
mod wrap;
mod write_back;

use std::process::ExitCode;

use clap::{ColorChoice, Parser};

use crate::output::Outcome;

const AFTER_HELP: &str = "\
Exit codes: 0 nothing found, 1 something found, 2 something could not be done.
Results go to stdout, everything else to stderr. Every command that gives results takes
--format json; `cellwright schema` prints what the JSON looks like.
Nothing is sent over a network; `models pull` is the only command that fetches anything.

Examples:
  cellwright check structures/            every CIF and POSCAR below a folder
  cellwright info LiFePO4.cif --sites     formula, space group, density, every atom
  cellwright valid LiFePO4 'Fe0.95 O'     whether the charges of a formula can add up
  cellwright relax POSCAR -o CONTCAR      relax the positions by learned energy
  cellwright convert rutile.cif -o POSCAR";

/// Checks crystal structure files (CIF, POSCAR/CONTCAR) and computes learned energies.
#[derive(Debug, Parser)]
#[command(name = "cellwright", version, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: commands::Command,

    /// Colours in text output.
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
}

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.color {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    start_log();
    let outcome = commands::run(cli.command).unwrap_or_else(|error| {
        // A closed pipe (`cellwright check … | head`) is the reader's wish, not a failure.
        if output::is_broken_pipe(&error) {
            return Outcome::Clean;
        }
        output::complain(&format!("{error:#}"));
        Outcome::Failed
    });
    ExitCode::from(outcome as u8)
}

/// Logs go to stderr, at the level that `CELLWRIGHT_LOG` asks for (`warn` without it).
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("CELLWRIGHT_LOG")
        // The symmetry library warns of cells that it handles all the same.
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,moyo=error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}
