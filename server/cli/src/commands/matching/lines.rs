//! Many pairs, one JSON object a line: one that cannot be read or matched is answered with the reason.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use anyhow::{Context, Result};
use cellwright_crystal::matching::Matcher;
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use crate::output::{self, Format, Outcome};

use super::{Answer, Args, compare, sides};

/// Lines that are read, matched on all processors, and answered, at a time.
const CHUNK: usize = 1024;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    #[serde(default)]
    a: Value,
    #[serde(default)]
    b: Value,
    #[serde(default)]
    id: Value,
}

pub(super) fn run(args: &Args, matcher: &Matcher, path: &Path) -> Result<Outcome> {
    let reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        Box::new(BufReader::new(file))
    };
    let mut outcome = Outcome::Clean;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut lines = reader.split(b'\n').enumerate();
    loop {
        // Blank lines are no pairs; those that are not UTF-8 are no JSON either and are told so.
        let blank = |line: &[u8]| line.iter().all(u8::is_ascii_whitespace);
        let mut chunk = Vec::with_capacity(CHUNK);
        for (number, line) in lines.by_ref() {
            let line = line.with_context(|| path.display().to_string())?;
            if !blank(&line) {
                chunk.push((number + 1, line));
            }
            if chunk.len() == CHUNK {
                break;
            }
        }
        if chunk.is_empty() {
            out.flush()?;
            return Ok(outcome);
        }
        let answers: Vec<_> = chunk
            .par_iter()
            .map(|(number, line)| Answer { line: Some(*number), ..answer(args, matcher, line) })
            .collect();
        for answer in answers {
            outcome = outcome.max(answer.outcome());
            match (args.format, &answer.error) {
                (Format::Json, _) => {
                    serde_json::to_writer(&mut out, &answer)?;
                    out.write_all(b"\n")?;
                }
                (Format::Text, None) => writeln!(out, "{}", summary(&answer))?,
                (Format::Text, Some(error)) => {
                    output::complain(&format!("{}: {error}", name(&answer)));
                }
            }
        }
        out.flush()?;
    }
}

fn answer(args: &Args, matcher: &Matcher, line: &[u8]) -> Answer {
    let failed = |id: Value, error: &anyhow::Error| Answer {
        id,
        error: Some(format!("{error:#}")),
        ..Answer::default()
    };
    let pair: Pair = match serde_json::from_slice(line) {
        Ok(pair) => pair,
        Err(error) => return failed(Value::Null, &error.into()),
    };
    let compared = (|| {
        let a = sides::read(&pair.a).context("a")?;
        let b = sides::read(&pair.b).context("b")?;
        compare(args, matcher, &a, &b)
    })();
    match compared {
        Ok(answer) => Answer { id: pair.id, ..answer },
        Err(error) => failed(pair.id, &error),
    }
}

fn name(answer: &Answer) -> String {
    match &answer.id {
        Value::Null => answer.line.map_or(String::new(), |line| format!("line {line}")),
        Value::String(id) => id.clone(),
        id => id.to_string(),
    }
}

fn summary(answer: &Answer) -> String {
    let name = name(answer);
    let (Some(rms), Some(max)) = (answer.rms, answer.max) else {
        return format!("{name}: no match");
    };
    let fits = if answer.fit == Some(true) { "fit" } else { "no fit" };
    format!("{name}: rms {rms:.6}, max {max:.6}, {fits}")
}
