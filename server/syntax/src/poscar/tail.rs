//! Velocities behind the atoms.

use super::fields::Line;
use super::read::{Reader, Row};
use crate::problem::ProblemKind;

/// Reads the velocities of the atoms from the lines behind them: an empty line or one that names the
/// coordinate mode, then a row an atom. Lattice velocities may stand in between. The
/// predictor-corrector record that follows is left alone.
pub(super) fn read(reader: &mut Reader<'_>) {
    let mut at = reader.at;
    skip_blank(&reader.lines, &mut at);
    if starts_with(&reader.lines, at, &['l', 'L']) {
        // Header, initialisation state, three lattice velocities, three lattice vectors.
        at += 2;
        while reader.lines.get(at).is_some_and(|line| line.vector().is_some()) {
            at += 1;
        }
        skip_blank(&reader.lines, &mut at);
    }
    if starts_with(&reader.lines, at, &['c', 'C', 'k', 'K', 'd', 'D']) {
        at += 1;
    }
    let atoms = reader.file.atoms.len();
    let rows = reader.lines.get(at..).unwrap_or_default();
    let velocities: Vec<Row> = rows.iter().map_while(Line::vector).take(atoms).collect();
    if !velocities.is_empty() && velocities.len() < atoms {
        let last = rows[velocities.len() - 1].span;
        let n = velocities.len();
        let rows = if n == 1 { "row" } else { "rows" };
        let message = format!("{n} {rows} of velocities for {atoms} atoms");
        reader.push(ProblemKind::CountMismatch, last, message);
    }
    reader.file.velocities = velocities;
}

fn skip_blank(lines: &[Line<'_>], at: &mut usize) {
    while lines.get(*at).is_some_and(Line::is_blank) {
        *at += 1;
    }
}

fn starts_with(lines: &[Line<'_>], at: usize, letters: &[char]) -> bool {
    lines.get(at).is_some_and(|line| line.text.trim_start().starts_with(letters))
}
