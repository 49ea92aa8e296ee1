//! Cell angles that were written in radians.

use std::f64::consts::PI;

use cellwright_crystal::Lattice;
use cellwright_syntax::Reading;
use cellwright_syntax::reading::Cell;

/// The angles in degrees of a cell whose angles are stated in radians; `None` where they are not. No
/// crystal has three angles below 3.2°.
pub(crate) fn in_degrees(reading: &Reading) -> Option<[f64; 3]> {
    let Some(Cell::Parameters { lengths, angles }) = &reading.cell else { return None };
    let [Some(alpha), Some(beta), Some(gamma)] = angles else { return None };
    let written = [alpha, beta, gamma].map(|n| n.value.value);
    let lengths = lengths.each_ref().map(|n| n.as_ref().map_or(1.0, |n| n.value.value));
    let degrees = written.map(f64::to_degrees);
    let possible = written.iter().all(|a| (0.0..PI).contains(a));
    (possible && Lattice::from_parameters(lengths, degrees).is_ok()).then_some(degrees)
}
