//! The smallest edits that bring a changed crystal back into its text. Comments, order, number
//! precision and line ends survive.

use cellwright_crystal::Structure;

use crate::document::Parsed;
use crate::reading::Reading;
use crate::text::TextEdit;

/// Why a structure cannot go back into this text as it stands.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EditError {
    /// The number or species of the sites is not that of the reading.
    #[error("the new structure has other atoms than the file")]
    OtherAtoms,
    /// The new positions break the declared symmetry: (distance in Å) a P 1 rewrite is needed.
    #[error("the new positions break the declared symmetry by up to {0:.3} Å")]
    BreaksSymmetry(f64),
}

/// New positions and cell for the sites of `reading.structure`, in its order: rewrites only numbers that changed, with the digits that were
/// written (at least four for fractional coordinates), drops standard uncertainties of recomputed numbers only. Keeps the cell
/// parameters untouched when the lattice is the same.
///
/// # Errors
/// See [`EditError`].
pub fn update(
    parsed: &Parsed,
    reading: &Reading,
    new: &Structure,
) -> Result<Vec<TextEdit>, EditError> {
    todo!()
}

/// The same without symmetry: the block's atoms, operations and space-group items are rewritten as P 1 with every
/// site listed; everything else in the block stays.
///
/// # Errors
/// [`EditError::OtherAtoms`].
pub fn update_as_p1(
    parsed: &Parsed,
    reading: &Reading,
    new: &Structure,
) -> Result<Vec<TextEdit>, EditError> {
    todo!()
}
