//! What the network is told of the pairs of atoms within 5 Å: radial functions of the length, spherical harmonics of the direction,
//! and the way back from gradients of these to forces and strain. Double precision, like everything geometric.

use cellwright_crystal::Structure;
use cellwright_crystal::neighbors::{NeighborError, neighbors};
use nalgebra::{Matrix3, Vector3};

/// Radial functions of a pair.
pub(super) const RADIAL: usize = 8;

/// Spherical harmonics up to degree 2.
pub(super) const HARMONICS: usize = 9;

/// Pairs farther apart do not see each other (Å).
const CUTOFF: f64 = 5.0;

/// From here on (Å) the radial functions fade.
const FADING: f64 = 4.5;

/// A pair of atoms, seen from one of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub(super) centre: u32,
    pub(super) neighbor: u32,
    /// Length (Å).
    pub(super) length: f64,
    /// Unit vector from the centre to the neighbour.
    pub(super) direction: Vector3<f64>,
}

/// Every pair of a crystal in both directions, grouped by centre.
///
/// # Errors
/// When the neighbours cannot be found.
pub(super) fn edges(structure: &Structure) -> Result<Vec<Edge>, NeighborError> {
    let list = neighbors(&structure.lattice, &structure.fractional(), CUTOFF)?;
    let cartesian = structure.cartesian();
    let edge = |(i, n): (usize, &cellwright_crystal::neighbors::Neighbor)| {
        let image = structure.lattice.to_cartesian(&Vector3::from(n.image).cast());
        let vector = cartesian[n.index as usize] + image - cartesian[i];
        let length = vector.norm();
        Edge { centre: i as u32, neighbor: n.index, length, direction: vector / length }
    };
    Ok(list.iter().map(edge).collect())
}

impl Edge {
    /// Bessel functions (2/c) sin(k r)/r that fade out, for the wave numbers `k` (1/Å).
    pub(super) fn radial(&self, k: &[f64; RADIAL]) -> [f64; RADIAL] {
        let r = self.length;
        k.map(|k| 2.0 / CUTOFF * (k * r).sin() / r * fading(r).0)
    }

    /// Real spherical harmonics 1; √3 (x, y, z); √5 (√3 xz, √3 xy, y² − (x² + z²)/2, √3 yz, √3 (z² − x²)/2) of the direction: the
    /// polar axis is y, and the mean square of each over the sphere is 1.
    pub(super) fn harmonics(&self) -> [f64; HARMONICS] {
        let [x, y, z] = self.direction.into();
        let (s3, s5, s15) = (3_f64.sqrt(), 5_f64.sqrt(), 15_f64.sqrt());
        [
            1.0,
            s3 * x,
            s3 * y,
            s3 * z,
            s15 * x * z,
            s15 * x * y,
            s5 * (y * y - (x * x + z * z) / 2.0),
            s15 * y * z,
            s15 / 2.0 * (z * z - x * x),
        ]
    }

    /// The gradient with respect to the vector of the pair, from those with respect to its radial functions and harmonics.
    pub(super) fn backward(
        &self,
        k: &[f64; RADIAL],
        by_radial: &[f32],
        by_harmonic: &[f32],
    ) -> Vector3<f64> {
        let r = self.length;
        let (fade, slope) = fading(r);
        let along = |(k, g): (&f64, &f32)| {
            let (sin, cos) = (k * r).sin_cos();
            let function = sin / r;
            let derivative = (k * cos - function) / r;
            f64::from(*g) * 2.0 / CUTOFF * (derivative * fade + function * slope)
        };
        let by_length: f64 = k.iter().zip(by_radial).map(along).sum();
        let by_direction = self.harmonics_backward(by_harmonic);
        let n = self.direction;
        // A direction cannot change along itself.
        n * by_length + (by_direction - n * n.dot(&by_direction)) / r
    }

