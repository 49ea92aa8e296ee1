//! Rewriting a block as P 1 with every atom listed.

use std::collections::HashSet;

use cellwright_crystal::Structure;
use cellwright_crystal::structure::wrap_unit;
use cellwright_crystal::symmetry::Operation;
use nalgebra::Vector3;

use super::cell::line_end;
use super::cif::Change;
use super::columns::{self, Alignment};
use super::number;
use crate::cif::{Loop, Value};
use crate::reading::frame::Frame;
use crate::reading::names::{Names, Place};
use crate::reading::{AtomSite, sites, symmetry};
use crate::text::{Span, TextEdit, apply_edits};

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

/// What the columns that tell a site's symmetry say in P 1.
const SITE_SYMMETRY: [(&str, &str); 5] = [
    ("_atom_site_symmetry_multiplicity", "1"),
    ("_atom_site_site_symmetry_multiplicity", "1"),
    ("_atom_site_site_symmetry_order", "1"),
    ("_atom_site_wyckoff_symbol", "a"),
    ("_atom_site_wyckoff_label", "a"),
];

/// All edits: cell, coordinates, symmetry, and a row for every further atom.
pub(super) fn edits(change: &Change, new: &Structure) -> Vec<TextEdit> {
    let names = Names::new(change.block);
    let mut edits = change.cell(&names);
    edits.extend(operations(change.text, &names));
    for (list, value) in SYMBOLS {
        for written in list.iter().filter_map(|n| names.value(change.text, n)) {
            edits.extend(replace(change.text, written, value));
        }
    }
    match sites::table(&names) {
        Some(Place::Column(table, _)) => {
            edits.extend(change.coordinates(&names));
            edits.extend(Rows { change, names: &names, table, new }.edits());
        }
        Some(Place::Item(_)) => edits.extend(items_as_loop(change, &names, new)),
        None => {}
    }
    edits
}

/// Replaces a value by another one, if it is another one.
fn replace(text: &str, written: &Value, new: &str) -> Option<TextEdit> {
    let same = written.text(text).trim() == new.trim_matches('\'');
    (!same).then(|| TextEdit::replace(written.span, new))
}

