//! One atom given by single items becomes a loop.

use cellwright_crystal::Structure;

use super::super::cell::line_end;
use super::super::cif::Change;
use super::super::number;
use super::{LEAST, SITE_SYMMETRY};
use crate::reading::frame::Frame;
use crate::reading::names::Names;
use crate::reading::sites;
use crate::text::TextEdit;

/// Atoms given by single items: the one row becomes a loop.
pub(super) fn as_loop(change: &Change, names: &Names, new: &Structure) -> Vec<TextEdit> {
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
