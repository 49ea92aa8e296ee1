//! Labels that say which element a site is, because no symbol does.

use std::collections::HashSet;

use cellwright_crystal::Element;

use crate::cif::Block;
use crate::document::{File, Parsed};
use crate::edit::EditError;
use crate::reading::{AtomSite, Reading};
use crate::text::{Span, TextEdit};

/// The labels of a block and where they stand.
pub(super) struct Labels<'a> {
    text: &'a str,
    block: Option<&'a Block>,
    taken: HashSet<String>,
}

impl<'a> Labels<'a> {
    pub(super) fn new(parsed: &'a Parsed, reading: &Reading) -> Self {
        let block = match &parsed.file {
            File::Cif(file) => file.blocks.get(reading.block),
            File::Poscar(_) => None,
        };
        let taken = reading.sites.iter().map(|s| s.label.clone()).collect();
        Self { text: &parsed.text, block, taken }
    }

    /// Gives a site a label that begins with its new element, everywhere in the block: `X1` becomes `O1`, or `O1A` if there is
    /// an `O1` already.
    pub(super) fn rename(
        &mut self,
        site: &AtomSite,
        element: Element,
    ) -> Result<Vec<TextEdit>, EditError> {
        let block = self.block.filter(|_| !site.label.is_empty()).ok_or(EditError::NoSpecies)?;
        let rest = site.label.trim_start_matches(|c: char| c == '?' || c.is_ascii_alphabetic());
        let plain = format!("{}{rest}", element.symbol());
        let more = ('A'..='Z').map(|letter| format!("{plain}{letter}"));
        let numbered = (2..).map(|n| format!("{plain}_{n}"));
        let mut candidates = std::iter::once(plain.clone()).chain(more).chain(numbered);
        let Some(new) = candidates.find(|label| !self.taken.contains(label)) else {
            return Err(EditError::NoSpecies);
        };
        self.taken.insert(new.clone());
        let places = places(self.text, block, &site.label);
        if !places.contains(&site.label_span) {
            return Err(EditError::NoSpecies);
        }
        let edit = |span: Span| {
            let written = span.text(self.text).replacen(&site.label, &new, 1);
            TextEdit::replace(span, written)
        };
        Ok(places.into_iter().map(edit).collect())
    }
}

/// Where a label stands: among the atoms, and where bonds, angles and displacements name atoms.
fn places(text: &str, block: &Block, label: &str) -> Vec<Span> {
    let names_atoms = |name: &str| name.contains("_label") && !name.ends_with("_label_alt_id");
    let mut found = Vec::new();
    for table in &block.loops {
        for (column, name) in table.names.iter().enumerate() {
            if !names_atoms(&name.value) {
                continue;
            }
            let values = table.values.iter().skip(column).step_by(table.names.len());
            found.extend(values.filter(|v| v.text(text) == label).map(|v| v.span));
        }
    }
    let items = block.items.iter().filter(|item| names_atoms(&item.name.value));
    let values = items.filter_map(|item| item.value);
    found.extend(values.filter(|v| v.text(text) == label).map(|v| v.span));
    found
}
