//! The smallest edits that bring a changed crystal back into its text. Comments, order, number
//! precision and line ends survive.

use cellwright_crystal::Structure;

use crate::document::{File, Parsed};
use crate::reading::Reading;
use crate::text::TextEdit;

mod cell;
mod cif;
mod columns;
mod notes;
pub(crate) mod number;
mod p1;
mod poscar;
mod predicted;
mod species;
mod symmetry;

pub use predicted::fill;
pub use species::{SiteGroup, name_sites, site_groups};

/// Why a structure cannot go back into this text as it stands.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EditError {
    /// The number or species of the sites is not that of the reading.
    #[error("the new structure has other atoms than the file")]
    OtherAtoms,
    /// The new positions break the declared symmetry: (distance in Å) a P 1 rewrite is needed.
    #[error("the new positions break the declared symmetry by up to {0:.3} Å")]
    BreaksSymmetry(f64),
    /// One loop lists operations and atoms, so that neither can change alone.
    #[error(
        "the symmetry operations stand in the loop of the atoms: give them a loop of their own"
    )]
    OneLoop,
    /// Neither a symbol nor a label says what a site is, so there is no place for an element.
    #[error("the atoms have neither symbols nor labels: there is no place to write an element")]
    NoSpecies,
}

/// What brings a changed crystal into its text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Update {
    /// The edits.
    pub edits: Vec<TextEdit>,
    /// What they leave behind that no longer fits the crystal, for the user: clauses without a trailing dot. Empty where
    /// nothing is edited.
    pub notes: Vec<String>,
}

impl Update {
    /// What is not edited leaves nothing behind.
    fn settled(self) -> Self {
        if self.edits.is_empty() { Self::default() } else { self }
    }
}

/// New positions and cell for the sites of `reading.structure`, in its order: rewrites only numbers that changed, with the digits that were
/// written (at least four for fractional coordinates), drops standard uncertainties of recomputed numbers only. Keeps the cell
/// parameters untouched when the lattice is the same.
///
/// When the cell changes, its volume follows and the calculated density goes as the inverse of the volume. Blanks beside a
/// number may change where columns are lined up; nothing else does.
///
/// # Errors
/// See [`EditError`].
pub fn update(parsed: &Parsed, reading: &Reading, new: &Structure) -> Result<Update, EditError> {
    let old = same_atoms(reading, new)?;
    match &parsed.file {
        File::Poscar(_) => update_as_p1(parsed, reading, new),
        File::Cif(_) => {
            symmetry::check(reading, old, new)?;
            let operations = &reading.symmetry.operations;
            let lattice = if cell::same(&old.lattice, &new.lattice) {
                old.lattice
            } else {
                symmetry::lattice(operations, &old.lattice, &new.lattice)?
            };
            let new = Structure { lattice, sites: new.sites.clone() };
            let change = change(parsed, reading, old, &new)?;
            let notes = notes::geometry(&change).into_iter().collect();
            Ok(Update { edits: change.edits(), notes }.settled())
        }
    }
}

/// The same without symmetry: the block's atoms, operations and space-group items are rewritten as P 1 with every
/// site listed; everything else in the block stays. A POSCAR has no symmetry to begin with.
///
/// The row of an atom is copied for its images, with a label of its own (`Na1_2`) and its anisotropic displacements turned, so
/// that every other column stays true.
///
/// # Errors
/// [`EditError::OtherAtoms`], [`EditError::OneLoop`].
pub fn update_as_p1(
    parsed: &Parsed,
    reading: &Reading,
    new: &Structure,
) -> Result<Update, EditError> {
    let old = same_atoms(reading, new)?;
    match &parsed.file {
        File::Poscar(file) => {
            let rows = symmetry::rows(reading, old, new);
            let lattices = (&old.lattice, &new.lattice);
            let edits = poscar::update(&parsed.text, file, reading, lattices, &rows);
            let notes = notes::velocities(file).into_iter().collect();
            Ok(Update { edits, notes }.settled())
        }
        File::Cif(_) => Ok(p1::update(&change(parsed, reading, old, new)?, new)?.settled()),
    }
}

/// The structure of the reading, if `new` has the same atoms.
fn same_atoms<'a>(reading: &'a Reading, new: &Structure) -> Result<&'a Structure, EditError> {
    let old = reading.structure.as_ref().ok_or(EditError::OtherAtoms)?;
    let elements = |s: &Structure| s.sites.iter().map(|s| s.element).collect::<Vec<_>>();
    let finite = new.sites.iter().all(|s| s.frac.iter().all(|x| x.is_finite()));
    if elements(old) == elements(new) && finite { Ok(old) } else { Err(EditError::OtherAtoms) }
}

/// What changes in the block of a reading.
fn change<'a>(
    parsed: &'a Parsed,
    reading: &'a Reading,
    old: &Structure,
    new: &Structure,
) -> Result<cif::Change<'a>, EditError> {
    let File::Cif(file) = &parsed.file else { return Err(EditError::OtherAtoms) };
    let block = file.blocks.get(reading.block).ok_or(EditError::OtherAtoms)?;
    Ok(cif::Change {
        text: &parsed.text,
        block,
        reading,
        old: old.lattice,
        new: new.lattice,
        rows: symmetry::rows(reading, old, new),
    })
}
