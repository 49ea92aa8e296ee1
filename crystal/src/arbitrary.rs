//! Lattices, crystals and changes of basis for property tests.

use nalgebra::{Matrix3, Vector3};
use proptest::prelude::*;

use crate::{Element, Lattice, Site, Structure};

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

/// The vectors of a supercell of up to 24 cells, of either handedness.
pub(crate) fn any_matrix() -> impl Strategy<Value = Matrix3<i32>> {
    let entries = proptest::array::uniform9(-3..=3_i32);
    entries.prop_map(|m| Matrix3::from_row_slice(&m)).prop_filter("a cell of moderate size", |m| {
        (1.0..24.5).contains(&m.cast::<f64>().determinant().abs().round())
    })
}

/// A crystal of up to seven atoms of three elements, none of them closer than 1.2 Å to another. There is one
/// atom of sodium, so that the cell is primitive beyond doubt: where a translation nearly maps the atoms
/// onto each other, it depends on the description whether they are averaged.
pub(crate) fn any_crystal() -> impl Strategy<Value = Structure> {
    let position = proptest::array::uniform3(0.0..1.0_f64);
    let atoms = proptest::collection::vec((1..3_usize, position), 1..8);
    (any_lattice(), atoms).prop_filter_map("atoms apart", |(lattice, atoms)| {
        let elements = ["Na", "Cl", "O"].map(|symbol| symbol.parse::<Element>().unwrap());
        let site = |(i, frac)| Site::new(elements[i], Vector3::from(frac));
        let mut sites: Vec<_> = atoms.into_iter().map(site).collect();
        sites[0].element = Some(elements[0]);
        let crystal = Structure { lattice, sites };
        let pair = crystal.closest_pair().unwrap().unwrap();
        (pair.distance > 1.2).then_some(crystal)
    })
}
