//! The basis in which shortest vectors are looked for: Lenstra, Lenstra & Lovász, Math. Ann. 261, 515
//! (1982), with δ = ¾. Matching measures its coordinate windows along these axes.

use nalgebra::{Matrix3, Vector3};

const DELTA: f64 = 0.75;

/// Far more steps than three vectors of a sane cell need; what is left then is a basis all the same.
const MOST_STEPS: usize = 200;

/// The reduced vectors as rows, and the whole numbers that make them: `reduced = transform · rows`.
pub(super) fn lll(rows: &Matrix3<f64>) -> (Matrix3<f64>, Matrix3<i32>) {
    let mut basis = [0, 1, 2].map(|i| rows.row(i).transpose());
    let mut whole = [Vector3::new(1, 0, 0), Vector3::new(0, 1, 0), Vector3::new(0, 0, 1)];
    let mut k = 1;
    for _ in 0..MOST_STEPS {
        if k > 2 {
            break;
        }
        let orthogonal = gram_schmidt(&basis);
        for i in (0..k).rev() {
            let times = projection(&basis[k], &orthogonal[i]).round_ties_even();
            if times != 0.0 {
                basis[k] -= times * basis[i];
                whole[k] -= whole[i] * (times as i32);
            }
        }
        let mu = projection(&basis[k], &orthogonal[k - 1]);
        let (here, before) = (orthogonal[k].norm_squared(), orthogonal[k - 1].norm_squared());
        if here >= (DELTA - mu * mu) * before {
            k += 1;
        } else {
            basis.swap(k, k - 1);
            whole.swap(k, k - 1);
            k = (k - 1).max(1);
        }
    }
    (Matrix3::from_columns(&basis).transpose(), Matrix3::from_columns(&whole).transpose())
}

/// The vectors less their parts along those before; not scaled.
fn gram_schmidt(basis: &[Vector3<f64>; 3]) -> [Vector3<f64>; 3] {
    let [a, b, c] = basis;
    let b = b - a * projection(b, a);
    [*a, b, c - a * projection(c, a) - b * projection(c, &b)]
}

/// How many times `onto` is in `vector`.
fn projection(vector: &Vector3<f64>, onto: &Vector3<f64>) -> f64 {
    vector.dot(onto) / onto.norm_squared()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheared_cell_is_straightened() {
        let straight = Matrix3::new(3.0, 0.0, 0.1, 0.2, 3.5, 0.0, 0.0, -0.1, 4.0);
        let shear = Matrix3::new(1, 0, 0, 3, 1, 0, -2, 5, 1);
        let sheared = shear.map(f64::from) * straight;
        let (reduced, transform) = lll(&sheared);
        assert!((transform.map(f64::from) * sheared - reduced).amax() < 1e-9);
        assert!((reduced.determinant().abs() - straight.determinant()).abs() < 1e-9);
        let mut lengths = [0, 1, 2].map(|i| reduced.row(i).norm());
        lengths.sort_by(f64::total_cmp);
        for (got, i) in lengths.into_iter().zip(0..3) {
            assert!((got - straight.row(i).norm()).abs() < 1e-9);
        }
    }

    #[test]
    fn a_reduced_cell_is_left_as_it_is() {
        let cell = Matrix3::new(3.0, 0.0, 0.0, 1.2, 3.5, 0.0, -1.0, 1.1, 4.0);
        assert_eq!(lll(&cell), (cell, Matrix3::identity()));
    }
}
