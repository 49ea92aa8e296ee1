//! The composition line of a POSCAR: species and counts, or a comment in the first line, and nothing below.

use cellwright_crystal::Element;

use super::{Complaint, CompositionLine, Spelling, Target, Wanted, comment};
use crate::poscar::PoscarFile;
use crate::text::Span;

pub(super) fn find(text: &str, file: &PoscarFile) -> Option<CompositionLine> {
    if file.species.is_empty() || file.counts.is_empty() {
        first_line(text, file)
    } else {
        counts(text, file)
    }
}

/// Species and counts and nothing below but, perhaps, the coordinate mode.
fn counts(text: &str, file: &PoscarFile) -> Option<CompositionLine> {
    let (first, last) = (file.counts.first()?, file.counts.last()?);
    let span = first.span.cover(last.span);
    let line_end = text[span.end..].find(['\n', '\r']).map_or(text.len(), |i| span.end + i);
    let below = text[line_end..].trim();
    let mode = file.mode.as_ref().map_or("", |mode| mode.span.text(text).trim());
    if !(below.is_empty() || below == mode) || file.lattice.is_empty() {
        return None;
    }
    let comment = file.comment.as_ref().map_or("", |comment| comment.value.trim());
    let line = |wanted| {
        let name = comment.to_owned();
        let (spelling, target) = (Spelling::Counts, Target::Counts);
        Some(CompositionLine { span, spelling, name, target, wanted })
    };
    if file.species.len() != file.counts.len() {
        let (species, counts) = (file.species.len(), file.counts.len());
        let message = format!("there are {species} species but {counts} counts");
        return line(Err(Complaint { span, message }));
    }
    let mut composition: Vec<(Element, u32)> = Vec::new();
    for (species, count) in file.species.iter().zip(&file.counts) {
        // POTCAR suffixes such as `Fe_pv` name the element first.
        let symbol = species.value.split(['_', '/']).next().unwrap_or_default();
        let Some(element) = Element::from_symbol(symbol) else {
            let message = format!("'{}' is no element", species.value);
            return line(Err(Complaint { span: species.span, message }));
        };
        if count.value == 0 {
            let message = format!("{element} has the count 0");
            return line(Err(Complaint { span: count.span, message }));
        }
        // An element may have several groups of rows.
        match composition.iter_mut().find(|(known, _)| *known == element) {
            Some((_, sum)) => *sum = sum.saturating_add(count.value),
            None => composition.push((element, count.value)),
        }
    }
    let mut wanted = Wanted { composition, units: None, space_group: None, answers: None };
    // The counts are those of the cell.
    let units = u32::try_from(wanted.composition().reduced().1).unwrap_or(1);
    for (_, count) in &mut wanted.composition {
        *count /= units;
    }
    wanted.units = Some(units);
    line(Ok(wanted))
}

/// A request in the first line of a file that has no other.
fn first_line(text: &str, file: &PoscarFile) -> Option<CompositionLine> {
    let comment = file.comment.as_ref()?;
    let Span { start, end } = comment.span;
    if !text[end..].trim().is_empty() {
        return None;
    }
    let wanted = comment::read(&text[start..end], start)?;
    let formula = wanted.as_ref().map(|w| w.composition().reduced().0.formula());
    let name = formula.unwrap_or_default();
    let (span, spelling, target) = (comment.span, Spelling::Comment, Target::File);
    Some(CompositionLine { span, spelling, name, target, wanted })
}
