//! Key press to diagnostics: one coordinate of an open file is edited so that two atoms collide; the
//! clock stops when the diagnostics of that version name the collision. A peer server knows no
//! collisions: there the clock stops at the first diagnostics after the edit.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Value, json};

use super::client::Client;
use super::documents::{Coordinate, Document, WIDTH, rock_salt};
use crate::output::{self, Format, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Edits to time for each file size.
    #[arg(long, default_value_t = 21)]
    edits: usize,

    /// Command line of another language server to time the same way in the same run.
    #[arg(long, value_name = "COMMAND")]
    peer: Option<String>,

    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Times for one server and one file size.
#[derive(Debug, Serialize)]
struct Row {
    server: String,
    sites: usize,
    bytes: usize,
    /// Opening to first diagnostics, ms.
    open_ms: f64,
    /// Edit to its diagnostics, ms.
    median_ms: f64,
    min_ms: f64,
    max_ms: f64,
    /// Resident memory after the edits, MiB.
    memory_mib: Option<f64>,
}

/// Atoms along an edge: 8, 216, 1000 and about 21 000 sites (0.5, 9, 40 and 1000 kB).
const EDGES: [usize; 4] = [2, 6, 10, 28];

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let own = std::env::current_exe()?.display().to_string();
    let mut rows = Vec::new();
    for edge in EDGES {
        rows.push(measure("cellwright", &own, &["lsp".to_owned()], edge, args.edits, &OWN)?);
        if let Some(peer) = &args.peer {
            let mut words = peer.split_whitespace().map(str::to_owned);
            let program = words.next().context("--peer is empty")?;
            let rest: Vec<_> = words.collect();
            rows.push(measure("peer", &program, &rest, edge, args.edits, &PEER)?);
        }
    }
    match args.format {
        Format::Json => output::print_json(&rows)?,
        Format::Text => output::print(&table(&rows))?,
    }
    Ok(Outcome::Clean)
}

/// How published diagnostics are told apart.
struct Signs {
    /// The collision is known.
    bad: fn(&Value) -> bool,
    /// The collision is known to be gone.
    good: fn(&Value) -> bool,
}

const OWN: Signs = Signs { bad: collides, good: |m| !collides(m) };
const PEER: Signs = Signs { bad: |_| true, good: |_| true };

/// Whether published diagnostics name a collision.
fn collides(message: &Value) -> bool {
    let list = message["params"]["diagnostics"].as_array();
    list.is_some_and(|list| list.iter().any(|d| d["code"] == "short-distance"))
}

fn measure(
    server: &str,
    program: &str,
    args: &[String],
    edge: usize,
    edits: usize,
    signs: &Signs,
) -> Result<Row> {
    if edits == 0 {
        bail!("--edits must be at least 1");
    }
    let (document, coordinate) = rock_salt(edge);
    let mut client = Client::start(program, args)?;
    let uri = "file:///tmp/cellwright-bench.cif";
    let start = Instant::now();
    client.notify(
        "textDocument/didOpen",
        &json!({ "textDocument": { "uri": uri, "languageId": "cif", "version": 1, "text": document.text } }),
    )?;
    let (opened, _) = client.wait(|m| m["method"] == "textDocument/publishDiagnostics")?;
    let mut times = Vec::new();
    for round in 0..edits {
        // Two versions a round: the collision, whose diagnostics are timed, and the way back.
        let version = 2 * round + 2;
        times.push(edit(&mut client, uri, &document, &coordinate, version, signs)?);
    }
    times.sort_unstable();
    let memory_mib = resident_mib(client.pid());
    client.stop()?;
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    Ok(Row {
        server: server.to_owned(),
        sites: document.sites,
        bytes: document.text.len(),
        open_ms: ms(opened - start),
        median_ms: ms(times[times.len() / 2]),
        min_ms: ms(times[0]),
        max_ms: ms(times[times.len() - 1]),
        memory_mib,
    })
}

fn edit(
    client: &mut Client,
    uri: &str,
    document: &Document,
    coordinate: &Coordinate,
    version: usize,
    signs: &Signs,
) -> Result<Duration> {
    let start = Instant::now();
    client.notify("textDocument/didChange", &change(uri, document, &coordinate.bad, version))?;
    let published = |m: &Value, version: usize| {
        m["method"] == "textDocument/publishDiagnostics"
            && (m["params"]["version"].is_null() || m["params"]["version"] == version)
    };
    let (at, _) = client.wait(|m| published(m, version) && (signs.bad)(m))?;
    client
        .notify("textDocument/didChange", &change(uri, document, &coordinate.good, version + 1))?;
    client.wait(|m| published(m, version + 1) && (signs.good)(m))?;
    Ok(at - start)
}

fn change(uri: &str, document: &Document, text: &str, version: usize) -> Value {
    let at = |column: u32| json!({ "line": document.line, "character": column });
    json!({
        "textDocument": { "uri": uri, "version": version },
        "contentChanges": [{
            "range": { "start": at(document.column), "end": at(document.column + WIDTH) },
            "text": text,
        }],
    })
}

/// Resident memory of a process (MiB), where the system tells.
fn resident_mib(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|l| l.starts_with("VmRSS:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

fn table(rows: &[Row]) -> String {
    let mut out =
        "server       sites      bytes    open ms  edit: median   min   max ms   memory MiB\n"
            .to_owned();
    for row in rows {
        let memory = row.memory_mib.map_or_else(|| "-".to_owned(), |m| format!("{m:.0}"));
        let _ = writeln!(
            out,
            "{:<10} {:>7} {:>10} {:>10.1} {:>13.1} {:>5.1} {:>8.1} {memory:>12}",
            row.server, row.sites, row.bytes, row.open_ms, row.median_ms, row.min_ms, row.max_ms
        );
    }
    out
}
