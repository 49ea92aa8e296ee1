//! `cellwright lsp`: the language server on stdin and stdout.

use anyhow::Result;

use crate::output::Outcome;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Accepted for editors that pass it; stdin and stdout are the only way there is.
    #[arg(long)]
    stdio: bool,
}

pub(crate) fn run(_: &Args) -> Result<Outcome> {
    let own = std::env::current_exe()?;
    let worker_command = vec![own.to_string_lossy().into_owned(), "worker".to_owned()];
    match cellwright_lsp::serve_stdio(cellwright_lsp::Options { worker_command })? {
        0 => Ok(Outcome::Clean),
        // The protocol asks for 1 when the client ends without having said goodbye.
        _ => Ok(Outcome::Findings),
    }
}
