//! A predicted structure goes where a composition line asked for it.

use std::collections::HashSet;

use cellwright_crystal::Structure;

use super::EditError;
use super::cell::{line_break, line_end};
use crate::cif::{Block, CifFile};
use crate::composition_line::{CompositionLine, Target};
use crate::document::{File, Parsed};
use crate::poscar::{Mode, PoscarFile};
use crate::reading::names::spelled;
use crate::text::{Span, TextEdit};
use crate::write;
use crate::write::poscar::line as number_line;

/// What brings a structure into the text at a composition line. In a CIF it is listed by its asymmetric unit at
/// `symprec` (Å), in P 1 where none is found; what the block said of cell and symmetry before goes, all else stays.
///
/// `origin` says in one line where the structure comes from. In a CIF it becomes a comment above the structure, in a POSCAR it
/// stands behind what the first line says, after ` ! `.
///
/// # Errors
/// [`EditError::OtherAtoms`] when a POSCAR states other counts than the structure has.
pub fn fill(
    parsed: &Parsed,
    line: &CompositionLine,
    structure: &Structure,
    symprec: f64,
    origin: &str,
) -> Result<Vec<TextEdit>, EditError> {
    let origin = &one_line(origin);
    match (&parsed.file, line.target) {
        (File::Cif(file), Target::Block(index)) => {
            let block = file.blocks.get(index).ok_or(EditError::OtherAtoms)?;
            let written = cif(structure, "x", line, symprec, origin);
            Ok(into_block(&parsed.text, block, line.span, &written))
        }
        (File::Cif(file), Target::NewBlock(at)) => {
            let name = free_name(file, &structure.composition().reduced().0.formula());
            let text = format!("\n\n{}", cif(structure, &name, line, symprec, origin).trim_end());
            Ok(vec![TextEdit::insert(at, breaks(&parsed.text, &text))])
        }
        (File::Poscar(file), Target::Counts) => {
            let mut edits = into_cell(&parsed.text, file, structure)?;
            edits.insert(0, TextEdit::insert(first_line_end(file), behind(file, origin)));
            Ok(edits)
        }
        (File::Poscar(file), Target::File) => {
            let end = first_line_end(file);
            let written = write::poscar(structure, "", Mode::Direct);
            let written = written.map_err(|_| EditError::OtherAtoms)?;
            let rest = Span::new(end, parsed.text.len());
            let written = format!("{}{written}", behind(file, origin));
            Ok(vec![TextEdit::replace(rest, breaks(&parsed.text, &written))])
        }
        _ => Err(EditError::OtherAtoms),
    }
}

/// A block with the structure, symmetric where it is, and its origin. Where Z was asked for, the cell has that Z.
fn cif(
    structure: &Structure,
    name: &str,
    line: &CompositionLine,
    symprec: f64,
    origin: &str,
) -> String {
    let z_is_given = line.wanted.as_ref().is_ok_and(|wanted| wanted.units.is_some());
    let written = write::cif_with_symmetry(structure, name, symprec, z_is_given);
    if origin.is_empty() { written } else { written.replacen('\n', &format!("\n# {origin}\n"), 1) }
}

