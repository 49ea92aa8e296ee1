//! What reduction promises: one cell for every description of a lattice, and whole numbers that lead to it.

use nalgebra::{Matrix3, Rotation3, Vector3};
use proptest::prelude::*;

use super::*;
use crate::arbitrary::{any_lattice, any_unimodular};

fn parameters(lattice: &Lattice) -> [f64; 6] {
    let ([a, b, c], [alpha, beta, gamma]) = (lattice.lengths(), lattice.angles());
    [a, b, c, alpha, beta, gamma]
}

fn assert_alike(got: &Lattice, want: [f64; 6], tolerance: f64) {
    for (x, y) in parameters(got).into_iter().zip(want) {
        assert!((x - y).abs() < tolerance, "{:?}, not {want:?}", parameters(got));
    }
}

fn rows(rows: [[f64; 3]; 3]) -> Lattice {
    Lattice::from_rows(Matrix3::from_fn(|i, j| rows[i][j])).unwrap()
}

/// Lattices on the border of several conditions at once, and their Niggli cells (International Tables A,
/// table 3.1.3.1).
fn special() -> Vec<(Lattice, [f64; 6])> {
    let hexagonal = Lattice::from_parameters([3.0, 3.0, 5.0], [90.0, 90.0, 120.0]).unwrap();
    let body = (1.0_f64 / 3.0).acos().to_degrees();
    let (face, centre) = (8.0_f64.sqrt(), 12.0_f64.sqrt());
    vec![
        (
            rows([[4.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 4.0]]),
            [4.0, 4.0, 4.0, 90.0, 90.0, 90.0],
        ),
        (
            rows([[0.0, 2.0, 2.0], [2.0, 0.0, 2.0], [2.0, 2.0, 0.0]]),
            [face, face, face, 60.0, 60.0, 60.0],
        ),
        (
            rows([[-2.0, 2.0, 2.0], [2.0, -2.0, 2.0], [2.0, 2.0, -2.0]]),
            [centre, centre, centre, 180.0 - body, 180.0 - body, 180.0 - body],
        ),
        (hexagonal, [3.0, 3.0, 5.0, 90.0, 90.0, 120.0]),
    ]
}

/// The lengths of the shortest translations that span the lattice, by looking at all near by.
fn successive_minima(reduced: &Lattice) -> [f64; 3] {
    let around = || (-3..=3).map(f64::from);
    let mut vectors: Vec<_> = around()
        .flat_map(|a| around().flat_map(move |b| around().map(move |c| Vector3::new(a, b, c))))
        .map(|v| (reduced.to_cartesian(&v).norm(), v))
        .filter(|(length, _)| *length > 0.0)
        .collect();
    vectors.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let first = vectors[0];
    let second = vectors.iter().find(|(_, v)| v.cross(&first.1).norm() > 0.5).unwrap();
    let plane = first.1.cross(&second.1);
    let third = vectors.iter().find(|(_, v)| v.dot(&plane).abs() > 0.5).unwrap();
    [first.0, second.0, third.0]
}