/// Leaves the identity of every list of operations.
fn operations(text: &str, names: &Names) -> Vec<TextEdit> {
    let lists = [symmetry::XYZ, symmetry::MAGNETIC_XYZ, symmetry::MAGNETIC_CENTRING];
    let mut edits = Vec::new();
    for (name, magnetic) in lists.iter().flatten().zip([false, false, true, true, true, true]) {
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

/// The rows of a loop of atoms.
struct Rows<'a> {
    change: &'a Change<'a>,
    names: &'a Names<'a>,
    table: &'a Loop,
    new: &'a Structure,
}

impl Rows<'_> {
    fn edits(&self) -> Vec<TextEdit> {
        let Change { text, reading, .. } = *self.change;
        let mut edits = Vec::new();
        let mut labels = Labels::new(text, self.names);
        let alignments = self.change.alignments();
        let frame = self.frame();
        let (_, line_break) = line_end(text, self.table.keyword);
        let incomplete = self.table.values.len() % self.table.names.len();
        let mut images = self.images();
        for (row, site) in reading.sites.iter().enumerate() {
            if site.multiplicity > 0 {
                edits.extend(self.site_symmetry(row).filter_map(|(v, new)| replace(text, v, new)));
            }
            let images = std::mem::take(&mut images[row]);
            if images.is_empty() {
                continue;
            }
            let last = row + 1 == reading.sites.len() && incomplete > 0;
            let missing = if last { self.table.names.len() - incomplete } else { 0 };
            let padding = " .".repeat(missing);
            if last {
                edits.push(TextEdit::insert(site.row.end, padding.clone()));
            }
            let mut copies = String::new();
            for frac in images {
                copies.push_str(line_break);
                copies.push_str(&self.copy(row, site, &frac, frame, alignments, &mut labels));
                copies.push_str(&padding);
            }
            edits.push(TextEdit::insert(behind(text, site.row), copies));
        }
        edits
    }

    /// Positions of the atoms that have no row yet, by the row they come from.
    fn images(&self) -> Vec<Vec<Vector3<f64>>> {
        let mut images = vec![Vec::new(); self.change.reading.sites.len()];
        for (atom, origin) in self.new.sites.iter().zip(&self.change.reading.origins) {
            if origin.operation != 0 {
                images[origin.site].push(atom.frac.map(wrap_unit));
            }
        }
        images
    }

    /// The frame of the coordinates if they are Cartesian.
    fn frame(&self) -> Option<Frame> {
        let Change { text, old, new, .. } = self.change;
        let (_, cartesian) = sites::coordinate_names(self.names);
        cartesian.then(|| Frame::read(text, self.names, old).follow(old, new))
    }

    /// The values of a row that tell its site symmetry, with what they say in P 1.
    fn site_symmetry(&self, row: usize) -> impl Iterator<Item = (&Value, &'static str)> {
        SITE_SYMMETRY.into_iter().filter_map(move |(name, new)| {
            let Place::Column(table, column) = self.names.place(name)? else { return None };
            let value = Place::Column(table, column).get(row)?;
            let here = std::ptr::eq(table, self.table) && !value.is_null(self.change.text);
            here.then_some((value, new))
        })
    }

    /// The text of a row for another atom.
    fn copy(
        &self,
        row: usize,
        site: &AtomSite,
        frac: &Vector3<f64>,
        frame: Option<Frame>,
        alignments: [Alignment; 3],
        labels: &mut Labels,
    ) -> String {
        let text = self.change.text;
        let position = frame.map_or(Some(*frac), |f| f.cartesian(frac)).unwrap_or(*frac);
        let decimals = site.decimals.iter().copied().max().map_or(LEAST, usize::from);
        let mut tokens: Vec<(Span, String, Alignment)> = Vec::new();
        for i in 0..3 {
            let number = number::fixed(position[i], decimals.clamp(LEAST, 16));
            tokens.extend(site.coordinate_spans[i].map(|span| (span, number, alignments[i])));
        }
        for (value, new) in self.site_symmetry(row) {
            tokens.push((value.span, new.to_owned(), Alignment::LEFT));
        }
        for (span, new) in labels.fresh(row) {
            tokens.push((span, new, Alignment::LEFT));
        }
        // From the beginning of the line, so that the copy stands below its original.
        let indent = text[..site.row.start].bytes().rev().take_while(|b| matches!(b, b' ' | b'\t'));
        let begin = site.row.start - indent.count();
        let opens_line = begin == 0 || matches!(text.as_bytes()[begin - 1], b'\n' | b'\r');
        let begin = if opens_line { begin } else { site.row.start };
        tokens.sort_by_key(|(span, ..)| *span);
        let mut free = begin;
        let edits: Vec<TextEdit> = tokens
            .into_iter()
            .map(|(span, new, alignment)| {
                let mut edit = columns::replace(text, span, new, alignment, free);
                free = edit.span.end;
                edit.span = Span::new(edit.span.start - begin, edit.span.end - begin);
                edit
            })
            .collect();
        apply_edits(&text[begin..site.row.end], &edits)
    }
}

/// Where rows can be inserted behind a row: behind a comment on its line, but before the next row if that begins on
/// the same line.
fn behind(text: &str, row: Span) -> usize {
    let rest = &text[row.end..];
    let next = rest.trim_start_matches([' ', '\t']);
    match next.chars().next() {
        None | Some('\n' | '\r') => text.len() - next.len(),
        Some('#') => line_end(text, row).0,
        Some(_) => row.end,
    }
}

/// Labels that are in use, and new ones.
struct Labels<'a> {
    text: &'a str,
    /// Columns whose values must differ from row to row.
    unique: Vec<Place<'a>>,
    taken: HashSet<String>,
}

