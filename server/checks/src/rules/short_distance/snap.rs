//! The fix for an atom beside a symmetry element.

use cellwright_syntax::{Reading, TextEdit};
use nalgebra::Vector3;

use crate::Context;
use crate::mend::coordinate;

/// An atom this near its own image (Å) was meant to lie on the symmetry element between them.
pub(super) const NEAR: f64 = 0.3;

/// Moves a row onto the symmetry element it stands beside: to the mean of its images nearby. Only
/// where that point really is invariant and the coordinates are written as fractions.
pub(super) fn onto_symmetry(
    context: &Context<'_>,
    reading: &Reading,
    site: usize,
) -> Option<(String, Vec<TextEdit>)> {
    let row = &reading.sites[site];
    let lattice = reading.lattice.as_ref()?.as_ref().ok()?;
    let written = row.frac?;
    let near = |from: &Vector3<f64>, to: Vector3<f64>| {
        let shift = (from - to).map(f64::round);
        let image = to + shift;
        (lattice.to_cartesian(&(image - from)).norm() < NEAR).then_some(image)
    };
    let images: Vec<Vector3<f64>> = reading
        .symmetry
        .operations
        .iter()
        .filter_map(|op| near(&written, op.apply(&written)))
        .collect();
    let mean = images.iter().sum::<Vector3<f64>>() / images.len() as f64;
    let invariant =
        reading.symmetry.operations.iter().all(|op| {
            near(&mean, op.apply(&mean)).is_none_or(|image| (image - mean).norm() < 1e-9)
        });
    if !invariant || images.len() < 2 {
        return None;
    }
    let mut edits = Vec::new();
    for axis in 0..3 {
        let span = row.coordinate_spans[axis]?;
        if (mean[axis] - written[axis]).abs() < 1e-9 {
            continue;
        }
        let text = coordinate(mean[axis], row.decimals[axis]);
        if context.text(span) != text {
            edits.push(TextEdit::replace(span, text));
        }
    }
    let [x, y, z] = [0, 1, 2].map(|axis| coordinate(mean[axis], row.decimals[axis]));
    (!edits.is_empty()).then(|| (format!("Move {} to {x} {y} {z}", row.label), edits))
}
