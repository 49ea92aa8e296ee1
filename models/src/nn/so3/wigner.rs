//! Wigner matrices of real spherical harmonics.
//!
//! Ivanic and Ruedenberg, J. Phys. Chem. 100, 6342 (1996), with the additions and corrections of 102, 9099 (1998): the
//! matrix of a degree follows from that of the degree below and the rotation itself, without angles, so no direction
//! is special.

/// Rows of a 3 × 3 rotation matrix.
pub type Rotation = [[f64; 3]; 3];

/// The Wigner matrices of degrees 0 to `lmax`, row by row: `Y_l(R v) = D_l(R) Y_l(v)`, rows and columns m = −l…l.
#[must_use]
pub fn wigner(rotation: &Rotation, lmax: usize) -> Vec<Vec<f64>> {
    let mut matrices = vec![vec![1.0]];
    if lmax > 0 {
        // The degree-1 components m = −1, 0, 1 are x, y, z.
        matrices.push(rotation.as_flattened().to_vec());
    }
    for l in 2..=lmax {
        let matrix = next(rotation, &matrices[l - 1], l as isize);
        matrices.push(matrix);
    }
    matrices
}

fn next(rotation: &Rotation, below: &[f64], l: isize) -> Vec<f64> {
    let first = |i: isize, j: isize| rotation[(i + 1) as usize][(j + 1) as usize];
    let lower = |m: isize, n: isize| below[((m + l - 1) * (2 * l - 1) + n + l - 1) as usize];
    // P of table 2 of the paper.
    let product = |i: isize, m: isize, n: isize| {
        if n == l {
            first(i, 1) * lower(m, l - 1) - first(i, -1) * lower(m, 1 - l)
        } else if n == -l {
            first(i, 1) * lower(m, 1 - l) + first(i, -1) * lower(m, l - 1)
        } else {
            first(i, 0) * lower(m, n)
        }
    };
    let mut matrix = Vec::with_capacity(((2 * l + 1) * (2 * l + 1)) as usize);
    for m in -l..=l {
        let a = m.abs();
        for n in -l..=l {
            let d = if n.abs() < l { (l + n) * (l - n) } else { 2 * l * (2 * l - 1) } as f64;
            let mut value = 0.0;
            if a < l {
                value += (((l + m) * (l - m)) as f64 / d).sqrt() * product(0, m, n);
            }
            let v = 0.5 * (((l + a - 1) * (l + a)) as f64 / d).sqrt();
            let root = std::f64::consts::SQRT_2;
            value += v * match m {
                0 => -root * (product(1, 1, n) + product(-1, -1, n)),
                1 => root * product(1, 0, n),
                -1 => root * product(-1, 0, n),
                m if m > 0 => product(1, m - 1, n) - product(-1, 1 - m, n),
                m => product(1, m + 1, n) + product(-1, -m - 1, n),
            };
            if m != 0 && l - a > 1 {
                let w = -0.5 * (((l - a - 1) * (l - a)) as f64 / d).sqrt();
                value += w * if m > 0 {
                    product(1, m + 1, n) + product(-1, -m - 1, n)
                } else {
                    product(1, m - 1, n) - product(-1, 1 - m, n)
                };
            }
            matrix.push(value);
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::super::harmonics::harmonics;
    use super::*;

    fn rotation(axis: [f64; 3], angle: f64) -> Rotation {
        let [x, y, z] = axis;
        let (s, c) = angle.sin_cos();
        let t = 1.0 - c;
        [
            [t * x * x + c, t * x * y - s * z, t * x * z + s * y],
            [t * x * y + s * z, t * y * y + c, t * y * z - s * x],
            [t * x * z - s * y, t * y * z + s * x, t * z * z + c],
        ]
    }

    #[test]
    fn harmonics_of_a_turned_vector_are_turned_harmonics() {
        for (axis, angle) in
            [([0.6, 0.0, 0.8], 1.1), ([0.0, 1.0, 0.0], 0.4), ([1.0, 0.0, 0.0], 3.0)]
        {
            let r = rotation(axis, angle);
            let v = [0.48, -0.6, 0.64];
            let turned: [f64; 3] = r.map(|row| (0..3).map(|i| row[i] * v[i]).sum());
            let (before, after) = (harmonics(v, 6), harmonics(turned, 6));
            for (l, matrix) in wigner(&r, 6).iter().enumerate() {
                let n = 2 * l + 1;
                for m in 0..n {
                    let sum: f64 = (0..n).map(|k| matrix[m * n + k] * before[l * l + k]).sum();
                    assert!((sum - after[l * l + m]).abs() < 1e-12, "degree {l}, row {m}");
                }
            }
        }
    }

    #[test]
    fn no_rotation_is_the_identity() {
        let identity = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        for (l, matrix) in wigner(&identity, 5).iter().enumerate() {
            let n = 2 * l + 1;
            for (i, v) in matrix.iter().enumerate() {
                let wanted = if i / n == i % n { 1.0 } else { 0.0 };
                assert!((v - wanted).abs() < 1e-13, "degree {l}: {v}");
            }
        }
    }
}