impl<'a> Labels<'a> {
    fn new(text: &'a str, names: &Names<'a>) -> Self {
        let table = sites::table(names);
        let beside =
            |n: &&str| names.place(n).filter(|p| table.is_some_and(|table| p.beside(table)));
        let mut unique: Vec<Place> =
            ["_atom_site_label", "_atom_site_id"].iter().filter_map(beside).collect();
        if unique.is_empty() {
            unique.extend(sites::LABELS.iter().find_map(beside));
        }
        let values = unique.iter().flat_map(|p| (0..p.rows()).filter_map(|row| p.get(row)));
        let taken = values.map(|v| v.text(text).into_owned()).collect();
        Self { text, unique, taken }
    }

    /// New labels for a copy of a row: `Na1` gives `Na1_2`, `Na1_3`, …, numbers of rows go on counting.
    fn fresh(&mut self, row: usize) -> Vec<(Span, String)> {
        let mut out = Vec::new();
        for place in &self.unique {
            let Some(value) = place.get(row) else { continue };
            let label = value.text(self.text);
            let counts = label.bytes().all(|b| b.is_ascii_digit()) && !label.is_empty();
            let candidate = |n: usize| if counts { n.to_string() } else { format!("{label}_{n}") };
            let start = if counts { self.taken.len() + 1 } else { 2 };
            let free = (start..).map(candidate).find(|l| !self.taken.contains(l));
            let Some(new) = free else { continue };
            // The delimiters stay: whatever needed them still does.
            let written = value.span.text(self.text);
            out.push((value.span, written.replacen(label.as_ref(), &new, 1)));
            self.taken.insert(new);
        }
        out
    }
}

/// Atoms given by single items: the one row becomes a loop.
fn items_as_loop(change: &Change, names: &Names, new: &Structure) -> Vec<TextEdit> {
    let text = change.text;
    if new.len() < 2 {
        return change.coordinates(names);
    }
    let belongs = |name: &str| {
        let object = name.strip_prefix("_atom_site_").or(name.strip_prefix("_atom_site."));
        object.is_some_and(|o| !o.starts_with("aniso"))
    };
    let items = change.block.items.iter().filter(|i| belongs(&i.name.value));
    let items: Vec<_> = items.filter_map(|i| Some((i, i.value?))).collect();
    let Some(((first, _), (_, last))) = items.first().zip(items.last()) else { return Vec::new() };
    let (_, line_break) = line_end(text, last.span);
    let mut table = format!("loop_{line_break}");
    for (item, _) in &items {
        table.push_str(&format!("{}{line_break}", item.name.span.text(text)));
    }
    let (coordinates, cartesian) = sites::coordinate_names(names);
    let frame =
        cartesian.then(|| Frame::read(text, names, &change.old).follow(&change.old, &change.new));
    for (n, atom) in new.sites.iter().enumerate() {
        let position = frame.map_or(Some(atom.frac), |f| f.cartesian(&atom.frac));
        let position = position.unwrap_or(atom.frac);
        let values = items.iter().map(|(item, value)| {
            let name = item.name.value.replacen('.', "_", 1);
            if let Some(i) = coordinates.iter().position(|c| *c == name) {
                return number::fixed(position[i], LEAST);
            }
            let written = value.span.text(text);
            match name.as_str() {
                "_atom_site_label" | "_atom_site_id" if n > 0 => format!("{written}_{}", n + 1),
                name => {
                    let known = SITE_SYMMETRY.iter().find(|(s, _)| *s == name);
                    known.map_or(written, |(_, one)| one).to_owned()
                }
            }
        });
        table.push_str(&values.collect::<Vec<_>>().join(" "));
        table.push_str(line_break);
    }
    let mut edits = vec![];
    for (item, value) in &items {
        let span = item.name.span.cover(value.span);
        let is_first = std::ptr::eq(*item, *first);
        let text = if is_first { table.trim_end().to_owned() } else { String::new() };
        edits.push(TextEdit::replace(span, text));
    }
    edits
}
