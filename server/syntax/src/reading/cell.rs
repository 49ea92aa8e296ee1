//! The cell of a CIF.

use cellwright_crystal::{Lattice, LatticeError};

use super::Cell;
use super::names::Names;
use crate::value::{Number, Spanned};

/// Names of the lengths, in the spelling of [`Names`].
pub(crate) const LENGTHS: [&str; 3] = ["_cell_length_a", "_cell_length_b", "_cell_length_c"];
/// Names of the angles, in the spelling of [`Names`].
pub(crate) const ANGLES: [&str; 3] = ["_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma"];

/// The six parameters as written and the lattice they make.
///
/// An angle that is not mentioned at all is 90°, the default that the core dictionary gives it; one
/// that is mentioned but unknown or no number makes no lattice.
pub(super) fn read(
    text: &str,
    names: &Names,
) -> (Option<Cell>, Option<Result<Lattice, LatticeError>>) {
    if !LENGTHS.iter().chain(&ANGLES).any(|n| names.has(n)) {
        return (None, None);
    }
    let number = |name: &str| -> Option<Spanned<Number>> {
        let value = names.any(name)?;
        Some(Spanned { value: value.number(text)?, span: value.span })
    };
    let lengths = LENGTHS.map(number);
    let angles = ANGLES.map(number);
    let or_nan = |n: &Option<Spanned<Number>>| n.as_ref().map_or(f64::NAN, |n| n.value.value);
    let mut degrees = [0, 1, 2].map(|i| or_nan(&angles[i]));
    for (angle, name) in degrees.iter_mut().zip(ANGLES) {
        if !names.has(name) {
            *angle = 90.0;
        }
    }
    let lattice = Lattice::from_parameters([0, 1, 2].map(|i| or_nan(&lengths[i])), degrees);
    (Some(Cell::Parameters { lengths, angles }), Some(lattice))
}
