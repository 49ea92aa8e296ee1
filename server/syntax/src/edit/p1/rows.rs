//! A row for every atom of the cell.

use cellwright_crystal::Structure;
use cellwright_crystal::structure::wrap_unit;
use nalgebra::Vector3;

use super::super::cell::line_end;
use super::super::cif::Change;
use super::super::columns::{self, Alignment};
use super::super::number;
use super::labels::Labels;
use super::{Added, LEAST, SITE_SYMMETRY, displacements, replace};
use crate::cif::{Loop, Value};
use crate::reading::frame::Frame;
use crate::reading::names::{Names, Place};
use crate::reading::{AtomSite, sites};
use crate::text::{Span, TextEdit, apply_edits};

/// The rows of a loop of atoms.
pub(super) struct Rows<'a> {
    pub(super) change: &'a Change<'a>,
    pub(super) names: &'a Names<'a>,
    pub(super) table: &'a Loop,
    pub(super) new: &'a Structure,
}

impl Rows<'_> {
    /// The edits, and the atoms that got a row.
    pub(super) fn edits(&self) -> (Vec<TextEdit>, Vec<Added>) {
        let Change { text, reading, .. } = *self.change;
        let (mut edits, mut added) = (Vec::new(), Vec::new());
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
            for (operation, frac) in images {
                let fresh = labels.fresh(row);
                let label = fresh.first().map(|fresh| fresh.label.clone());
                let mut tokens = self.position(site, &frac, frame, alignments);
                tokens.extend(fresh.into_iter().map(|f| (f.span, f.written, Alignment::LEFT)));
                for (value, new) in self.site_symmetry(row) {
                    tokens.push((value.span, new.to_owned(), Alignment::LEFT));
                }
                let image = Added { row, operation, label };
                tokens.extend(displacements::beside(self.change, self.names, self.table, &image));
                copies.push_str(line_break);
                copies.push_str(&copy(text, site.row, tokens));
                copies.push_str(&padding);
                added.push(image);
            }
            edits.push(TextEdit::insert(behind(text, site.row), copies));
        }
        (edits, added)
    }

    /// Operations and positions of the atoms that have no row yet, by the row they come from.
    fn images(&self) -> Vec<Vec<(usize, Vector3<f64>)>> {
        let mut images = vec![Vec::new(); self.change.reading.sites.len()];
        for (atom, origin) in self.new.sites.iter().zip(&self.change.reading.origins) {
            if origin.operation != 0 {
                images[origin.site].push((origin.operation, atom.frac.map(wrap_unit)));
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

    /// The coordinates of another atom in place of those of a row.
    fn position(
        &self,
        site: &AtomSite,
        frac: &Vector3<f64>,
        frame: Option<Frame>,
        alignments: [Alignment; 3],
    ) -> Vec<Token> {
        let position = frame.map_or(Some(*frac), |f| f.cartesian(frac)).unwrap_or(*frac);
        let decimals = site.decimals.iter().copied().max().map_or(LEAST, usize::from);
        let number = |i: usize| number::fixed(position[i], decimals.clamp(LEAST, 16));
        let token = |i: usize| Some((site.coordinate_spans[i]?, number(i), alignments[i]));
        (0..3).filter_map(token).collect()
    }
}

/// A word of a row and what stands in its place in a copy.
pub(super) type Token = (Span, String, Alignment);

/// The text of a row with other words in it, from the beginning of its line, so that the copy stands below its original.
pub(super) fn copy(text: &str, row: Span, mut tokens: Vec<Token>) -> String {
    let indent = text[..row.start].bytes().rev().take_while(|b| matches!(b, b' ' | b'\t'));
    let begin = row.start - indent.count();
    let opens_line = begin == 0 || matches!(text.as_bytes()[begin - 1], b'\n' | b'\r');
    let begin = if opens_line { begin } else { row.start };
    tokens.sort_by_key(|(span, ..)| *span);
    let mut free = begin;
    // Blanks behind the row are not copied, so no column may take them.
    let text = &text[..row.end];
    let edits: Vec<TextEdit> = tokens
        .into_iter()
        .map(|(span, new, alignment)| {
            let mut edit = columns::replace(text, span, new, alignment, free);
            free = edit.span.end;
            edit.span = Span::new(edit.span.start - begin, edit.span.end - begin);
            edit
        })
        .collect();
    apply_edits(&text[begin..], &edits)
}

/// Where rows can be inserted behind a row: behind a comment on its line, but before the next row if that begins on
/// the same line.
pub(super) fn behind(text: &str, row: Span) -> usize {
    let rest = &text[row.end..];
    let next = rest.trim_start_matches([' ', '\t']);
    match next.chars().next() {
        None | Some('\n' | '\r') => text.len() - next.len(),
        Some('#') => line_end(text, row).0,
        Some(_) => row.end,
    }
}
