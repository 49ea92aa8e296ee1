//! Strained lattices.

use nalgebra::Matrix3;

use crate::{Lattice, LatticeError, Structure};

/// Strains the structure: every Cartesian position x becomes (I + ε) x. Fractional coordinates stay as they
/// are. A symmetric `strain` is a pure strain; any other turns the crystal as well.
///
/// # Errors
/// When the strained vectors span no lattice; the structure is then as it was.
pub fn strain(structure: &mut Structure, strain: &Matrix3<f64>) -> Result<(), LatticeError> {
    let gradient = Matrix3::identity() + strain;
    structure.lattice = Lattice::from_rows(structure.lattice.matrix() * gradient.transpose())?;
    Ok(())
}

/// The symmetric strain matrix of six numbers in the order of Voigt, xx, yy, zz, yz, xz, xy; shears are
/// engineering shears, twice the entries of the matrix (Nye, Physical Properties of Crystals, 1985, ch. VIII).
#[must_use]
pub fn voigt(strain: [f64; 6]) -> Matrix3<f64> {
    let [xx, yy, zz, yz, xz, xy] = strain;
    let (yz, xz, xy) = (yz / 2.0, xz / 2.0, xy / 2.0);
    Matrix3::new(xx, xy, xz, xy, yy, yz, xz, yz, zz)
}
