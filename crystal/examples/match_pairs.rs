//! Times structure matching for `tests/bench/crystal/matching.py`: one JSON object a line comes in,
//! `{"a", "b", "ltol", "stol", "angle_tol"}` with structures as `{"lattice", "species", "frac"}`, and one goes
//! out, `{"seconds", "prepared", "rms", "max"}`: the time of reduction and match, that of the match alone,
//! and the answer. Lattices are a, b, c (Å), α, β, γ (degrees), species symbols.

use std::io::{BufRead, Write};
use std::time::Instant;

use cellwright_crystal::matching::Matcher;
use cellwright_crystal::{Lattice, Site, Structure};
use nalgebra::Vector3;
use serde_json::{Value, json};

/// Median time of this many runs, after one that fills the caches.
const RUNS: usize = 9;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let question: Value = serde_json::from_str(&line?)?;
        let answer = answer(&question).ok_or("the pair cannot be read")?;
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(question: &Value) -> Option<Value> {
    let [ltol, stol, angle_tol] =
        ["ltol", "stol", "angle_tol"].map(|key| question[key].as_f64().unwrap_or(f64::NAN));
    let matcher = Matcher { ltol, stol, angle_tol, ..Matcher::default() };
    let (a, b) = (structure(&question["a"])?, structure(&question["b"])?);
    let prepare = || Some((matcher.prepare(&a).ok()?, matcher.prepare(&b).ok()?));
    let (first, second) = prepare()?;
    let seconds = timed(|| prepare().map(|(first, second)| matcher.rms(&first, &second)));
    let prepared = timed(|| matcher.rms(&first, &second));
    let found = matcher.rms(&first, &second);
    let (rms, max) = found.map(|found| (found.rms, found.max)).unzip();
    Some(json!({"seconds": seconds, "prepared": prepared, "rms": rms, "max": max}))
}

fn timed<T>(run: impl Fn() -> T) -> f64 {
    std::hint::black_box(run());
    let mut times = [0.0; RUNS];
    for time in &mut times {
        let start = Instant::now();
        std::hint::black_box(run());
        *time = start.elapsed().as_secs_f64();
    }
    times.sort_by(f64::total_cmp);
    times[RUNS / 2]
}

fn structure(value: &Value) -> Option<Structure> {
    let numbers = |value: &Value| -> Option<Vec<f64>> {
        value.as_array()?.iter().map(Value::as_f64).collect()
    };
    let [a, b, c, alpha, beta, gamma] = numbers(&value["lattice"])?.try_into().ok()?;
    let lattice = Lattice::from_parameters([a, b, c], [alpha, beta, gamma]).ok()?;
    let species = value["species"].as_array()?.iter();
    let site = |(symbol, frac): (&Value, &Value)| {
        let frac: [f64; 3] = numbers(frac)?.try_into().ok()?;
        Some(Site::new(symbol.as_str()?.parse().ok()?, Vector3::from(frac)))
    };
    let sites = species.zip(value["frac"].as_array()?).map(site).collect::<Option<_>>()?;
    Some(Structure { lattice, sites })
}
