//! Labels of atoms that had none.

use std::collections::HashSet;

use crate::reading::names::{Names, Place};
use crate::reading::sites;
use crate::text::Span;

/// Labels that are in use, and new ones.
pub(super) struct Labels<'a> {
    text: &'a str,
    /// Columns whose values must differ from row to row.
    unique: Vec<Place<'a>>,
    taken: HashSet<String>,
}

/// A new label for a copy of a row.
pub(super) struct Fresh {
    /// The label of the original.
    pub(super) span: Span,
    /// The new one.
    pub(super) label: String,
    /// The same in the delimiters of the original.
    pub(super) written: String,
}

impl<'a> Labels<'a> {
    pub(super) fn new(text: &'a str, names: &Names<'a>) -> Self {
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
    pub(super) fn fresh(&mut self, row: usize) -> Vec<Fresh> {
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
            let written = written.replacen(label.as_ref(), &new, 1);
            self.taken.insert(new.clone());
            out.push(Fresh { span: value.span, label: new, written });
        }
        out
    }
}
