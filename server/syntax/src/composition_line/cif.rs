//! Composition lines of a CIF: formulas without atoms, and comments.

use cellwright_crystal::{Composition, Structure};

use super::{Complaint, CompositionLine, Spelling, Target, Wanted, comment, counts};
use crate::cif::{Block, CifFile, Value};
use crate::document::Parsed;
use crate::reading::names::Names;
use crate::reading::{sites, symmetry};
use crate::text::Span;

pub(super) fn find(parsed: &Parsed, file: &CifFile) -> Vec<CompositionLine> {
    let text = &*parsed.text;
    let blocks = file.blocks.iter().enumerate();
    let mut lines: Vec<_> = blocks.filter_map(|(i, block)| formula(text, i, block)).collect();
    lines.extend(file.comments.iter().filter_map(|span| from_comment(parsed, file, *span)));
    lines.sort_by_key(|line| line.span);
    lines
}

/// A block that gives its formula and no atoms.
fn formula(text: &str, index: usize, block: &Block) -> Option<CompositionLine> {
    let names = Names::new(block);
    if sites::mentioned(&names) {
        return None;
    }
    let value = names.value(text, "_chemical_formula_sum")?;
    let complaint = |value: &Value, message| Complaint { span: value.span, message };
    let wanted = || {
        let composition: Composition =
            value.text(text).parse().map_err(|error: cellwright_crystal::FormulaError| {
                complaint(value, error.to_string())
            })?;
        let composition = counts(&composition).map_err(|message| complaint(value, message))?;
        let units = names.value(text, "_cell_formula_units_z").map(|z| {
            let units = z.number(text).map(|n| n.value).filter(|n| n.fract() == 0.0);
            let units = units.filter(|n| (1.0..=1e6).contains(n)).map(|n| n as u32);
            units.ok_or_else(|| {
                complaint(z, "Z is the number of formula units in the cell".to_owned())
            })
        });
        let declared = symmetry::NUMBER.iter().chain(&symmetry::HERMANN_MAUGUIN);
        let declared = declared.filter_map(|n| names.value(text, n)).next();
        let space_group = declared.map(|value| {
            let symbol = value.text(text);
            comment::space_group(symbol.trim()).map_err(|message| complaint(value, message))
        });
        Ok(Wanted {
            composition,
            units: units.transpose()?,
            space_group: space_group.transpose()?,
            answers: None,
        })
    };
    let (span, name) = (value.span, block.name.value.clone());
    let (spelling, target) = (Spelling::Formula, Target::Block(index));
    Some(CompositionLine { span, spelling, name, target, wanted: wanted() })
}

/// A comment that asks for a crystal the file does not have.
fn from_comment(parsed: &Parsed, file: &CifFile, span: Span) -> Option<CompositionLine> {
    let text = &*parsed.text;
    let wanted = comment::read(span.text(text), span.start)?;
    if let Ok(wanted) = &wanted {
        let structures = parsed.readings.iter().filter_map(|r| r.structure.as_ref());
        if structures.map(Structure::composition).any(|found| wanted.is_answered_by(&found)) {
            return None;
        }
    }
    let inside = |block: &&Block| block.span.start <= span.start && span.end <= block.span.end;
    let around = file.blocks.iter().position(|block| inside(&block));
    let target = match around {
        None => Target::NewBlock(span.end),
        Some(index) => {
            let block = &file.blocks[index];
            if sites::mentioned(&Names::new(block)) {
                let end = block.span.start + block.span.text(text).trim_end().len();
                Target::NewBlock(end)
            } else {
                Target::Block(index)
            }
        }
    };
    let formula = wanted.as_ref().map(|w| w.composition().reduced().0.formula());
    let name = match target {
        Target::Block(index) => file.blocks[index].name.value.clone(),
        _ => formula.unwrap_or_default(),
    };
    Some(CompositionLine { span, spelling: Spelling::Comment, name, target, wanted })
}
