//! The cell of a CIF and the numbers that follow from it.

use cellwright_crystal::Lattice;

use super::number;
use crate::reading::names::{Names, Place};
use crate::reading::{Cell, Reading};
use crate::text::{Span, TextEdit};

/// Fewest decimals of cell lengths (Å) and angles (degrees) that are rewritten.
const LEAST: usize = 4;

/// Names of the six parameters, in the spelling of [`Names`].
const PARAMETERS: [&str; 6] = [
    "_cell_length_a",
    "_cell_length_b",
    "_cell_length_c",
    "_cell_angle_alpha",
    "_cell_angle_beta",
    "_cell_angle_gamma",
];

/// Whether two lattices have the same parameters but for rounding of the arithmetic.
pub(super) fn same(old: &Lattice, new: &Lattice) -> bool {
    let close = |a: [f64; 3], b: [f64; 3], t: f64| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= t);
    let longest = old.lengths().into_iter().fold(0.0, f64::max);
    close(old.lengths(), new.lengths(), 1e-8 * longest) && close(old.angles(), new.angles(), 1e-7)
}

/// Rewrites the parameters that changed, the volume, and the density, which goes as the inverse of the volume.
pub(super) fn update(
    text: &str,
    names: &Names,
    reading: &Reading,
    old: &Lattice,
    new: &Lattice,
) -> Vec<TextEdit> {
    let Some(Cell::Parameters { lengths, angles }) = &reading.cell else { return Vec::new() };
    let [a, b, c] = new.lengths();
    let [alpha, beta, gamma] = new.angles();
    let mut edits = Vec::new();
    let written = lengths.iter().chain(angles);
    for ((written, name), new) in written.zip(PARAMETERS).zip([a, b, c, alpha, beta, gamma]) {
        match written {
            Some(old) => {
                let token = old.span.text(text);
                if let Some(new) = number::rewrite(token, old.value.value, new, LEAST) {
                    edits.push(TextEdit::replace(old.span, new));
                    edits.extend(uncertainty(text, names, name, 0));
                }
            }
            // An angle that is not there is 90° by definition.
            None => edits.extend(
                number::rewrite("", 90.0, new, LEAST)
                    .and_then(|new| insert(text, names, name, &new)),
            ),
        }
    }
    if edits.is_empty() {
        return edits;
    }
    let follows = [
        ("_cell_volume", 2, new.volume() / old.volume(), Some(new.volume())),
        ("_exptl_crystal_density_diffrn", 3, old.volume() / new.volume(), None),
    ];
    for (name, least, factor, value) in follows {
        let Some(written) = names.value(text, name) else { continue };
        let Some(old) = written.number(text) else { continue };
        let new = value.unwrap_or(old.value * factor);
        if let Some(new) = number::rewrite(written.span.text(text), old.value, new, least) {
            edits.push(TextEdit::replace(written.span, new));
            edits.extend(uncertainty(text, names, name, 0));
        }
    }
    edits
}

/// Takes back the standard uncertainty that a name of its own gives (`…_su`, `…_esd`) for a recomputed number.
pub(super) fn uncertainty(text: &str, names: &Names, name: &str, row: usize) -> Option<TextEdit> {
    let place = names.place(name)?;
    let mut found =
        ["_su", "_esd"].into_iter().filter_map(|end| names.place(&format!("{name}{end}")));
    let value = found.find(|p| p.beside(place))?.get(row)?;
    (!value.is_null(text)).then(|| TextEdit::replace(value.span, "."))
}

/// A new item behind the last parameter of the cell.
fn insert(text: &str, names: &Names, name: &str, number: &str) -> Option<TextEdit> {
    let places = PARAMETERS.iter().filter_map(|n| names.place(n));
    let (span, example) = places
        .filter_map(|place| match place {
            Place::Item(item) => Some((item.value?.span, item.name.span)),
            Place::Column(table, column) => Some((table.span, table.names[column].span)),
        })
        .max_by_key(|(value, _)| value.end)?;
    // Category and separator as the file writes them: `_cell_` or `_cell.`.
    let category = example.text(text).get(.."_cell_".len())?;
    let object = &name["_cell_".len()..];
    let (end, line_break) = line_end(text, span);
    Some(TextEdit::insert(end, format!("{line_break}{category}{object} {number}")))
}

/// Where the line ends on which `span` ends, and the line break that the text uses there.
pub(super) fn line_end(text: &str, span: Span) -> (usize, &'static str) {
    let rest = &text[span.end..];
    let end = rest.find(['\n', '\r']).map_or(text.len(), |i| span.end + i);
    (end, line_break(text, end))
}

/// The line break at `at`, or the first one of the text.
pub(super) fn line_break(text: &str, at: usize) -> &'static str {
    let from = if at < text.len() { at } else { text.find(['\n', '\r']).unwrap_or(text.len()) };
    match &text.as_bytes()[from..] {
        [b'\r', b'\n', ..] => "\r\n",
        [b'\r', ..] => "\r",
        _ => "\n",
    }
}
