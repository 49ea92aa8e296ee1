//! How the matrices of frames change when their edges turn a little.
//!
//! A frame turns its edge to +y; which way it points otherwise is arbitrary and nothing that is computed with it depends on
//! that. So an edge `v` that moves by `d` may be followed by the shortest rotation: the rotation vector that takes the moved
//! edge back to the old direction is `t = −v × d / |v|²`, and the matrix of the new frame is `D(R) (1 + Σ t_a J_a)` to first
//! order, with the generators `J_a` of rotations around the three axes.

use candle_core::{Result, Tensor};

use super::frames::Frames;
use super::layout::atom_row;
use super::wigner::{Rotation, wigner};

/// Angle of the central differences (radians): their error is below 1e-8 up to degree 12.
const STEP: f64 = 1e-5;

/// Derivatives by the angle of a rotation around x, y and z: each a matrix of degrees 0 to `lmax`, their rows side by side,
/// ((lmax + 1)², 3 · (lmax + 1)²).
fn generators(lmax: usize) -> Vec<f64> {
    let side = (lmax + 1) * (lmax + 1);
    let mut generators = vec![0.0; side * 3 * side];
    for axis in 0..3 {
        let (there, back) = (wigner(&around(axis, STEP), lmax), wigner(&around(axis, -STEP), lmax));
        for l in 0..=lmax {
            let (first, n) = (atom_row(l, -(l as isize)), 2 * l + 1);
            for i in 0..n * n {
                let place = ((first + i / n) * 3 + axis) * side + first + i % n;
                generators[place] = (there[l][i] - back[l][i]) / (2.0 * STEP);
            }
        }
    }
    generators
}

/// The rotation around one axis.
fn around(axis: usize, angle: f64) -> Rotation {
    let (sin, cos) = angle.sin_cos();
    let (b, c) = ((axis + 1) % 3, (axis + 2) % 3);
    let mut rotation = [[0.0; 3]; 3];
    rotation[axis][axis] = 1.0;
    (rotation[b][b], rotation[c][c]) = (cos, cos);
    (rotation[b][c], rotation[c][b]) = (-sin, sin);
    rotation
}

/// The change of the matrices of `frames` to first order in the `moves` of their edges (edges, 3): (edges, rows,
/// (lmax + 1)²). `vectors` are the edges as the frames have them, in the unit of the moves.
///
/// # Errors
/// When the numbers of edges differ or the device is out of memory.
pub fn change(frames: &Frames, vectors: &[[f64; 3]], moves: &Tensor) -> Result<Tensor> {
    let (dtype, device) = (moves.dtype(), moves.device());
    let layout = frames.layout();
    let side = layout.atom_rows();
    let edges = vectors.len();
    // −v × d / |v|² as a matrix for each edge that acts on d.
    let crosses: Vec<f64> = vectors
        .iter()
        .flat_map(|[x, y, z]| {
            let square = x * x + y * y + z * z;
            [0.0, *z, -y, -z, 0.0, *x, *y, -x, 0.0].map(|n| n / square)
        })
        .collect();
    let crosses = Tensor::from_vec(crosses, (edges, 3, 3), device)?.to_dtype(dtype)?;
    let turns = crosses.matmul(&moves.unsqueeze(2)?)?.reshape((edges, 1, 3, 1))?;
    let generators =
        Tensor::from_vec(generators(layout.lmax), (side, 3 * side), device)?.to_dtype(dtype)?;
    let dense = frames.dense(dtype, device)?.reshape((edges * layout.rows(), side))?;
    let turned = dense.matmul(&generators)?.reshape((edges, layout.rows(), 3, side))?;
    turned.broadcast_mul(&turns)?.sum(2)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::super::frames::frame;
    use super::super::harmonics::harmonics;
    use super::super::layout::Layout;
    use super::*;

    const VECTOR: [f64; 3] = [0.7, -1.1, 0.4];

    /// For a move along each axis the derivative of every kept row, against central differences of whole matrices and, for
    /// m = 0, of the harmonics of the edge: those are what the row turns the harmonics of +y back to.
    #[test]
    fn matrices_follow_a_moved_edge() {
        let layout = Layout { lmax: 3, mmax: 2 };
        let frame = frame(VECTOR);
        let frames = Frames::new(layout, &[frame]);
        let pole = harmonics([0.0, 1.0, 0.0], layout.lmax);
        for axis in 0..3 {
            let mut unit = [0.0; 3];
            unit[axis] = 1.0;
            let moves = Tensor::new(&[unit], &Device::Cpu).unwrap();
            let change = change(&frames, &[VECTOR], &moves).unwrap().to_vec3::<f64>().unwrap();
            for (row, (l, m)) in layout.harmonics().into_iter().enumerate() {
                let n = 2 * l + 1;
                let whole = differences(unit, |v| {
                    wigner(&product(&frame, &shortest(v, VECTOR)), l)[l].clone()
                });
                let harmonic = differences(unit, |v| harmonics(v, l));
                for i in 0..n {
                    let got = change[0][row][l * l + i];
                    assert!((got - whole[l.wrapping_add_signed(m) * n + i]).abs() < 1e-7);
                    if m == 0 {
                        assert!((got * pole[l * l + l] - harmonic[l * l + i]).abs() < 1e-7);
                    }
                }
            }
        }
    }

    /// Central differences of numbers of a vector.
    fn differences(unit: [f64; 3], of: impl Fn([f64; 3]) -> Vec<f64>) -> Vec<f64> {
        let at = |step: f64| of(std::array::from_fn(|i| VECTOR[i] + step * unit[i]));
        at(1e-5).iter().zip(at(-1e-5)).map(|(a, b)| (a - b) / 2e-5).collect()
    }

    /// The shortest rotation that takes the direction `a` to that of `b` (Rodrigues).
    fn shortest(a: [f64; 3], b: [f64; 3]) -> Rotation {
        let unit = |v: [f64; 3]| {
            let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
            v.map(|x| x / length)
        };
        let (a, b) = (unit(a), unit(b));
        let w = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
        let cos: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
        let k = [[0.0, -w[2], w[1]], [w[2], 0.0, -w[0]], [-w[1], w[0], 0.0]];
        let square = product(&k, &k);
        std::array::from_fn(|i| {
            std::array::from_fn(|j| {
                f64::from(u8::from(i == j)) + k[i][j] + square[i][j] / (1.0 + cos)
            })
        })
    }

    fn product(a: &Rotation, b: &Rotation) -> Rotation {
        std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
    }
}
