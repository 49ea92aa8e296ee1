//! Composition lines: places where a file gives a composition and no atoms, and so asks for a structure.
//!
//! There are three spellings: a CIF block with `_chemical_formula_sum` (and `_cell_formula_units_Z`, a space group, if
//! wanted) and no atom sites; a POSCAR with species and counts and nothing below; and a comment
//! `# predict: Li Fe P O4, Z=4`, which may go on with `spacegroup=Pnma` and `n=20`.

mod cif;
pub(crate) mod comment;
mod poscar;
#[cfg(test)]
mod tests;

use cellwright_crystal::{Composition, Element};

use crate::document::{File, Parsed};
use crate::text::Span;

/// One composition line.
#[derive(Debug, Clone, PartialEq)]
pub struct CompositionLine {
    /// Where it stands: the value of the formula, the counts, the comment.
    pub span: Span,
    /// How it is written.
    pub spelling: Spelling,
    /// What its block or file is called, else the formula.
    pub name: String,
    /// Where the structure goes.
    pub target: Target,
    /// What is asked for, or why that cannot be understood.
    pub wanted: Result<Wanted, Complaint>,
}

/// The three ways to write a composition line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// `_chemical_formula_sum` of a block without atoms. It may be there for other reasons.
    Formula,
    /// Species and counts of a POSCAR.
    Counts,
    /// `# predict: …`.
    Comment,
}

/// Where a predicted structure goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Into a block of a CIF (index into [`crate::cif::CifFile::blocks`]) that has no atoms yet.
    Block(usize),
    /// Into a new block of a CIF at this byte.
    NewBlock(usize),
    /// Below the counts of a POSCAR, and into its cell.
    Counts,
    /// Below the first line of a POSCAR that has no other.
    File,
}

/// What a composition line asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Elements and counts in the order in which they are written.
    pub composition: Vec<(Element, u32)>,
    /// How many times the cell holds the composition, where that is said.
    pub units: Option<u32>,
    /// International Tables number of the space group, where one is asked for.
    pub space_group: Option<u16>,
    /// How many answers, where that is said.
    pub answers: Option<usize>,
}

/// Why a composition line cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Where.
    pub span: Span,
    /// One sentence, no trailing dot.
    pub message: String,
}

impl Wanted {
    /// The composition as written.
    #[must_use]
    pub fn composition(&self) -> Composition {
        self.composition.iter().map(|&(element, count)| (element, f64::from(count))).collect()
    }

    /// Whether a crystal is one that was asked for.
    fn is_answered_by(&self, composition: &Composition) -> bool {
        let (wanted, units) = self.composition().reduced();
        let (found, z) = composition.reduced();
        wanted == found && self.units.is_none_or(|n| u64::from(n) * units == z)
    }
}

/// The composition lines of a file that are still without an answer, in order of place.
#[must_use]
pub fn composition_lines(parsed: &Parsed) -> Vec<CompositionLine> {
    match &parsed.file {
        File::Cif(file) => cif::find(parsed, file),
        File::Poscar(file) => poscar::find(&parsed.text, file).into_iter().collect(),
    }
}

/// What a text such as `Li Fe P O4, Z=4 spacegroup=Pnma n=20` asks for; spans count from its beginning.
///
/// # Errors
/// When it cannot be understood, with the place.
pub fn wanted(text: &str) -> Result<Wanted, Complaint> {
    comment::request(text, 0)
}

/// Most atoms of one kind: more is a slip of the pen.
const MOST: f64 = 1e6;

/// The amounts of a formula as whole numbers.
fn counts(composition: &Composition) -> Result<Vec<(Element, u32)>, String> {
    let whole = |(element, amount): (Element, f64)| {
        let count = amount.round();
        if (amount - count).abs() > 1e-6 {
            return Err(format!(
                "{element} has the count {amount}: a structure has whole atoms, so multiply the formula until every \
                 count is whole"
            ));
        }
        if !(1.0..=MOST).contains(&count) {
            return Err(format!("{element} has the count {amount}, which is no number of atoms"));
        }
        Ok((element, count as u32))
    };
    composition.iter().map(whole).collect()
}
