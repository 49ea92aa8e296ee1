//! Lattices, cells and changes of basis for property tests.

use nalgebra::{Matrix3, Vector3};
use proptest::prelude::*;

use crate::Lattice;

/// Any lattice that is neither flat nor tiny.
pub(crate) fn any_lattice() -> impl Strategy<Value = Lattice> {
    let lengths = proptest::array::uniform3(1.5..9.0_f64);
    let angles = proptest::array::uniform3(40.0..140.0_f64);
    (lengths, angles).prop_filter_map("a solid cell", |(lengths, angles)| {
        Lattice::from_parameters(lengths, angles).ok().filter(|l| l.volume() > 8.0)
    })
}

/// A lattice and a few positions in and around its cell.
pub(crate) fn any_cell() -> impl Strategy<Value = (Lattice, Vec<Vector3<f64>>)> {
    let position = proptest::array::uniform3(-1.5..1.5_f64).prop_map(Vector3::from);
    (any_lattice(), proptest::collection::vec(position, 1..6))
}

/// A whole-number change of basis with determinant 1: shears, one after the other.
pub(crate) fn any_unimodular() -> impl Strategy<Value = Matrix3<f64>> {
    proptest::collection::vec((0..3_usize, 1..3_usize, -2..=2_i32), 0..4).prop_map(|shears| {
        shears.into_iter().fold(Matrix3::identity(), |u, (i, step, factor)| {
            let mut shear = Matrix3::identity();
            shear[(i, (i + step) % 3)] = f64::from(factor);
            shear * u
        })
    })
}
