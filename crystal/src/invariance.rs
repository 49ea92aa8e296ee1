//! The physics of descriptions: whatever cell, origin, order or orientation a crystal is written in, its
//! distances, its fingerprint and what it matches are the same.

use nalgebra::{Matrix3, Rotation3, Vector3};
use proptest::prelude::*;

use crate::arbitrary::{any_crystal, any_matrix, any_unimodular};
use crate::cells::{supercell, translate};
use crate::fingerprint::average_minimum_distances;
use crate::matching::Matcher;
use crate::neighbors::neighbors;
use crate::{Element, Lattice, Structure};

/// Distances up to 4 Å between each two species: what does not depend on the cell. Those within rounding of
/// the limit are left out; `times` repeats each.
fn distances(structure: &Structure, times: usize) -> Vec<(Option<Element>, Option<Element>, f64)> {
    let list = neighbors(&structure.lattice, &structure.fractional(), 4.0).unwrap();
    let species = |i: usize| structure.sites[i].element;
    let pairs = list.iter().filter(|(_, n)| n.distance < 4.0 - 1e-6);
    let mut all: Vec<_> = pairs
        .flat_map(|(i, n)| vec![(species(i), species(n.index as usize), n.distance); times])
        .collect();
    all.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
    all
}

/// Asserts that one cell of `other` holds `times` cells of `given`, with the same distances.
pub(crate) fn assert_same_distances(given: &Structure, other: &Structure, times: usize) {
    let (a, b) = (distances(given, times), distances(other, 1));
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(&b) {
        assert_eq!((a.0, a.1), (b.0, b.1));
        assert!((a.2 - b.2).abs() < 1e-7, "{a:?} {b:?}");
    }
}

fn assert_same_fingerprint(given: &Structure, other: &Structure) {
    let [a, b] = [given, other].map(|s| average_minimum_distances(s, 30).unwrap());
    for (k, (a, b)) in a.iter().zip(&b).enumerate() {
        assert!((a - b).abs() < 1e-7, "neighbour {}: {a} {b}", k + 1);
    }
}

/// Asserts that the two match each other, and anything else alike.
fn assert_same_matches(given: &Structure, other: &Structure) {
    let matcher = Matcher::default();
    let mut moved = given.clone();
    for (i, site) in moved.sites.iter_mut().enumerate() {
        let way = Vector3::new(1.0, 2.0, 3.0).map(|k| (k + 7.0 * i as f64).sin() * 0.03);
        site.frac += given.lattice.to_fractional(&way);
    }
    let [a, b, c] = [given, other, &moved].map(|s| matcher.prepare(s).unwrap());
    let same = matcher.rms(&a, &b).expect("one crystal");
    assert!(same.rms < 1e-6, "{same:?}");
    let rms = [&a, &b].map(|s| matcher.rms(s, &c).expect("atoms were hardly moved").rms);
    assert!((rms[0] - rms[1]).abs() < 1e-6, "{rms:?}");
}

fn assert_same_crystal(given: &Structure, other: &Structure, times: usize) {
    assert_same_distances(given, other, times);
    assert_same_fingerprint(given, other);
    assert_same_matches(given, other);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_translation_changes_nothing(
        crystal in any_crystal(),
        by in prop::array::uniform3(-3.0..3.0_f64),
    ) {
        let mut moved = crystal.clone();
        translate(&mut moved, &Vector3::from(by));
        assert_same_crystal(&crystal, &moved, 1);
    }

    #[test]
    fn a_permutation_changes_nothing(
        (crystal, order) in any_crystal().prop_flat_map(|crystal| {
            let order = Just((0..crystal.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(crystal), order)
        }),
    ) {
        let sites = order.iter().map(|&i| crystal.sites[i].clone()).collect();
        assert_same_crystal(&crystal, &Structure { sites, ..crystal.clone() }, 1);
    }

    #[test]
    fn a_rotation_or_reflection_changes_nothing(
        crystal in any_crystal(),
        axis in prop::array::uniform3(-3.0..3.0_f64),
        mirror in any::<bool>(),
    ) {
        let sign = if mirror { -1.0 } else { 1.0 };
        let turn = Rotation3::new(Vector3::from(axis)).matrix() * sign;
        let lattice = Lattice::from_rows(crystal.lattice.matrix() * turn.transpose()).unwrap();
        assert_same_crystal(&crystal, &Structure { lattice, ..crystal.clone() }, 1);
    }

    #[test]
    fn a_supercell_changes_nothing(crystal in any_crystal(), m in any_matrix()) {
        let larger = supercell(&crystal, &m).unwrap().structure;
        let times = larger.len() / crystal.len();
        assert_same_crystal(&crystal, &larger, times);
    }

    #[test]
    fn a_change_of_basis_changes_nothing(crystal in any_crystal(), u in any_unimodular()) {
        let u: Matrix3<i32> = u.map(|x| x as i32);
        assert_same_crystal(&crystal, &supercell(&crystal, &u).unwrap().structure, 1);
    }
}
