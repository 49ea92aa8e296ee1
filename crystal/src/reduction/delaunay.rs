//! The Delaunay cell, by Selling's steps.

use nalgebra::{Matrix3, Vector3};

use super::work::Work;
use super::{Reduced, ReductionError};
use crate::Lattice;

/// Each step makes the sum of the four squared lengths smaller; from shortened pairs a few are enough.
const MOST_STEPS: usize = 1000;

/// The Delaunay-reduced cell: the three shortest vectors that make a basis, of the seven that Selling's
/// reduction leaves (Delaunay, Z. Kristallogr. 84 (1933) 109; International Tables A, 3.1.2.3).
///
/// A basis and the negative of its sum, a + b + c + d = 0, are changed until no two of the four make an acute
/// angle. Then a, b, c, d, a + b, b + c and c + a hold the faces of the Voronoi cell, and the shortest
/// translations of the lattice are among them. Lengths are in ascending order; where several have the same,
/// angles depend on the given vectors ([`super::niggli`] settles that too).
///
/// `tolerance` is relative, 1e-5 is usual: scalar products up to tolerance · V^⅔ (Å²) count as zero.
///
/// # Errors
/// See [`ReductionError`].
pub fn delaunay(lattice: &Lattice, tolerance: f64) -> Result<Reduced, ReductionError> {
    if !(0.0..=0.1).contains(&tolerance) {
        return Err(ReductionError::Tolerance(tolerance));
    }
    let epsilon = tolerance * lattice.volume().cbrt().powi(2);
    let mut work = Work::new(lattice);
    work.shorten_pairs()?;
    let mut left = MOST_STEPS;
    while let Some(step) = selling_step(&work, epsilon) {
        work.apply(&step)?;
        left = left.checked_sub(1).ok_or(ReductionError::NoEnd(MOST_STEPS))?;
    }
    work.apply(&shortest(&work))?;
    work.finish()
}

/// The change of basis that turns an acute pair of the four vectors into an obtuse one.
fn selling_step(work: &Work, epsilon: f64) -> Option<Matrix3<i64>> {
    let [a, b, c] = [0, 1, 2].map(|i| work.vector(i));
    let four = [a, b, c, -(a + b + c)];
    let acute = |&(i, j): &(usize, usize)| four[i].dot(&four[j]) > epsilon;
    let (i, j) = PAIRS.into_iter().find(acute)?;
    // One of the pair changes its sign and is added to the two others, so that the four still add up to
    // zero; then all change sign, which keeps the handedness.
    let mut coefficients = FOUR;
    for k in 0..4 {
        if k == j {
            coefficients[k] = -FOUR[j];
        } else if k != i {
            coefficients[k] = -(FOUR[k] + FOUR[i]);
        }
    }
    Some(Matrix3::from_fn(|row, column| coefficients[row][column]))
}

const PAIRS: [(usize, usize); 6] = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)];

/// The four vectors in terms of the first three.
const FOUR: [Vector3<i64>; 4] =
    [Vector3::new(1, 0, 0), Vector3::new(0, 1, 0), Vector3::new(0, 0, 1), Vector3::new(-1, -1, -1)];

/// Three of the seven vectors, the shortest that make a basis.
fn shortest(work: &Work) -> Matrix3<i64> {
    let [a, b, c, d] = FOUR;
    let mut seven = [a, b, c, d, a + b, b + c, c + a].map(|v| {
        let [x, y, z] = [0, 1, 2].map(|i| work.vector(i) * v[i] as f64);
        ((x + y + z).norm_squared(), v)
    });
    seven.sort_by(|(x, _), (y, _)| x.total_cmp(y));
    let seven = seven.map(|(_, v)| v);
    // Of vectors of a superbase any two are part of a basis, so the first two stand.
    let determinant = |v: &Vector3<i64>| seven[0].cross(&seven[1]).dot(v);
    let third = seven[2..].iter().find(|v| determinant(v).abs() == 1);
    // One of the seven always completes the basis; a, b and c span the lattice as they are.
    let Some(third) = third else { return Matrix3::identity() };
    let rows = [seven[0], seven[1], *third];
    let sign = determinant(third);
    Matrix3::from_fn(|i, j| sign * rows[i][j])
}
