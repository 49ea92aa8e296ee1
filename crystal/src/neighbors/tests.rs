//! The physics decides: what a change of description must not change, and plain counting.

use nalgebra::{Matrix3, Rotation3, Vector3};
use proptest::prelude::*;

use super::*;
use crate::arbitrary::{any_cell, any_unimodular};

/// Every image in a block wide enough for any cell, one by one.
fn brute_force(lattice: &Lattice, frac: &[Vector3<f64>], cutoff: f64) -> Vec<(usize, Neighbor)> {
    let spread = |k: usize| frac.iter().map(|v| v[k].abs()).fold(0.0, f64::max) * 2.0;
    let reach = [0, 1, 2].map(|k| (cutoff / lattice.heights()[k] + spread(k)).ceil() as i32 + 1);
    let mut all = Vec::new();
    for (i, from) in frac.iter().enumerate() {
        for (j, to) in frac.iter().enumerate() {
            for a in -reach[0]..=reach[0] {
                for b in -reach[1]..=reach[1] {
                    for c in -reach[2]..=reach[2] {
                        let image = [a, b, c];
                        let apart = to - from + Vector3::from(image.map(f64::from));
                        let distance = lattice.to_cartesian(&apart).norm();
                        let itself = i == j && image == [0; 3];
                        if !itself && distance <= cutoff + SHELL_TOLERANCE {
                            all.push((i, Neighbor { index: j as u32, image, distance }));
                        }
                    }
                }
            }
        }
    }
    all
}

/// Pairs in an order of their own, without the distances that rounding touches.
fn names(pairs: impl Iterator<Item = (usize, Neighbor)>) -> Vec<(usize, u32, [i32; 3])> {
    let mut names: Vec<_> = pairs.map(|(i, n)| (i, n.index, n.image)).collect();
    names.sort_unstable();
    names
}

fn owned(list: &NeighborList) -> impl Iterator<Item = (usize, Neighbor)> {
    list.iter().map(|(i, n)| (i, *n))
}

fn sorted_distances(list: &NeighborList) -> Vec<f64> {
    let mut distances: Vec<_> = list.iter().map(|(_, n)| n.distance).collect();
    distances.sort_by(f64::total_cmp);
    distances
}

