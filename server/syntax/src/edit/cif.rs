//! New coordinates and a new cell for a CIF.

use cellwright_crystal::Lattice;
use nalgebra::Vector3;

use super::columns::{self, Alignment};
use super::{cell, number};
use crate::cif::Block;
use crate::reading::frame::Frame;
use crate::reading::names::Names;
use crate::reading::{Reading, sites};
use crate::text::{Span, TextEdit};

/// Fewest decimals of fractional and of Cartesian (Å) coordinates that are rewritten.
const LEAST: (usize, usize) = (4, 3);

/// Everything that changes between two states of one block.
pub(super) struct Change<'a> {
    pub(super) text: &'a str,
    pub(super) block: &'a Block,
    pub(super) reading: &'a Reading,
    pub(super) old: Lattice,
    pub(super) new: Lattice,
    /// New fractional coordinates of the rows that are in the structure.
    pub(super) rows: Vec<Option<Vector3<f64>>>,
}

impl Change<'_> {
    /// The smallest edits.
    pub(super) fn edits(&self) -> Vec<TextEdit> {
        let names = Names::new(self.block);
        let mut edits = self.cell(&names);
        edits.extend(self.coordinates(&names));
        edits
    }

    /// The cell, what follows from it, and a stated Cartesian frame.
    pub(super) fn cell(&self, names: &Names) -> Vec<TextEdit> {
        let (text, old, new) = (self.text, &self.old, &self.new);
        if cell::same(old, new) {
            return Vec::new();
        }
        let mut edits = cell::update(text, names, self.reading, old, new);
        let frame = Frame::read(text, names, old).follow(old, new);
        for (name, new) in frame.stated() {
            let Some(value) = names.value(text, &name) else { continue };
            let Some(old) = value.number(text) else { continue };
            let token = value.span.text(text);
            edits.extend(
                number::rewrite(token, old.value, new, 6).map(|n| TextEdit::replace(value.span, n)),
            );
        }
        edits
    }

    /// The coordinates of the rows. Where a file gives Cartesian ones beside the fractional, both follow.
    pub(super) fn coordinates(&self, names: &Names) -> Vec<TextEdit> {
        let (coordinates, cartesian) = sites::coordinate_names(names);
        let alignments = self.alignments();
        let frames = cartesian.then(|| {
            let old = Frame::read(self.text, names, &self.old);
            (old, old.follow(&self.old, &self.new))
        });
        let mut edits = Vec::new();
        let mut free = 0;
        for (row, (site, new)) in self.reading.sites.iter().zip(&self.rows).enumerate() {
            let (Some(new), Some(old)) = (new, &site.frac) else { continue };
            let (Some(old), Some(new), least) = (match frames {
                Some((before, after)) => (before.cartesian(old), after.cartesian(new), LEAST.1),
                None => (Some(*old), Some(*new), LEAST.0),
            }) else {
                continue;
            };
            for i in in_text_order(&site.coordinate_spans) {
                let Some(span) = site.coordinate_spans[i] else { continue };
                let number = number::rewrite(span.text(self.text), old[i], new[i], least);
                if let Some(number) = number {
                    let edit = columns::replace(self.text, span, number, alignments[i], free);
                    free = edit.span.end;
                    edits.push(edit);
                    edits.extend(cell::uncertainty(self.text, names, coordinates[i], row));
                }
            }
        }
        if !cartesian {
            edits.extend(self.second_coordinates(names));
        }
        edits
    }

    /// Cartesian coordinates that stand beside fractional ones.
    fn second_coordinates(&self, names: &Names) -> Vec<TextEdit> {
        let table = sites::table(names);
        let places = sites::CARTESIAN
            .map(|n| names.place(n).filter(|p| table.is_some_and(|table| p.beside(table))));
        if places.iter().all(Option::is_none) {
            return Vec::new();
        }
        let frame = Frame::read(self.text, names, &self.old).follow(&self.old, &self.new);
        let mut edits = Vec::new();
        let moved = !cell::same(&self.old, &self.new);
        for (row, (site, new)) in self.reading.sites.iter().zip(&self.rows).enumerate() {
            let Some(new) = new.filter(|new| moved || site.frac != Some(*new)) else { continue };
            let Some(new) = frame.cartesian(&new) else { continue };
            for (place, new) in places.iter().zip(&new) {
                let Some(value) = place.and_then(|p| p.get(row)) else { continue };
                let Some(old) = value.number(self.text) else { continue };
                let token = value.span.text(self.text);
                let number = number::rewrite(token, old.value, *new, LEAST.1);
                edits.extend(number.map(|n| TextEdit::replace(value.span, n)));
            }
        }
        edits
    }

    pub(super) fn alignments(&self) -> [Alignment; 3] {
        [0, 1, 2].map(|i| {
            let spans = self.reading.sites.iter().filter_map(|s| s.coordinate_spans[i]);
            Alignment::of(self.text, &spans.collect::<Vec<_>>())
        })
    }
}

/// The three coordinates in the order they stand in the row: columns may be in any.
fn in_text_order(spans: &[Option<Span>; 3]) -> [usize; 3] {
    let mut order = [0, 1, 2];
    order.sort_by_key(|i| spans[*i]);
    order
}
