//! Random orbits of a space group, special ones too.

use cellwright_crystal::Lattice;
use cellwright_crystal::structure::{wrap_half, wrap_unit};
use cellwright_crystal::symmetry::Operation;
use nalgebra::Vector3;

use crate::nn::random::Random;

/// Points are one when they are this close (Å).
const SAME: f64 = 1e-3;

/// Rounds of moving a point onto what several operations leave in place.
const ROUNDS: usize = 24;

/// Most operations that a point is moved onto.
const MOST: usize = 3;

/// The images of a random point under all operations, each once. The point lies where up to three operations, chosen by chance,
/// leave it; none for operations that leave nothing in place, such as screws.
pub(super) fn random_orbit(
    operations: &[Operation],
    lattice: &Lattice,
    random: &mut Random,
) -> Option<Vec<Vector3<f64>>> {
    let mut point = Vector3::from_fn(|_, _| random.uniform());
    let kept: Vec<&Operation> =
        (0..random.below(MOST + 1)).map(|_| &operations[random.below(operations.len())]).collect();
    for _ in 0..ROUNDS {
        for operation in &kept {
            point = halfway(operation, &point);
        }
    }
    let moved = |operation: &Operation| {
        lattice.to_cartesian(&(operation.apply(&point) - point).map(wrap_half)).norm()
    };
    if kept.iter().any(|operation| moved(operation) > SAME) {
        return None;
    }
    // To the last digit: the mean of where the site symmetry takes it.
    let stabiliser: Vec<&Operation> = operations.iter().filter(|op| moved(op) <= SAME).collect();
    let shift: Vector3<f64> =
        stabiliser.iter().map(|op| (op.apply(&point) - point).map(wrap_half)).sum();
    point += shift / stabiliser.len() as f64;
    let mut images: Vec<Vector3<f64>> = Vec::new();
    for operation in operations {
        let image = operation.apply(&point).map(wrap_unit);
        let apart =
            |other: &Vector3<f64>| lattice.to_cartesian(&(image - other).map(wrap_half)).norm();
        if images.iter().all(|other| apart(other) > SAME) {
            images.push(image);
        }
    }
    // A stabiliser of order n leaves |G|/n images; anything else is a point beside a special position.
    (images.len() * stabiliser.len() == operations.len()).then_some(images)
}

/// Between a point and its nearest image: repeated, this ends where the operation leaves the point in place, if there is such a
/// place.
fn halfway(operation: &Operation, point: &Vector3<f64>) -> Vector3<f64> {
    point + (operation.apply(point) - point).map(wrap_half) * 0.5
}
