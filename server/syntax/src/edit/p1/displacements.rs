//! Anisotropic displacements of the atoms that are written out: those of their original, turned by the operation.
//!
//! With the operation's rotation W, the mean square displacements `M = D U D` along the cell vectors, D diagonal with the
//! reciprocal lengths a*, b*, c*, become `W M Wᵀ` (Trueblood et al., Acta Cryst. A52 (1996) 770, section 2); B goes as U,
//! and β is M itself but for a factor.

use nalgebra::{Matrix3, Vector3};

use super::super::cell::line_end;
use super::super::cif::Change;
use super::super::columns::Alignment;
use super::super::number;
use super::Added;
use super::rows::{Token, behind, copy};
use crate::cif::{Loop, Value};
use crate::reading::names::{Names, Place};
use crate::text::{Span, TextEdit};

/// The six components as names end, with their place in the matrix.
const COMPONENTS: [(&str, usize, usize); 6] =
    [("11", 0, 0), ("22", 1, 1), ("33", 2, 2), ("12", 0, 1), ("13", 0, 2), ("23", 1, 2)];

/// Fewest decimals of a turned component.
const LEAST: usize = 4;

/// The kinds of displacement parameters: how names begin, and whether the components are in units of a*.
const KINDS: [(&str, bool); 3] = [
    ("_atom_site_aniso_u_", true),
    ("_atom_site_aniso_b_", true),
    ("_atom_site_aniso_beta_", false),
];

/// Rows for the added atoms in a loop of its own, and what is to be said of it.
pub(super) fn edits(
    change: &Change,
    names: &Names,
    added: &[Added],
) -> (Vec<TextEdit>, Option<String>) {
    let Some(labels) = names.place("_atom_site_aniso_label") else { return (Vec::new(), None) };
    let Place::Column(table, _) = labels else { return (Vec::new(), None) };
    if names.place("_atom_site_label").is_some_and(|atoms| atoms.beside(labels)) {
        return (Vec::new(), None);
    }
    let width = table.names.len();
    let (text, mut edits, mut lost) = (change.text, Vec::new(), 0);
    let (_, line_break) = line_end(text, table.keyword);
    for (row, values) in table.rows().enumerate().filter(|(_, values)| values.len() == width) {
        let Some(label) = labels.get(row) else { continue };
        let site =
            |image: &&Added| change.reading.sites[image.row].label == label.text(text).trim();
        let mut copies = String::new();
        for image in added.iter().filter(site) {
            let turned = turned(change, names, table, row, image.operation);
            let (Some(new), Some(mut tokens)) = (&image.label, turned) else {
                lost += 1;
                continue;
            };
            let written = label.span.text(text).replacen(label.text(text).trim(), new, 1);
            tokens.push((label.span, written, Alignment::LEFT));
            copies.push_str(line_break);
            copies.push_str(&copy(text, span(values), tokens));
        }
        if !copies.is_empty() {
            edits.push(TextEdit::insert(behind(text, span(values)), copies));
        }
    }
    let note = (lost > 0).then(|| {
        format!("the anisotropic displacements of {lost} new atoms are not given: they could not be computed")
    });
    (edits, note)
}

/// The turned components for the copy of a row of atoms, where they stand in the same row.
pub(super) fn beside(change: &Change, names: &Names, table: &Loop, image: &Added) -> Vec<Token> {
    turned(change, names, table, image.row, image.operation).unwrap_or_default()
}

/// The components of a row of `table`, turned, and their uncertainties, which nobody knows then. `None` where a component is
/// missing or no number.
fn turned(
    change: &Change,
    names: &Names,
    table: &Loop,
    row: usize,
    operation: usize,
) -> Option<Vec<Token>> {
    let text = change.text;
    let here = |name: &str| {
        let place = names.place(name)?;
        let Place::Column(other, _) = place else { return None };
        std::ptr::eq(other, table).then(|| place.get(row))?
    };
    let rotation = change.reading.symmetry.operations.get(operation)?.rotation.cast::<f64>();
    let inverse = change.old.matrix().try_inverse()?;
    let lengths = Vector3::from_fn(|i, _| inverse.column(i).norm());
    let mut tokens = Vec::new();
    for (kind, scaled) in KINDS {
        let Some(values) = COMPONENTS
            .map(|(ij, ..)| here(&format!("{kind}{ij}")))
            .into_iter()
            .collect::<Option<Vec<_>>>()
        else {
            continue;
        };
        let numbers: Vec<_> = values.iter().map(|v| v.number(text)).collect::<Option<_>>()?;
        let mut matrix = Matrix3::zeros();
        for ((_, i, j), number) in COMPONENTS.into_iter().zip(&numbers) {
            matrix[(i, j)] = number.value;
            matrix[(j, i)] = number.value;
        }
        let scale = if scaled { Matrix3::from_diagonal(&lengths) } else { Matrix3::identity() };
        let turn = scale.try_inverse()? * rotation * scale;
        let matrix = turn * matrix * turn.transpose();
        let decimals = numbers.iter().map(|n| usize::from(n.decimals)).max().unwrap_or(LEAST);
        for ((ij, i, j), value) in COMPONENTS.into_iter().zip(values) {
            let number = number::fixed(matrix[(i, j)], decimals.clamp(LEAST, 16));
            tokens.push((value.span, number, Alignment::LEFT));
            for end in ["_su", "_esd"] {
                let uncertainty = here(&format!("{kind}{ij}{end}"));
                tokens.extend(uncertainty.map(|v| (v.span, ".".to_owned(), Alignment::LEFT)));
            }
        }
    }
    (!tokens.is_empty()).then_some(tokens)
}

fn span(row: &[Value]) -> Span {
    row[0].span.cover(row[row.len() - 1].span)
}
