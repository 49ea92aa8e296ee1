//! Writing a POSCAR.

use std::fmt::Write;

use cellwright_crystal::{Element, Structure};

use super::PoscarError;
use crate::edit::number::fixed;
use crate::poscar::Mode;

/// Decimals of vectors (Å) and coordinates.
const DECIMALS: usize = 10;

pub(super) fn write(
    structure: &Structure,
    comment: &str,
    mode: Mode,
) -> Result<String, PoscarError> {
    if structure.is_empty() {
        return Err(PoscarError::Empty);
    }
    let partial = structure.sites.iter().filter(|s| (s.occupancy - 1.0).abs() >= 1e-6).count();
    if partial > 0 {
        return Err(PoscarError::Disordered(partial));
    }
    // One line, whatever it was: a line break in it would move every line below.
    let comment = comment.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = format!("{comment}\n1.0\n");
    for row in structure.lattice.matrix().row_iter() {
        line(&mut out, row.iter().copied());
    }
    let mut species: Vec<Option<Element>> = Vec::new();
    for site in &structure.sites {
        if !species.contains(&site.element) {
            species.push(site.element);
        }
    }
    let count = |e: &Option<Element>| structure.sites.iter().filter(|s| s.element == *e).count();
    let counts: Vec<String> = species.iter().map(|e| count(e).to_string()).collect();
    let names: Vec<&str> = species.iter().map(|e| e.map_or("X", Element::symbol)).collect();
    let row = |words: &mut dyn Iterator<Item = &str>| {
        words.map(|w| format!(" {w:>4}")).collect::<String>()
    };
    let _ = writeln!(out, "{}", row(&mut names.iter().copied()));
    let _ = writeln!(out, "{}", row(&mut counts.iter().map(String::as_str)));
    out.push_str(match mode {
        Mode::Direct => "Direct\n",
        Mode::Cartesian => "Cartesian\n",
    });
    for element in species {
        for site in structure.sites.iter().filter(|s| s.element == element) {
            let position = match mode {
                Mode::Direct => site.frac,
                Mode::Cartesian => structure.lattice.to_cartesian(&site.frac),
            };
            line(&mut out, position.iter().copied());
        }
    }
    Ok(out)
}

/// Three numbers in line.
pub(crate) fn line(out: &mut String, numbers: impl Iterator<Item = f64>) {
    for x in numbers {
        let _ = write!(out, " {:>w$}", fixed(x, DECIMALS), w = DECIMALS + 5);
    }
    out.push('\n');
}
