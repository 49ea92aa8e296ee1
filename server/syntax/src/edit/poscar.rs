//! New coordinates and a new cell for a POSCAR.

use cellwright_crystal::Lattice;
use nalgebra::{Matrix3, Vector3};

use super::columns::{self, Alignment};
use super::number;
use crate::poscar::{Mode, PoscarFile};
use crate::reading::{Reading, poscar};
use crate::text::TextEdit;
use crate::value::{Number, Spanned};

/// Fewest decimals that are rewritten. VASP takes every number at its face, there are no uncertainties that
/// would excuse coarse ones.
const LEAST: usize = 6;

/// The smallest edits that give the file a new lattice and new fractional coordinates (of its rows).
///
/// The scale stays: vectors and Cartesian coordinates are divided by it. Only a negative one, which is a volume, is
/// rewritten when the volume changes.
pub(super) fn update(
    text: &str,
    file: &PoscarFile,
    reading: &Reading,
    lattices: (&Lattice, &Lattice),
    rows: &[Option<Vector3<f64>>],
) -> Vec<TextEdit> {
    let (old, new) = lattices;
    let Some(scale) = poscar::scale(file) else { return Vec::new() };
    let mut edits = Vec::new();
    if !same(old.matrix(), new.matrix()) {
        if let [volume] = file.scale.as_slice()
            && volume.value.value < 0.0
        {
            edits.extend(replace(text, volume, -new.volume()));
        }
        let vectors: Vec<_> = file.lattice.iter().map(<[_; 3]>::each_ref).collect();
        edits.extend(table(text, &vectors, |i, j| Some(new.matrix()[(i, j)] / scale[j])));
    }
    let cartesian = file.mode.as_ref().is_some_and(|m| m.value == Mode::Cartesian);
    let wanted: Vec<Option<Vector3<f64>>> = rows
        .iter()
        .zip(&reading.sites)
        .map(|(frac, site)| {
            let frac = (*frac)?;
            if !cartesian {
                return Some(frac);
            }
            // The arithmetic of a way there and back must not show in an atom that did not move.
            if site.frac == Some(frac) && same(old.matrix(), new.matrix()) {
                return None;
            }
            Some(new.to_cartesian(&frac).component_div(&scale))
        })
        .collect();
    let atoms: Vec<_> = file.atoms.iter().map(|row| row.coordinates.each_ref()).collect();
    edits.extend(table(text, &atoms, |i, j| Some(wanted.get(i)?.as_ref()?[j])));
    edits
}

fn same(old: &Matrix3<f64>, new: &Matrix3<f64>) -> bool {
    (old - new).amax() <= 1e-9 * old.amax()
}

fn replace(text: &str, old: &Spanned<Number>, new: f64) -> Option<TextEdit> {
    let number = number::rewrite(old.span.text(text), old.value.value, new, LEAST)?;
    Some(TextEdit::replace(old.span, number))
}

/// Rewrites a table of three columns, keeping them in line.
fn table(
    text: &str,
    rows: &[[&Spanned<Number>; 3]],
    wanted: impl Fn(usize, usize) -> Option<f64>,
) -> Vec<TextEdit> {
    let alignments = [0, 1, 2].map(|j| {
        let spans: Vec<_> = rows.iter().map(|row| row[j].span).collect();
        Alignment::of(text, &spans)
    });
    let mut edits = Vec::new();
    let mut free = 0;
    for (i, row) in rows.iter().enumerate() {
        for (j, old) in row.iter().enumerate() {
            let Some(new) = wanted(i, j) else { continue };
            let written = old.span.text(text);
            let Some(new) = number::rewrite(written, old.value.value, new, LEAST) else { continue };
            let edit = columns::replace(text, old.span, new, alignments[j], free);
            free = edit.span.end;
            edits.push(edit);
        }
    }
    edits
}
