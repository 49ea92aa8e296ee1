//! Supercells of any shape.

use nalgebra::Matrix3;

use super::{CellError, Recast, hermite};
use crate::{Lattice, Site, Structure};

/// The largest supercell there may be (sites).
pub const MOST_SITES: u128 = 10_000_000;

/// The structure in the cell whose lattice vectors are the rows of `matrix · lattice`: a supercell of |det|
/// cells, or another basis of the same lattice where the determinant is ±1. A negative determinant turns
/// the handedness of the basis, not of the crystal.
///
/// Copies of a site follow one another. Coordinates that lie outside the given cell lie as far outside
/// afterwards; [`super::wrap`] brings them in.
///
/// # Errors
/// When the determinant is 0 or there would be more than [`MOST_SITES`] sites.
pub fn supercell(structure: &Structure, matrix: &Matrix3<i32>) -> Result<Recast, CellError> {
    let times = hermite::determinant(matrix).unsigned_abs();
    if times == 0 {
        return Err(CellError::Singular);
    }
    let count = times.saturating_mul(structure.len().max(1) as u128);
    if count > MOST_SITES {
        return Err(CellError::TooMany(count));
    }
    let transform = matrix.cast::<f64>();
    let lattice = Lattice::from_rows(transform * structure.lattice.matrix())?;
    // A matrix of whole numbers that is not singular has an inverse.
    let inverse = transform.try_inverse().ok_or(CellError::Singular)?;
    let points = hermite::points(matrix);
    let mut sites = Vec::with_capacity(count as usize);
    let mut origins = Vec::with_capacity(count as usize);
    for (i, site) in structure.sites.iter().enumerate() {
        for point in &points {
            sites.push(Site { frac: inverse.tr_mul(&(site.frac + point)), ..site.clone() });
            origins.push(i);
        }
    }
    let structure = Structure { lattice, sites };
    Ok(Recast { structure, transform, origin: nalgebra::Vector3::zeros(), sites: origins })
}
