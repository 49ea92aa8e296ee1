//! Elements for sites that have none, or another.

use cellwright_crystal::Element;

use super::EditError;
use super::cell::line_break;
use super::columns::{self, Alignment};
use crate::document::{File, Parsed};
use crate::poscar::PoscarFile;
use crate::reading::{AtomSite, Reading};
use crate::text::{Span, TextEdit};

mod label;

/// Rows of a file that say together which element they are: a row of a CIF, all atoms below one name of a POSCAR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteGroup {
    /// What a user calls it: the label of the row, `X` or `X (4 atoms)` in a POSCAR.
    pub name: String,
    /// Indices into [`Reading::sites`], ascending, never empty.
    pub rows: Vec<usize>,
    /// Whether it has no element: the file asks for it, or says nothing that is one.
    pub open: bool,
}

impl SiteGroup {
    /// The atoms of the cell that the rows stand for: indices into the sites of [`Reading::structure`].
    #[must_use]
    pub fn atoms(&self, reading: &Reading) -> Vec<usize> {
        let origins = reading.origins.iter().enumerate();
        origins.filter(|(_, o)| self.rows.contains(&o.site)).map(|(atom, _)| atom).collect()
    }
}

/// The groups of a reading that stand for atoms of the cell, in order of place.
#[must_use]
pub fn site_groups(parsed: &Parsed, reading: &Reading) -> Vec<SiteGroup> {
    let is_atom = |(_, site): &(usize, &AtomSite)| site.multiplicity > 0;
    let rows = reading.sites.iter().enumerate().filter(is_atom);
    let single = |(row, site): (usize, &AtomSite)| SiteGroup {
        name: site.label.clone(),
        rows: vec![row],
        open: site.element.is_none(),
    };
    let File::Poscar(file) = &parsed.file else { return rows.map(single).collect() };
    let mut groups: Vec<(usize, SiteGroup)> = Vec::new();
    for (row, site) in rows {
        let Some(number) = file.atoms.get(row).map(|atom| atom.group) else { continue };
        match groups.last_mut() {
            Some((last, group)) if *last == number => group.rows.push(row),
            _ => groups.push((number, single((row, site)))),
        }
    }
    let named = |(_, group): (usize, SiteGroup)| {
        let species = &reading.sites[group.rows[0]].species;
        let name = match group.rows.len() {
            1 => species.clone(),
            n => format!("{species} ({n} atoms)"),
        };
        SiteGroup { name, ..group }
    };
    groups.into_iter().map(named).collect()
}

/// Gives groups of [`site_groups`] another element: the symbol is replaced, where there is none the beginning of the label, with
/// whatever else in the block refers to it. Coordinates, labels beside a symbol and everything else stay.
///
/// # Errors
/// [`EditError::NoSpecies`] where neither a symbol nor a label stands.
pub fn name_sites(
    parsed: &Parsed,
    reading: &Reading,
    elements: &[(&SiteGroup, Element)],
) -> Result<Vec<TextEdit>, EditError> {
    match &parsed.file {
        File::Cif(_) => in_cif(parsed, reading, elements),
        File::Poscar(file) => in_poscar(&parsed.text, file, elements),
    }
}

fn in_cif(
    parsed: &Parsed,
    reading: &Reading,
    elements: &[(&SiteGroup, Element)],
) -> Result<Vec<TextEdit>, EditError> {
    let text = &parsed.text;
    let column: Vec<Span> = reading.sites.iter().filter_map(|s| s.symbol_span).collect();
    let alignment = Alignment::of_words(text, &column);
    let mut labels = label::Labels::new(parsed, reading);
    let mut edits = Vec::new();
    for (group, element) in elements {
        for row in &group.rows {
            let site = reading.sites.get(*row).ok_or(EditError::NoSpecies)?;
            match site.symbol_span {
                Some(span) => {
                    let symbol = element.symbol().to_owned();
                    edits.push(columns::replace(text, span, symbol, alignment, 0));
                }
                None => edits.extend(labels.rename(site, *element)?),
            }
        }
    }
    edits.sort_by_key(|edit| edit.span);
    Ok(edits)
}

fn in_poscar(
    text: &str,
    file: &PoscarFile,
    elements: &[(&SiteGroup, Element)],
) -> Result<Vec<TextEdit>, EditError> {
    let number = |group: &SiteGroup| {
        let first = group.rows.first().and_then(|row| file.atoms.get(*row));
        first.map(|atom| atom.group).ok_or(EditError::NoSpecies)
    };
    if file.species.is_empty() {
        return above_counts(text, file, elements, number);
    }
    let column: Vec<Span> = file.species.iter().map(|s| s.span).collect();
    let mut edits = Vec::new();
    for (group, element) in elements {
        let name = file.species.get(number(group)?).ok_or(EditError::NoSpecies)?;
        let symbol = element.symbol();
        // Names and counts stand one below the other.
        let alignment = if column.len() > 1 { Alignment::LEFT } else { Alignment::of(text, &[]) };
        edits.push(columns::replace(text, name.span, symbol.to_owned(), alignment, 0));
        // Many programs write the name behind every atom as well.
        for row in &group.rows {
            let Some(trailing) = file.atoms.get(*row).and_then(|atom| atom.trailing) else {
                continue;
            };
            let start = trailing.start
                + (trailing.text(text).len() - trailing.text(text).trim_start().len());
            if text[start..trailing.end].split_whitespace().next() == Some(name.value.as_str()) {
                let span = Span::new(start, start + name.value.len());
                edits.push(TextEdit::replace(span, symbol));
            }
        }
    }
    edits.sort_by_key(|edit| edit.span);
    Ok(edits)
}

/// A file of VASP 4 gets the line that names its species; those that stay open are masked in it.
fn above_counts(
    text: &str,
    file: &PoscarFile,
    elements: &[(&SiteGroup, Element)],
    number: impl Fn(&SiteGroup) -> Result<usize, EditError>,
) -> Result<Vec<TextEdit>, EditError> {
    let counts = file.counts.first().ok_or(EditError::NoSpecies)?;
    let mut names = vec!["X"; file.counts.len()];
    for (group, element) in elements {
        *names.get_mut(number(group)?).ok_or(EditError::NoSpecies)? = element.symbol();
    }
    let start = text[..counts.span.start].rfind(['\n', '\r']).map_or(0, |i| i + 1);
    let indent = &text[start..counts.span.start];
    let line = format!("{indent}{}{}", names.join(" "), line_break(text, text.len()));
    Ok(vec![TextEdit::insert(start, line)])
}
