//! Many compositions, one answer a line; can be stopped at any time and taken up again.

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde::Deserialize;

use super::answer::Answer;
use super::asker::Asker;
use super::question::question;
use super::{Args, lines};
use crate::output::{self, Outcome};

/// Compositions between two writes, and where each takes seconds.
const PART: usize = 64;
const SLOW_PART: usize = 4;

#[derive(Deserialize)]
struct Done {
    composition: String,
}

pub(super) fn run(args: &Args, asker: &Asker, input: &PathBuf, out: &Path) -> Result<Outcome> {
    let mut wanted = lines(input)?;
    let done = resume(out)?;
    wanted.retain(|composition| !done.contains(composition));
    let context = || format!("cannot write {}", out.display());
    let mut file = OpenOptions::new().create(true).append(true).open(out).with_context(context)?;
    let bar = ProgressBar::new(wanted.len() as u64)
        .with_style(ProgressStyle::with_template("{wide_bar} {pos}/{len}, {elapsed}, {eta} left")?);
    let mut outcome = Outcome::Clean;
    for part in wanted.chunks(if asker.is_slow() { SLOW_PART } else { PART }) {
        let answers: Vec<(Outcome, String)> =
            part.par_iter().map(|text| answer(text, args, asker)).collect::<Result<_>>()?;
        for (one, line) in answers {
            outcome = outcome.max(one);
            file.write_all(line.as_bytes()).with_context(context)?;
        }
        file.flush().with_context(context)?;
        bar.inc(part.len() as u64);
    }
    bar.finish_and_clear();
    output::tell(&format!(
        "{}: {} answers, {} of them there already",
        out.display(),
        wanted.len() + done.len(),
        done.len()
    ));
    Ok(outcome)
}

fn answer(text: &str, args: &Args, asker: &Asker) -> Result<(Outcome, String)> {
    let predicted =
        question(text, args).and_then(|request| Ok(asker.predict(&request, &mut |_| ())?));
    Ok(match predicted {
        Ok(prediction) if prediction.candidates.is_empty() => {
            (Outcome::Findings, Answer::new(text, &prediction).line()?)
        }
        Ok(prediction) => (Outcome::Clean, Answer::new(text, &prediction).line()?),
        Err(error) => (Outcome::Failed, Answer::failed(text, format!("{error:#}")).line()?),
    })
}

/// Compositions that were answered already. A last line that was not written to its end is cut off.
fn resume(out: &Path) -> Result<HashSet<String>> {
    if !out.exists() {
        return Ok(HashSet::new());
    }
    let context = || format!("{} cannot be read", out.display());
    let text = std::fs::read_to_string(out).with_context(context)?;
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    let mut done = HashSet::new();
    for (i, line) in text[..whole].lines().enumerate() {
        let line: Done = serde_json::from_str(line)
            .with_context(|| format!("{} line {} is no answer", out.display(), i + 1))?;
        done.insert(line.composition);
    }
    if whole < text.len() {
        let file = OpenOptions::new().write(true).open(out).with_context(context)?;
        file.set_len(whole as u64).with_context(context)?;
    }
    Ok(done)
}
