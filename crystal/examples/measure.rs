//! Times reduction, neighbours, symmetry and bond valences for `tests/bench/crystal/core.py` and `bond_valence.py`:
//! one JSON object a line comes in, `{"task", "lattice", "species", "frac", "parameter"}`, and one goes out,
//! `{"seconds", "answer"}`. Lattice vectors are rows in Å, species atomic numbers; the parameter is the tolerance,
//! the cutoff in Å, symprec or the b of bond valences, for which "states" gives the states, or null for those that
//! leave no choice.

use std::io::{BufRead, Write};
use std::time::Instant;

use cellwright_crystal::charge::bond_valence::{Bonds, bond_valence_sums};
use cellwright_crystal::charge::certain_states;
use cellwright_crystal::neighbors::neighbors;
use cellwright_crystal::reduction::niggli;
use cellwright_crystal::symmetry::detect;
use cellwright_crystal::{Element, Lattice, Site, Structure};
use nalgebra::{Matrix3, Vector3};
use serde_json::{Value, json};

/// Median time of this many runs, after one that fills the caches.
const RUNS: usize = 9;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = answer(&serde_json::from_str(&line?)?)?;
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(question: &Value) -> Result<Value, Box<dyn std::error::Error>> {
    let structure = structure(question).ok_or("the structure cannot be read")?;
    let parameter = question["parameter"].as_f64().ok_or("there is no parameter")?;
    let lattice = &structure.lattice;
    match question["task"].as_str() {
        Some("niggli") => {
            let (seconds, reduced) = timed(|| niggli(lattice, parameter));
            let reduced = reduced?.lattice;
            let cell = [reduced.lengths(), reduced.angles()].concat();
            Ok(json!({"seconds": seconds, "answer": cell}))
        }
        Some("neighbors") => {
            let frac = structure.fractional();
            let (seconds, list) = timed(|| neighbors(lattice, &frac, parameter));
            let list = list?;
            let sum: f64 = list.iter().map(|(_, n)| n.distance).sum();
            Ok(json!({"seconds": seconds, "answer": [list.pairs() as f64, sum]}))
        }
        Some("symmetry") => {
            let (seconds, found) = timed(|| detect(&structure, parameter));
            let found = found?;
            Ok(json!({"seconds": seconds, "answer": [found.number, found.operations.len()]}))
        }
        Some("bond_valence") => {
            let states: Option<Vec<f64>> = serde_json::from_value(question["states"].clone())?;
            let Some(states) = states.or_else(|| certain_states(&structure)) else {
                return Ok(json!({"seconds": 0.0, "answer": {"states": null, "sums": null}}));
            };
            let bonds = Bonds { decay: parameter, ..Bonds::default() };
            let (seconds, sums) = timed(|| bond_valence_sums(&structure, &states, bonds));
            Ok(json!({"seconds": seconds, "answer": {"states": states, "sums": sums?}}))
        }
        _ => Err("the task is niggli, neighbors, symmetry or bond_valence".into()),
    }
}

fn timed<T>(mut run: impl FnMut() -> T) -> (f64, T) {
    let mut result = run();
    let mut times = [0.0; RUNS];
    for time in &mut times {
        let start = Instant::now();
        result = run();
        *time = start.elapsed().as_secs_f64();
    }
    times.sort_by(f64::total_cmp);
    (times[RUNS / 2], result)
}

fn structure(question: &Value) -> Option<Structure> {
    let rows: [[f64; 3]; 3] = serde_json::from_value(question["lattice"].clone()).ok()?;
    let species: Vec<u8> = serde_json::from_value(question["species"].clone()).ok()?;
    let frac: Vec<[f64; 3]> = serde_json::from_value(question["frac"].clone()).ok()?;
    let lattice = Lattice::from_rows(Matrix3::from_fn(|i, j| rows[i][j])).ok()?;
    let site = |(z, f): (u8, [f64; 3])| Some(Site::new(Element::from_z(z)?, Vector3::from(f)));
    let sites: Option<Vec<Site>> = species.into_iter().zip(frac).map(site).collect();
    Some(Structure { lattice, sites: sites? })
}
