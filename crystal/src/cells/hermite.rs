//! Which lattice points of a lattice fill one cell of a coarser one.

use nalgebra::{Matrix3, Vector3};

/// Determinant of whole numbers; entries of 32 bits cannot overflow it.
pub(super) fn determinant(m: &Matrix3<i32>) -> i128 {
    let m = m.map(i128::from);
    m[(0, 0)] * (m[(1, 1)] * m[(2, 2)] - m[(1, 2)] * m[(2, 1)])
        - m[(0, 1)] * (m[(1, 0)] * m[(2, 2)] - m[(1, 2)] * m[(2, 0)])
        + m[(0, 2)] * (m[(1, 0)] * m[(2, 1)] - m[(1, 1)] * m[(2, 0)])
}

/// One lattice point of each class modulo the rows of `m`, |det m| of them, zero first. Each lies in the
/// cell that the rows span, faces at the origin included.
pub(super) fn points(m: &Matrix3<i32>) -> Vec<Vector3<f64>> {
    let det = determinant(m);
    let wide = m.map(i128::from);
    let adjugate = adjugate(&wide);
    let diagonal = hermite_diagonal(wide);
    let [n0, n1, n2] = diagonal;
    let into_cell = |n: Vector3<i128>| {
        // n · m⁻¹ = n · adj / det: whole cells are taken off exactly.
        let cells = (adjugate.transpose() * n).map(|x| (x * det.signum()).div_euclid(det.abs()));
        (n - wide.transpose() * cells).map(|x| x as f64)
    };
    (0..n0)
        .flat_map(|i| (0..n1).flat_map(move |j| (0..n2).map(move |k| Vector3::new(i, j, k))))
        .map(into_cell)
        .collect()
}

fn adjugate(m: &Matrix3<i128>) -> Matrix3<i128> {
    let cofactor = |i: usize, j: usize| {
        let (i1, i2, j1, j2) = ((i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3);
        m[(i1, j1)] * m[(i2, j2)] - m[(i1, j2)] * m[(i2, j1)]
    };
    Matrix3::from_fn(|i, j| cofactor(j, i))
}

/// Diagonal of the upper triangular matrix whose rows span the same lattice (the Hermite normal form). The
/// points with coordinates from 0 to below the diagonal are one of each class.
fn hermite_diagonal(mut m: Matrix3<i128>) -> [i128; 3] {
    for column in 0..2 {
        for row in column + 1..3 {
            // Euclid's algorithm on two rows.
            while m[(row, column)] != 0 {
                let times = m[(column, column)].div_euclid(m[(row, column)]);
                let rest = m.row(column) - m.row(row) * times;
                m.set_row(column, &rest);
                m.swap_rows(column, row);
            }
        }
    }
    [0, 1, 2].map(|i| m[(i, i)].abs())
}
