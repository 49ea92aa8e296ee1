//! Whole files from structures.

use cellwright_crystal::Structure;
use cellwright_crystal::cells::{Asymmetric, asymmetric};
use cellwright_crystal::symmetry::Setting;

use crate::poscar::Mode;

mod cif;
pub(crate) mod poscar;

/// A CIF in P 1: every atom a row, labelled by its element and a running number.
///
/// Numbers have as many decimals as they need, from four to eight, so that reading the text again gives the structure to 1e-8.
/// A masked site has the type symbol `?`. The formula stands there only if every species is known.
#[must_use]
pub fn cif(structure: &Structure, name: &str) -> String {
    cif::write(structure, None, None, name)
}

/// A CIF with symmetry: the operations of `setting` and the sites of the asymmetric unit.
///
/// `labels` has one label for each site; missing ones are made from the element.
#[must_use]
pub fn cif_symmetric(
    asymmetric: &Structure,
    labels: &[String],
    setting: Setting,
    name: &str,
) -> String {
    cif::write(asymmetric, Some(labels), Some(setting), name)
}

/// A CIF with the symmetry that the structure has at `symprec` (Å), made exact: its asymmetric unit in the conventional cell. In
/// P 1, as [`cif`], where no symmetry is found, and with `keep_cell` also where the conventional cell is another than the given
/// one in size.
#[must_use]
pub fn cif_with_symmetry(
    structure: &Structure,
    name: &str,
    symprec: f64,
    keep_cell: bool,
) -> String {
    let found = asymmetric(structure, symprec).ok();
    let same_size =
        |unit: &Asymmetric| unit.multiplicities.iter().sum::<usize>() == structure.len();
    match found.filter(|unit| !keep_cell || same_size(unit)) {
        Some(unit) => cif_symmetric(&unit.structure, &[], unit.setting, name),
        None => cif(structure, name),
    }
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

/// A VASP 5 POSCAR; sites are grouped by species in order of first appearance. A masked site has the
/// species `X`.
///
/// # Errors
/// See [`PoscarError`].
pub fn poscar(structure: &Structure, comment: &str, mode: Mode) -> Result<String, PoscarError> {
    poscar::write(structure, comment, mode)
}