/// Distances agree; a pair within rounding of the cutoff may be on either side.
fn same_distances(a: &NeighborList, b: &NeighborList, times: usize, cutoff: f64) {
    let clear = |list: &NeighborList, times: usize| -> Vec<f64> {
        let all = sorted_distances(list).into_iter().filter(|d| (d - cutoff).abs() > 1e-6);
        all.flat_map(|d| vec![d; times]).collect()
    };
    let (a, b) = (clear(a, times), clear(b, 1));
    assert_eq!(a.len(), b.len());
    for (x, y) in a.iter().zip(&b) {
        assert!((x - y).abs() < 1e-7, "{x} {y}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn agrees_with_counting_one_by_one((lattice, frac) in any_cell(), cutoff in 0.0..6.0_f64) {
        let list = neighbors(&lattice, &frac, cutoff).unwrap();
        let brute = brute_force(&lattice, &frac, cutoff);
        prop_assert_eq!(names(owned(&list)), names(brute.into_iter()));
        for (i, n) in list.iter() {
            let image = Vector3::from(n.image.map(f64::from));
            let apart = frac[n.index as usize] + image - frac[i];
            prop_assert!((lattice.to_cartesian(&apart).norm() - n.distance).abs() < 1e-9);
        }
    }

    #[test]
    fn both_directions_are_there_and_equal((lattice, frac) in any_cell(), cutoff in 0.0..7.0_f64) {
        let list = neighbors(&lattice, &frac, cutoff).unwrap();
        for (i, n) in list.iter() {
            let back = list.of(n.index as usize).iter().find(|m| {
                m.index as usize == i && m.image == n.image.map(|x| -x)
            });
            prop_assert_eq!(back.map(|m| m.distance), Some(n.distance));
        }
        for i in 0..list.len() {
            prop_assert!(list.of(i).is_sorted_by(|a, b| a.distance <= b.distance));
        }
    }

    #[test]
    fn the_origin_does_not_matter(
        (lattice, frac) in any_cell(),
        shift in proptest::array::uniform3(-3.0..3.0_f64),
    ) {
        let moved: Vec<_> = frac.iter().map(|v| v + Vector3::from(shift)).collect();
        let list = neighbors(&lattice, &frac, 5.0).unwrap();
        same_distances(&list, &neighbors(&lattice, &moved, 5.0).unwrap(), 1, 5.0);
    }

    #[test]
    fn whole_cells_move_images_only(
        (lattice, frac) in any_cell(),
        cells in proptest::array::uniform3(-4..4_i32),
    ) {
        let mut moved = frac.clone();
        moved[0] += Vector3::from(cells.map(f64::from));
        let list = neighbors(&lattice, &frac, 4.5).unwrap();
        let expected = owned(&list).map(|(i, mut n)| {
            for k in 0..3 {
                n.image[k] += if i == 0 { cells[k] } else { 0 };
                n.image[k] -= if n.index == 0 { cells[k] } else { 0 };
            }
            (i, n)
        });
        let expected = names(expected);
        let got = neighbors(&lattice, &moved, 4.5).unwrap();
        prop_assert_eq!(names(owned(&got)), expected);
    }

    #[test]
    fn the_order_of_atoms_does_not_matter((lattice, frac) in any_cell()) {
        let reversed: Vec<_> = frac.iter().rev().copied().collect();
        let last = frac.len() as u32 - 1;
        let list = neighbors(&lattice, &frac, 5.0).unwrap();
        let other = neighbors(&lattice, &reversed, 5.0).unwrap();
        let renamed = owned(&other).map(|(i, mut n)| {
            n.index = last - n.index;
            (last as usize - i, n)
        });
        prop_assert_eq!(names(owned(&list)), names(renamed));
    }

    #[test]
    fn turning_the_crystal_does_not_matter(
        (lattice, frac) in any_cell(),
        turn in proptest::array::uniform3(-3.0..3.0_f64),
    ) {
        let rotation = Rotation3::new(Vector3::from(turn));
        let turned = Lattice::from_rows(lattice.matrix() * rotation.matrix()).unwrap();
        let list = neighbors(&lattice, &frac, 5.0).unwrap();
        same_distances(&list, &neighbors(&turned, &frac, 5.0).unwrap(), 1, 5.0);
    }

    #[test]
    fn the_choice_of_the_cell_does_not_matter((lattice, frac) in any_cell(), u in any_unimodular()) {
        let other = Lattice::from_rows(u * lattice.matrix());
        prop_assume!(other.is_ok());
        let inverse = u.try_inverse().unwrap().map(f64::round);
        let moved: Vec<_> = frac.iter().map(|f| inverse.tr_mul(f)).collect();
        let list = neighbors(&lattice, &frac, 5.0).unwrap();
        same_distances(&list, &neighbors(&other.unwrap(), &moved, 5.0).unwrap(), 1, 5.0);
    }

    #[test]
    fn a_supercell_has_the_same_neighbours(
        (lattice, frac) in any_cell(),
        times in proptest::array::uniform3(1..3_usize),
    ) {
        let scale = Vector3::from(times.map(|n| n as f64));
        let larger = Lattice::from_rows(Matrix3::from_diagonal(&scale) * lattice.matrix()).unwrap();
        let mut atoms = Vec::new();
        for a in 0..times[0] {
            for b in 0..times[1] {
                for c in 0..times[2] {
                    let cell = Vector3::from([a, b, c].map(|n| n as f64));
                    atoms.extend(frac.iter().map(|f| (f + cell).component_div(&scale)));
                }
            }
        }
        let list = neighbors(&lattice, &frac, 5.0).unwrap();
        let other = neighbors(&larger, &atoms, 5.0).unwrap();
        same_distances(&list, &other, times.iter().product(), 5.0);
    }

    #[test]
    fn the_closest_pair_is_the_head_of_the_list((lattice, frac) in any_cell()) {
        let pair = closest_pair(&lattice, &frac).unwrap().unwrap();
        let within = neighbors(&lattice, &frac, pair.distance).unwrap();
        let shortest = sorted_distances(&within)[0];
        prop_assert!((shortest - pair.distance).abs() < 1e-9);
        let image = Vector3::from(pair.image.map(f64::from));
        let apart = frac[pair.second] + image - frac[pair.first];
        prop_assert!((lattice.to_cartesian(&apart).norm() - pair.distance).abs() < 1e-9);
    }
}

fn cube(a: f64) -> Lattice {
    Lattice::from_parameters([a; 3], [90.0; 3]).unwrap()
}

#[test]
fn shells_of_the_simple_cubic_lattice() {
    let one = [Vector3::new(0.3, 0.3, 0.3)];
    // Coordination numbers 6, 12, 8, 6 at 1, √2, √3, 2; exact shells are in.
    for (cutoff, count) in [(0.99, 0), (1.0, 6), (1.5, 18), (1.75, 26), (2.0, 32)] {
        assert_eq!(neighbors(&cube(1.0), &one, cutoff).unwrap().pairs(), count, "{cutoff}");
    }
}

#[test]
fn coincident_atoms_are_neighbours_at_zero() {
    let two = [Vector3::new(0.0, 0.0, 0.0), Vector3::new(1.0, -2.0, 0.0)];
    let list = neighbors(&cube(4.0), &two, 0.0).unwrap();
    assert_eq!(list.of(0), [Neighbor { index: 1, image: [-1, 2, 0], distance: 0.0 }]);
    let pair = closest_pair(&cube(4.0), &two).unwrap().unwrap();
    assert_eq!((pair.first, pair.second, pair.distance), (0, 1, 0.0));
}

#[test]
fn nothing_has_no_neighbours() {
    assert!(neighbors(&cube(4.0), &[], 5.0).unwrap().is_empty());
    assert_eq!(neighbors(&cube(4.0), &[Vector3::zeros()], -1.0).unwrap().pairs(), 0);
    assert_eq!(closest_pair(&cube(4.0), &[]), Ok(None));
}

#[test]
fn what_cannot_be_listed_is_refused() {
    let one = [Vector3::zeros()];
    let far = [Vector3::zeros(), Vector3::new(1e300, 0.0, 0.0)];
    assert_eq!(neighbors(&cube(4.0), &one, f64::NAN), Err(NeighborError::NotFinite(0)));
    assert_eq!(neighbors(&cube(4.0), &far, 5.0), Err(NeighborError::TooFar(1)));
    let nan = [Vector3::zeros(), Vector3::new(0.0, f64::INFINITY, 0.0)];
    assert_eq!(neighbors(&cube(4.0), &nan, 5.0), Err(NeighborError::NotFinite(1)));
    assert!(matches!(neighbors(&cube(1e-6), &one, 5.0), Err(NeighborError::TooMany(_))));
    assert!(matches!(neighbors(&cube(4.0), &one, 1e200), Err(NeighborError::TooMany(_))));
    // Even density would allow it, the crowd does not.
    let crowd = vec![Vector3::zeros(); 20_000];
    assert!(matches!(neighbors(&cube(1000.0), &crowd, 1.0), Err(NeighborError::TooMany(_))));
}

#[test]
fn crowds_do_not_slow_the_closest_pair() {
    // A hundred thousand atoms within a millionth of a cell of 1000 Å, all different.
    let atoms: Vec<_> =
        (0..100_000).map(|i| Vector3::new(f64::from(i) * 1e-11, 0.0, 0.0)).collect();
    let pair = closest_pair(&cube(1000.0), &atoms).unwrap().unwrap();
    assert!(pair.distance < 1e-7 && pair.first != pair.second);
}

#[test]
fn flat_cells_are_handled() {
    // 0.06° between a and b: written so, one image of 5 Å would be hidden behind thousands of cells.
    let rows = Matrix3::new(4.0, 0.0, 0.0, 4000.0, 4.0, 0.0, 0.0, 0.0, 4.0);
    let lattice = Lattice::from_rows(rows).unwrap();
    let list = neighbors(&lattice, &[Vector3::new(0.5, 0.25, 0.0)], 4.0).unwrap();
    assert_eq!(list.pairs(), 6);
    assert!(list.of(0).iter().any(|n| n.image == [-1000, 1, 0]));
}