    /// The gradient with respect to x, y and z as if these were free.
    fn harmonics_backward(&self, by_harmonic: &[f32]) -> Vector3<f64> {
        let [x, y, z] = self.direction.into();
        let (s3, s5, s15) = (3_f64.sqrt(), 5_f64.sqrt(), 15_f64.sqrt());
        let g = |m: usize| f64::from(by_harmonic[m]);
        Vector3::new(
            s3 * g(1) + s15 * (z * g(4) + y * g(5) - x * g(8)) - s5 * x * g(6),
            s3 * g(2) + s15 * (x * g(5) + z * g(7)) + 2.0 * s5 * y * g(6),
            s3 * g(3) + s15 * (x * g(4) + y * g(7) + z * g(8)) - s5 * z * g(6),
        )
    }
}

/// A factor that is 1 up to 4.5 Å and falls to 0 at 5 Å with a continuous slope (XPLOR), and its derivative.
fn fading(r: f64) -> (f64, f64) {
    if r < FADING {
        return (1.0, 0.0);
    }
    let (s, end, start) = (r * r, CUTOFF * CUTOFF, FADING * FADING);
    let width = (end - start).powi(3);
    let value = (end - s).powi(2) * (end + 2.0 * s - 3.0 * start) / width;
    (value, 12.0 * r * (end - s) * (start - s) / width)
}

/// Gradients with respect to the atoms (eV/Å) and to a strain (eV) of one crystal.
pub(super) fn gather(
    atoms: usize,
    edges: &[Edge],
    by_vector: impl Fn(usize, &Edge) -> Vector3<f64>,
) -> (Vec<Vector3<f64>>, Matrix3<f64>) {
    let mut by_atom = vec![Vector3::zeros(); atoms];
    let mut by_strain = Matrix3::zeros();
    for (e, edge) in edges.iter().enumerate() {
        let gradient = by_vector(e, edge);
        by_atom[edge.neighbor as usize] += gradient;
        by_atom[edge.centre as usize] -= gradient;
        by_strain += edge.direction * edge.length * gradient.transpose();
    }
    // A rotation changes nothing: what single precision makes of it is not a stress.
    (by_atom, (by_strain + by_strain.transpose()) / 2.0)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    fn edge(vector: Vector3<f64>) -> Edge {
        let length = vector.norm();
        Edge { centre: 0, neighbor: 1, length, direction: vector / length }
    }

    #[test]
    fn gradients_are_those_of_the_functions() {
        let k = std::array::from_fn(|n| (n + 1) as f64 * PI / CUTOFF);
        let by_radial: [f32; RADIAL] = std::array::from_fn(|n| 0.5 - 0.3 * n as f32);
        let by_harmonic: [f32; HARMONICS] = std::array::from_fn(|m| 0.2 * m as f32 - 0.7);
        // One below and one where the functions fade.
        for vector in [Vector3::new(0.7, -1.9, 1.1), Vector3::new(3.1, 2.2, -2.8)] {
            let value = |v: Vector3<f64>| {
                let e = edge(v);
                let radial = e.radial(&k).into_iter().zip(by_radial);
                let harmonic = e.harmonics().into_iter().zip(by_harmonic);
                radial.chain(harmonic).map(|(x, g)| x * f64::from(g)).sum::<f64>()
            };
            let gradient = edge(vector).backward(&k, &by_radial, &by_harmonic);
            for axis in 0..3 {
                let step = Vector3::from_fn(|i, _| if i == axis { 1e-6 } else { 0.0 });
                let slope = (value(vector + step) - value(vector - step)) / 2e-6;
                assert!((slope - gradient[axis]).abs() < 1e-8, "{slope} {}", gradient[axis]);
            }
        }
    }

    #[test]
    fn functions_fade_without_a_step() {
        assert_eq!(fading(4.499), (1.0, 0.0));
        let (at, slope) = fading(FADING);
        assert!((at - 1.0).abs() < 1e-12 && slope.abs() < 1e-12);
        let (end, slope) = fading(CUTOFF);
        assert!(end.abs() < 1e-12 && slope.abs() < 1e-12);
    }

    #[test]
    fn harmonics_of_a_degree_have_one_length() {
        let values = edge(Vector3::new(0.3, -0.8, 1.7)).harmonics();
        let square =
            |range: std::ops::Range<usize>| values[range].iter().map(|y| y * y).sum::<f64>();
        assert!((square(1..4) - 3.0).abs() < 1e-12 && (square(4..9) - 5.0).abs() < 1e-12);
    }
}
