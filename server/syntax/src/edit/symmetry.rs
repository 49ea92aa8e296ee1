//! From the whole cell back to the asymmetric unit, and whether the way is open.

use cellwright_crystal::structure::wrap_half;
use cellwright_crystal::symmetry::{Operation, metric_misfit};
use cellwright_crystal::{Lattice, Structure};
use nalgebra::{Matrix3, Vector3};

use super::EditError;
use crate::reading::Reading;

/// How far (Å) an atom may be from where the operations want it, beyond what the rounding of the
/// written coordinates explains: what four decimals resolve in a large cell.
pub(super) const TOLERANCE: f64 = 1e-3;

/// The new coordinates of every row, `None` for rows that are not in the structure. Each is given in the cell that the
/// written one is in.
pub(super) fn rows(
    reading: &Reading,
    old: &Structure,
    new: &Structure,
) -> Vec<Option<Vector3<f64>>> {
    let mut rows = vec![None; reading.sites.len()];
    for (k, origin) in reading.origins.iter().enumerate() {
        if origin.operation == 0 {
            rows[origin.site] = Some(nearest(&new.sites[k].frac, &old.sites[k].frac));
        }
    }
    rows
}

/// `frac` in the cell nearest to `reference`.
fn nearest(frac: &Vector3<f64>, reference: &Vector3<f64>) -> Vector3<f64> {
    frac.zip_map(reference, |x, r| x - (x - r).round())
}

/// The lattice without what breaks the operations: the average of the metric over them. Rounding noise of equal
/// lengths and right angles goes this way.
///
/// # Errors
/// [`EditError::BreaksSymmetry`] when there is more than noise.
pub(super) fn lattice(
    operations: &[Operation],
    old: &Lattice,
    new: &Lattice,
) -> Result<Lattice, EditError> {
    let longest = new.lengths().into_iter().fold(0.0, f64::max);
    // Half a relative change of the metric is a relative change of a length.
    let misfit = |l: &Lattice| 0.5 * metric_misfit(operations, l) * longest;
    let (before, after) = (misfit(old), misfit(new));
    if after > before + TOLERANCE {
        return Err(EditError::BreaksSymmetry(after));
    }
    if before > TOLERANCE {
        // The cell did not obey its operations to begin with; averaging would change it for no asked reason.
        return Ok(*new);
    }
    let metric = new.metric();
    let sum: Matrix3<f64> = operations.iter().map(|op| turned(op, &metric)).sum();
    let metric = sum / operations.len() as f64;
    let lengths = [0, 1, 2].map(|i| metric[(i, i)].sqrt());
    let angles = [(1, 2), (0, 2), (0, 1)]
        .map(|(i, j)| (metric[(i, j)] / (lengths[i] * lengths[j])).clamp(-1.0, 1.0).acos());
    Ok(Lattice::from_parameters(lengths, angles.map(f64::to_degrees)).unwrap_or(*new))
}

/// WᵀGW.
fn turned(operation: &Operation, metric: &Matrix3<f64>) -> Matrix3<f64> {
    let w = operation.rotation.cast::<f64>();
    w.transpose() * metric * w
}

/// Checks that the new positions obey the operations: every image of a new position must be one of the new atoms of its
/// row, to [`TOLERANCE`] more than the old ones.
///
/// # Errors
/// [`EditError::BreaksSymmetry`] with the largest distance.
pub(super) fn check(reading: &Reading, old: &Structure, new: &Structure) -> Result<(), EditError> {
    let operations = &reading.symmetry.operations;
    let mut worst = (0.0f64, false);
    let mut start = 0;
    while start < reading.origins.len() {
        // The images of one row stand together, the one of the identity first.
        let site = reading.origins[start].site;
        let len = reading.origins[start..].iter().take_while(|o| o.site == site).count();
        let range = start..start + len;
        let before: Vec<_> = old.sites[range.clone()].iter().map(|s| s.frac).collect();
        let after: Vec<_> = new.sites[range.clone()].iter().map(|s| s.frac).collect();
        for (j, op) in operations.iter().enumerate() {
            let image = op.apply(&before[0]);
            let distances = before.iter().map(|f| distance(&old.lattice, f, &image));
            let (m, was) = if len == operations.len() {
                (j, distance(&old.lattice, &before[j], &image))
            } else {
                let first = (0, f64::INFINITY);
                distances.enumerate().fold(first, |best, d| if d.1 < best.1 { d } else { best })
            };
            let is = distance(&new.lattice, &after[m], &op.apply(&after[0]));
            // Written so that NaN counts as broken.
            let fine = is <= was + TOLERANCE;
            worst = (worst.0.max(is), worst.1 || !fine);
        }
        start += len;
    }
    if worst.1 { Err(EditError::BreaksSymmetry(worst.0)) } else { Ok(()) }
}

/// Distance (Å) of two positions, lattice translations aside.
fn distance(lattice: &Lattice, a: &Vector3<f64>, b: &Vector3<f64>) -> f64 {
    lattice.to_cartesian(&(a - b).map(wrap_half)).norm()
}
