//! Rewriting a block as P 1 with every atom listed.

mod displacements;
mod items;
mod labels;
mod rows;

use cellwright_crystal::Structure;
use cellwright_crystal::symmetry::Operation;

use super::cif::Change;
use super::{EditError, Update, notes};
use crate::cif::{Loop, Value};
use crate::reading::names::{Names, Place};
use crate::reading::{sites, symmetry};
use crate::text::{Span, TextEdit};

/// Decimals of the coordinates of atoms that were not written before: enough that thirds survive.
const LEAST: usize = 6;

/// What the items that tell the space group say in P 1.
const SYMBOLS: [(&[&str], &str); 11] = [
    (&symmetry::HERMANN_MAUGUIN, "'P 1'"),
    (&symmetry::HALL, "'P 1'"),
    (&symmetry::NUMBER, "1"),
    (&["_symmetry_cell_setting", "_space_group_crystal_system"], "triclinic"),
    (&["_space_group_laue_class"], "-1"),
    (&["_space_group_point_group_h-m"], "1"),
    (&["_space_group_patterson_name_h-m"], "'P -1'"),
    (&["_space_group_bravais_type"], "aP"),
    (&["_space_group_centring_type"], "P"),
    (&["_space_group_magn_name_bns"], "'P 1'"),
    (&["_space_group_magn_number_bns"], "1.1"),
];

/// Names of the lists of operations.
const LISTS: [[&str; 2]; 3] = [symmetry::XYZ, symmetry::MAGNETIC_XYZ, symmetry::MAGNETIC_CENTRING];

/// What the columns that tell a site's symmetry say in P 1.
const SITE_SYMMETRY: [(&str, &str); 5] = [
    ("_atom_site_symmetry_multiplicity", "1"),
    ("_atom_site_site_symmetry_multiplicity", "1"),
    ("_atom_site_site_symmetry_order", "1"),
    ("_atom_site_wyckoff_symbol", "a"),
    ("_atom_site_wyckoff_label", "a"),
];

/// An atom of the cell that had no row of its own.
struct Added {
    /// Row that it is an image of, index into the sites of the reading.
    row: usize,
    /// The operation that makes the image, index into the operations of the reading.
    operation: usize,
    /// Its label; `None` where the rows have none.
    label: Option<String>,
}

/// All edits: cell, coordinates, symmetry, and a row for every further atom.
///
/// # Errors
/// [`EditError::OneLoop`].
pub(super) fn update(change: &Change, new: &Structure) -> Result<Update, EditError> {
    let names = Names::new(change.block);
    if operations_among_atoms(&names) {
        return Err(EditError::OneLoop);
    }
    let mut edits = change.cell(&names);
    let mut notes = Vec::new();
    edits.extend(operations(change.text, &names));
    for (list, value) in SYMBOLS {
        let places = list.iter().filter_map(|n| names.place(n));
        for written in places.flat_map(|p| (0..p.rows()).filter_map(move |row| p.get(row))) {
            // A symbol in the loop of the operations may go with its row.
            let gone =
                |e: &TextEdit| e.span.start <= written.span.start && written.span.end <= e.span.end;
            if !written.is_null(change.text) && !edits.iter().any(gone) {
                edits.extend(replace(change.text, written, value));
            }
        }
    }
    match sites::table(&names) {
        Some(Place::Column(table, _)) => {
            edits.extend(change.coordinates(&names));
            let (rows, added) = rows::Rows { change, names: &names, table, new }.edits();
            edits.extend(rows);
            let (turned, note) = displacements::edits(change, &names, &added);
            edits.extend(turned);
            notes.extend(note);
            notes.extend(notes::moments(change, added.len()));
        }
        Some(Place::Item(_)) => edits.extend(items::as_loop(change, &names, new)),
        None => {}
    }
    notes.extend(notes::geometry(change));
    Ok(Update { edits, notes })
}

/// Whether one loop lists operations and atoms, or their displacements.
fn operations_among_atoms(names: &Names) -> bool {
    LISTS.iter().flatten().any(|name| match names.place(name) {
        Some(Place::Column(table, _)) => {
            table.names.iter().any(|n| n.value.starts_with("_atom_site"))
        }
        _ => false,
    })
}

/// Replaces a value by another one, if it is another one.
fn replace(text: &str, written: &Value, new: &str) -> Option<TextEdit> {
    let same = written.text(text).trim() == new.trim_matches('\'');
    (!same).then(|| TextEdit::replace(written.span, new))
}

/// Leaves the identity of every list of operations.
fn operations(text: &str, names: &Names) -> Vec<TextEdit> {
    let mut edits = Vec::new();
    for (name, magnetic) in LISTS.iter().flatten().zip([false, false, true, true, true, true]) {
        let identity = if magnetic { "x,y,z,+1" } else { "x,y,z" };
        match names.place(name) {
            Some(Place::Item(item)) => {
                let written = item.value.iter().filter(|v| !is_identity(text, v));
                edits.extend(written.map(|v| TextEdit::replace(v.span, identity)));
            }
            Some(Place::Column(table, column)) => {
                edits.extend(keep_identity(text, table, column, identity));
            }
            None => {}
        }
    }
    edits
}

/// Deletes all rows but the identity's; where there is none the first row becomes it.
fn keep_identity(text: &str, table: &Loop, column: usize, identity: &str) -> Vec<TextEdit> {
    let rows: Vec<&[Value]> = table.rows().filter(|row| row.len() == table.names.len()).collect();
    let Some(first) = rows.first() else { return Vec::new() };
    let keep = rows.iter().find(|row| is_identity(text, &row[column])).unwrap_or(first);
    let (Some(begin), Some(end)) = (table.values.first(), table.values.last()) else {
        return Vec::new();
    };
    let kept = keep[0].span.cover(keep[keep.len() - 1].span);
    let mut edits = Vec::new();
    if begin.span.start < kept.start {
        edits.push(TextEdit::delete(Span::new(begin.span.start, kept.start)));
    }
    if !is_identity(text, &keep[column]) {
        edits.push(TextEdit::replace(keep[column].span, identity));
    }
    if kept.end < end.span.end {
        edits.push(TextEdit::delete(Span::new(kept.end, end.span.end)));
    }
    edits
}

fn is_identity(text: &str, value: &Value) -> bool {
    let written = value.text(text);
    let xyz = written.trim().trim_end_matches(",+1").trim_end_matches(", +1");
    xyz.parse::<Operation>().is_ok_and(|op| op.same(&Operation::identity(), 1e-6))
}
