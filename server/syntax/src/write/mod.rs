//! Whole files from structures.

use cellwright_crystal::Structure;
use cellwright_crystal::symmetry::Setting;

use crate::poscar::Mode;

/// A CIF in P 1 (every atom a row), or in a setting with the given asymmetric unit.
#[must_use]
pub fn cif(structure: &Structure, name: &str) -> String {
    todo!()
}

/// A CIF with symmetry: the operations of `setting` and the sites of the asymmetric unit.
#[must_use]
pub fn cif_symmetric(
    asymmetric: &Structure,
    labels: &[String],
    setting: Setting,
    name: &str,
) -> String {
    todo!()
}

/// Why a structure cannot be a POSCAR.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PoscarError {
    /// POSCAR has no occupancies.
    #[error(
        "{0} of the sites are partly occupied: POSCAR cannot say that, choose an ordered cell first"
    )]
    Disordered(usize),
    /// Nothing to write.
    #[error("the structure has no atoms")]
    Empty,
}

/// A VASP 5 POSCAR; sites are grouped by species in order of first appearance.
///
/// # Errors
/// See [`PoscarError`].
pub fn poscar(structure: &Structure, comment: &str, mode: Mode) -> Result<String, PoscarError> {
    todo!()
}