proptest! {
    #[test]
    fn every_description_has_the_same_niggli_cell(lattice in any_lattice(), u in any_unimodular()) {
        let other = Lattice::from_rows(u * lattice.matrix()).unwrap();
        // Of these lattices next to none lies on a border to one part in 10⁹.
        let (a, b) = (niggli(&lattice, 1e-9).unwrap(), niggli(&other, 1e-9).unwrap());
        assert_alike(&a.lattice, parameters(&b.lattice), 1e-6);
    }

    #[test]
    fn special_lattices_too(u in any_unimodular(), turn in proptest::array::uniform3(-3.0..3.0_f64)) {
        let rotation = Rotation3::new(Vector3::from(turn));
        for (lattice, want) in special() {
            let given = Lattice::from_rows(u * lattice.matrix() * rotation.matrix()).unwrap();
            assert_alike(&niggli(&given, 1e-5).unwrap().lattice, want, 1e-6);
            let lengths = delaunay(&given, 1e-5).unwrap().lattice.lengths();
            for (got, want) in lengths.into_iter().zip(want) {
                assert!((got - want).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn the_transform_leads_to_the_reduced_vectors(lattice in any_lattice(), u in any_unimodular()) {
        let given = Lattice::from_rows(u * lattice.matrix()).unwrap();
        for reduced in [niggli(&given, 1e-5).unwrap(), delaunay(&given, 1e-5).unwrap()] {
            let transform = reduced.transform.cast::<f64>();
            prop_assert_eq!(transform.determinant().round(), 1.0);
            prop_assert!((transform * given.matrix() - reduced.lattice.matrix()).amax() < 1e-10);
        }
        // The second time there is nothing to do.
        let once = niggli(&given, 1e-5).unwrap().lattice;
        prop_assert_eq!(niggli(&once, 1e-5).unwrap().transform, Matrix3::identity());
    }

    #[test]
    fn reduced_vectors_are_the_shortest(lattice in any_lattice(), u in any_unimodular()) {
        let given = Lattice::from_rows(u * lattice.matrix()).unwrap();
        let niggli = niggli(&given, 1e-9).unwrap().lattice;
        let delaunay = delaunay(&given, 1e-9).unwrap().lattice;
        let shortest = successive_minima(&niggli);
        for reduced in [niggli, delaunay] {
            for (got, want) in reduced.lengths().into_iter().zip(shortest) {
                prop_assert!((got - want).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn the_unit_of_length_does_not_matter(lattice in any_lattice(), power in -12..12_i32) {
        let scaled = Lattice::from_rows(lattice.matrix() * 10.0_f64.powi(power)).unwrap();
        let transform = niggli(&lattice, 1e-5).unwrap().transform;
        prop_assert_eq!(niggli(&scaled, 1e-5).unwrap().transform, transform);
    }
}

#[test]
fn a_left_handed_lattice_stays_so() {
    let mirror = Matrix3::from_diagonal(&Vector3::new(1.0, 1.0, -1.0));
    let (lattice, want) = special().remove(1);
    let mirrored = Lattice::from_rows(lattice.matrix() * mirror).unwrap();
    let reduced = niggli(&mirrored, 1e-5).unwrap();
    assert_alike(&reduced.lattice, want, 1e-9);
    let sign = |l: &Lattice| l.matrix().determinant().signum();
    assert_eq!(sign(&reduced.lattice), sign(&mirrored));
}

#[test]
fn what_cannot_be_reduced_is_refused() {
    let cube = rows([[4.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 4.0]]);
    for tolerance in [-1.0, f64::NAN, f64::INFINITY, 0.2] {
        assert!(matches!(niggli(&cube, tolerance), Err(ReductionError::Tolerance(_))));
        assert!(matches!(delaunay(&cube, tolerance), Err(ReductionError::Tolerance(_))));
    }
    assert!(niggli(&cube, 0.0).is_ok());
    for shear in [9e7, 9e8] {
        let skewed = rows([[4.0, 0.0, 0.0], [4.0 * shear, 4.0, 0.0], [0.0, 0.0, 4.0]]);
        assert_eq!(niggli(&skewed, 1e-5), Err(ReductionError::TooSkewed));
        assert_eq!(delaunay(&skewed, 1e-5), Err(ReductionError::TooSkewed));
    }
    // Skewed as far as it may be, and tiny.
    let skewed = rows([[4.0, 0.0, 0.0], [4e5, 4.0, 0.0], [0.0, 40.0, 4.0]]);
    assert_alike(&niggli(&skewed, 1e-5).unwrap().lattice, [4.0, 4.0, 4.0, 90.0, 90.0, 90.0], 1e-6);
    let tiny = rows([[1e-10, 0.0, 0.0], [1e-10, 2e-10, 0.0], [0.0, 0.0, 3e-10]]);
    assert_alike(
        &niggli(&tiny, 1e-5).unwrap().lattice,
        [1e-10, 2e-10, 3e-10, 90.0, 90.0, 90.0],
        1e-6,
    );
}