/// Without line breaks and blanks at the ends.
fn one_line(origin: &str) -> String {
    origin.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where the first line of a POSCAR ends.
fn first_line_end(file: &PoscarFile) -> usize {
    file.comment.as_ref().map_or(0, |comment| comment.span.end)
}

/// The origin as it stands behind what the first line of a POSCAR says.
fn behind(file: &PoscarFile, origin: &str) -> String {
    let is_blank = file.comment.as_ref().is_none_or(|comment| comment.value.trim().is_empty());
    match (origin, is_blank) {
        ("", _) => String::new(),
        (_, true) => origin.to_owned(),
        (_, false) => format!(" ! {origin}"),
    }
}

/// Names that the writer gives and a block may keep: they are what the prediction was made from.
const KEPT: [&str; 2] = ["_chemical_formula_sum", "_chemical_formula_weight"];

/// Categories whose statements a new structure replaces.
const REPLACED: [&str; 6] = [
    "_cell_length_",
    "_cell_angle_",
    "_cell_volume",
    "_cell_formula_units_z",
    "_symmetry_",
    "_space_group_",
];

/// Writes the items of a block with a structure into one without.
fn into_block(text: &str, block: &Block, asked: Span, written: &str) -> Vec<TextEdit> {
    let replaced = |name: &str| {
        spelled(name).is_some_and(|name| REPLACED.iter().any(|start| name.starts_with(start)))
    };
    let items = block.items.iter().filter(|item| replaced(&item.name.value));
    let items = items.map(|i| i.value.map_or(i.name.span, |value| i.name.span.cover(value.span)));
    let tables = block.loops.iter().filter(|t| t.names.iter().any(|n| replaced(&n.value)));
    let gone: Vec<Span> = items.chain(tables.map(|table| table.span)).collect();
    let kept: HashSet<&str> = block.items.iter().map(|item| item.name.value.as_str()).collect();
    let body = written.lines().skip(1).filter(|line| {
        let name = line.split_whitespace().next().unwrap_or_default();
        !(KEPT.contains(&name) && kept.contains(name))
    });
    let body: Vec<&str> = body.collect();
    let mut edits: Vec<TextEdit> =
        gone.iter().map(|span| TextEdit::delete(whole_lines(text, *span))).collect();
    // Comments further down may belong to the next block.
    let ends = block.items.iter().map(|i| i.value.map_or(i.name.span, |v| v.span));
    let ends = ends.chain(block.loops.iter().map(|table| table.span));
    let ends = ends.chain(block.frames.iter().map(|frame| frame.span));
    let last = ends.fold(block.name.span, |a, b| if b.end > a.end { b } else { a });
    let last = if asked.end > last.end { asked } else { last };
    let (end, _) = line_end(text, last);
    // What goes at the very end takes its line break along.
    let end = edits.iter().map(|e| e.span.end).fold(end, usize::max).min(text.len());
    let starts_line = text[..end].ends_with(['\n', '\r']);
    let mut insertion = body.join("\n");
    if starts_line {
        insertion.push('\n');
    } else {
        insertion.insert(0, '\n');
    }
    edits.push(TextEdit::insert(end, breaks(text, &insertion)));
    edits
}

/// The span with its line, where nothing else stands on it.
fn whole_lines(text: &str, span: Span) -> Span {
    let before = text[..span.start].rfind(['\n', '\r']).map_or(0, |i| i + 1);
    let after = text[span.end..].find(['\n', '\r']).map_or(text.len(), |i| span.end + i);
    let alone =
        text[before..span.start].trim().is_empty() && text[span.end..after].trim().is_empty();
    if !alone {
        return span;
    }
    let line_break = if text[after..].starts_with("\r\n") { 2 } else { 1 };
    Span::new(before, (after + line_break).min(text.len()))
}

/// A block code that no block has.
fn free_name(file: &CifFile, formula: &str) -> String {
    let taken: HashSet<String> =
        file.blocks.iter().map(|b| b.name.value.to_ascii_lowercase()).collect();
    let names = (1..).map(|n| if n == 1 { formula.to_owned() } else { format!("{formula}_{n}") });
    let mut names = names.skip_while(|name| taken.contains(&name.to_ascii_lowercase()));
    names.next().unwrap_or_default()
}

/// Cell and positions of a POSCAR that has species and counts.
fn into_cell(
    text: &str,
    file: &PoscarFile,
    structure: &Structure,
) -> Result<Vec<TextEdit>, EditError> {
    let mut left: Vec<_> = structure.sites.iter().collect();
    let mut sites = Vec::with_capacity(left.len());
    for (species, count) in file.species.iter().zip(&file.counts) {
        let symbol = species.value.split(['_', '/']).next().unwrap_or_default();
        for _ in 0..count.value {
            let next = left.iter().position(|s| s.element.is_some_and(|e| e.symbol() == symbol));
            sites.push(left.remove(next.ok_or(EditError::OtherAtoms)?).clone());
        }
    }
    if !left.is_empty() {
        return Err(EditError::OtherAtoms);
    }
    let mut cell = String::from("1.0\n");
    for vector in structure.lattice.matrix().row_iter() {
        number_line(&mut cell, vector.iter().copied());
    }
    let mut rows = String::from("\nDirect\n");
    for site in &sites {
        number_line(&mut rows, site.frac.iter().copied());
    }
    let (Some(scale), Some(last), Some(counts)) =
        (file.scale.first(), file.lattice.last(), file.counts.last())
    else {
        return Err(EditError::OtherAtoms);
    };
    let head = scale.span.cover(last[2].span);
    // Behind the counts there is nothing but blanks and, perhaps, the mode.
    let line_end = text[counts.span.end..].find(['\n', '\r']);
    let line_end = line_end.map_or(text.len(), |i| counts.span.end + i);
    Ok(vec![
        TextEdit::replace(head, breaks(text, cell.trim_end())),
        TextEdit::replace(Span::new(line_end, text.len()), breaks(text, &rows)),
    ])
}

/// With the line breaks of the text.
fn breaks(text: &str, insertion: &str) -> String {
    insertion.replace('\n', line_break(text, text.len()))
}
