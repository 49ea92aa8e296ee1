//! Lengths and angles expanded in basis functions, in double precision, and the way back from gradients to forces and stress.
//!
//! The geometry is a small part of the work but sets the precision of the forces, so it is kept out of the tensors: derivatives
//! are closed formulas, stored beside the values.
//!
//! - radial: `B_n(d) = u(d) √(2/r_c) sin(f_n d/r_c) / d` with learned frequencies f_n and the envelope
//!   `u = 1 − (p+1)(p+2)/2 x^p + p(p+2) x^{p+1} − p(p+1)/2 x^{p+2}`, x = d/r_c (Gasteiger et al., ICLR 2020);
//! - angular: `1/√2`, `sin(f_k θ)`, `cos(f_k θ)`, all over `√π`, where `cos θ` is shrunk by 10⁻⁶ so that the derivative stays
//!   finite at 0° and 180°.

use nalgebra::{Matrix3, Vector3};
use rayon::prelude::*;

use super::config::Config;
use super::graph::Graph;

/// Keeps the derivative of the arc cosine finite for straight angles.
const SHRINK: f64 = 1.0 - 1e-6;

/// Functions of some lengths or angles and their derivatives, (n, functions) each, row-major.
#[derive(Debug, Default)]
pub(super) struct Expansion {
    pub(super) values: Vec<f32>,
    slopes: Vec<f32>,
}

/// The learned frequencies.
#[derive(Debug)]
pub(super) struct Frequencies {
    /// Of the bonds in the atom graph.
    pub(super) atom_graph: Vec<f64>,
    /// Of the bonds in the bond graph.
    pub(super) bond_graph: Vec<f64>,
    /// Of the angles.
    pub(super) angle: Vec<f64>,
}

/// What the network sees of the geometry of one crystal.
#[derive(Debug)]
pub(super) struct Bases {
    /// (bonds, radial), cutoff of the atom graph.
    pub(super) atom_graph: Expansion,
    /// (short bonds, radial), cutoff of the bond graph.
    pub(super) bond_graph: Expansion,
    /// (angles, angular).
    pub(super) angle: Expansion,
}

/// Gradients of the energy with respect to the basis functions, shaped like their values.
#[derive(Debug, Clone, Copy)]
pub(super) struct BasisGradients<'a> {
    pub(super) atom_graph: &'a [f32],
    pub(super) bond_graph: &'a [f32],
    pub(super) angle: &'a [f32],
}

impl Bases {
    pub(super) fn new(graph: &Graph, frequencies: &Frequencies, config: &Config) -> Self {
        let lengths: Vec<f64> =
            graph.bonds.iter().map(|d| graph.directed[*d as usize].length).collect();
        let p = config.envelope_exponent;
        let radial = |lengths: &[f64], frequencies: &[f64], cutoff: f64| {
            expand(lengths, frequencies.len(), |d, values, slopes| {
                radial(d, frequencies, cutoff, p, values, slopes);
            })
        };
        let cosines: Vec<f64> =
            graph.angles.par_iter().map(|a| cosine(graph, a.first, a.second)).collect();
        Self {
            atom_graph: radial(&lengths, &frequencies.atom_graph, config.atom_cutoff),
            bond_graph: radial(
                &lengths[..graph.short_bonds],
                &frequencies.bond_graph,
                config.bond_cutoff,
            ),
            angle: expand(&cosines, config.angular, |cosine, values, slopes| {
                angular(cosine, &frequencies.angle, values, slopes);
            }),
        }
    }

    /// Gradient of the energy with respect to every atom (eV/Å) and to the strain (eV): ε in x → x (1 + ε).
    pub(super) fn backward(
        &self,
        graph: &Graph,
        gradients: BasisGradients<'_>,
    ) -> (Vec<Vector3<f64>>, Matrix3<f64>) {
        let mut by_length = self.atom_graph.backward(gradients.atom_graph, graph.bonds.len());
        let short = self.bond_graph.backward(gradients.bond_graph, graph.short_bonds);
        for (sum, short) in by_length.iter_mut().zip(short) {
            *sum += short;
        }
        let by_cosine = self.angle.backward(gradients.angle, graph.angles.len());

        // With respect to the vector of every directed bond. A length belongs to both directions: half to each.
        let mut by_vector: Vec<Vector3<f64>> = graph
            .directed
            .iter()
            .map(|d| d.direction * (0.5 * by_length[d.bond as usize]))
            .collect();
        for (angle, g) in graph.angles.iter().zip(by_cosine) {
            let (first, second) = (angle.first as usize, angle.second as usize);
            let (a, b) = (&graph.directed[first], &graph.directed[second]);
            let cosine = a.direction.dot(&b.direction);
            by_vector[first] += (b.direction - a.direction * cosine) * (g / a.length);
            by_vector[second] += (a.direction - b.direction * cosine) * (g / b.length);
        }

        let mut by_atom = vec![Vector3::zeros(); graph.atoms];
        let mut by_strain = Matrix3::zeros();
        for (d, g) in graph.directed.iter().zip(by_vector) {
            by_atom[d.centre as usize] += g;
            by_atom[d.neighbor as usize] -= g;
            by_strain += d.direction * d.length * g.transpose();
        }
        (by_atom, by_strain)
    }
}

impl Expansion {
    /// Gradient with respect to each of the `count` arguments.
    fn backward(&self, gradient: &[f32], count: usize) -> Vec<f64> {
        let functions = self.values.len().checked_div(count).unwrap_or(0).max(1);
        self.slopes
            .par_chunks(functions)
            .zip(gradient.par_chunks(functions))
            .map(|(slopes, g)| {
                slopes.iter().zip(g).map(|(s, g)| f64::from(*s) * f64::from(*g)).sum()
            })
            .collect()
    }
}

/// Expands every argument in `functions` functions.
fn expand(
    arguments: &[f64],
    functions: usize,
    f: impl Fn(f64, &mut [f32], &mut [f32]) + Sync,
) -> Expansion {
    let mut values = vec![0.0; arguments.len() * functions];
    let mut slopes = values.clone();
    values
        .par_chunks_mut(functions)
        .zip(slopes.par_chunks_mut(functions))
        .zip(arguments)
        .with_min_len(64)
        .for_each(|((values, slopes), x)| f(*x, values, slopes));
    Expansion { values, slopes }
}

/// The radial functions at distance `d` and their derivatives.
fn radial(
    d: f64,
    frequencies: &[f64],
    cutoff: f64,
    p: i32,
    values: &mut [f32],
    slopes: &mut [f32],
) {
    let x = d / cutoff;
    if x >= 1.0 {
        return;
    }
    let (a, b, c) = {
        let p = f64::from(p);
        (-(p + 1.0) * (p + 2.0) / 2.0, p * (p + 2.0), -p * (p + 1.0) / 2.0)
    };
    let power = x.powi(p - 1);
    let envelope = 1.0 + power * x * (a + x * (b + x * c));
    let pf = f64::from(p);
    let envelope_slope = power * (pf * a + x * ((pf + 1.0) * b + x * (pf + 2.0) * c)) / cutoff;
    let norm = (2.0 / cutoff).sqrt();
    for ((f, value), slope) in frequencies.iter().zip(values).zip(slopes) {
        let (sin, cos) = (f * x).sin_cos();
        let bare = norm * sin / d;
        let bare_slope = norm * (f / cutoff * cos - sin / d) / d;
        *value = (envelope * bare) as f32;
        *slope = (envelope_slope * bare + envelope * bare_slope) as f32;
    }
}

fn cosine(graph: &Graph, first: u32, second: u32) -> f64 {
    graph.directed[first as usize].direction.dot(&graph.directed[second as usize].direction)
}

/// The angular functions at a cosine and their derivatives with respect to it.
fn angular(cosine: f64, frequencies: &[f64], values: &mut [f32], slopes: &mut [f32]) {
    let norm = 1.0 / std::f64::consts::PI.sqrt();
    let shrunk = cosine.clamp(-1.0, 1.0) * SHRINK;
    let theta = shrunk.acos();
    let theta_slope = -SHRINK / (1.0 - shrunk * shrunk).sqrt();
    let order = frequencies.len();
    values[0] = (norm * std::f64::consts::FRAC_1_SQRT_2) as f32;
    for (k, f) in frequencies.iter().enumerate() {
        let (sin, cos) = (f * theta).sin_cos();
        values[1 + k] = (norm * sin) as f32;
        values[1 + order + k] = (norm * cos) as f32;
        slopes[1 + k] = (norm * f * cos * theta_slope) as f32;
        slopes[1 + order + k] = (-norm * f * sin * theta_slope) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slopes against central differences.
    fn check(f: impl Fn(f64, &mut [f32], &mut [f32]), n: usize, x: f64) {
        let at = |x: f64| {
            let (mut values, mut slopes) = (vec![0.0; n], vec![0.0; n]);
            f(x, &mut values, &mut slopes);
            (values, slopes)
        };
        let h = 1e-3;
        let (up, down, slopes) = (at(x + h).0, at(x - h).0, at(x).1);
        for i in 0..n {
            let numeric = f64::from(up[i] - down[i]) / (2.0 * h);
            let slope = f64::from(slopes[i]);
            assert!(
                (numeric - slope).abs() < 2e-3 * (1.0 + slope.abs()),
                "{x} {i}: {numeric} {slope}"
            );
        }
    }

    #[test]
    fn slopes_are_derivatives() {
        let frequencies = [2.9, 6.3, 9.1];
        for d in [0.3, 1.7, 2.5, 4.8, 5.9] {
            check(|d, v, s| radial(d, &frequencies, 6.0, 8, v, s), 3, d);
        }
        for c in [-0.9, -0.2, 0.4, 0.95] {
            check(|c, v, s| angular(c, &frequencies, v, s), 7, c);
        }
    }

    #[test]
    fn functions_end_smoothly_at_the_cutoff() {
        let (mut values, mut slopes) = ([1.0; 2], [1.0; 2]);
        radial(6.0 - 1e-7, &[2.0, 5.0], 6.0, 8, &mut values, &mut slopes);
        assert!(values.iter().chain(&slopes).all(|x| x.abs() < 1e-5), "{values:?} {slopes:?}");
    }

    #[test]
    fn straight_angles_have_finite_slopes() {
        for c in [-1.0 - 1e-15, -1.0, 1.0, 1.0 + 1e-15] {
            let (mut values, mut slopes) = ([0.0; 3], [0.0; 3]);
            angular(c, &[1.5], &mut values, &mut slopes);
            assert!(values.iter().chain(&slopes).all(|x| x.is_finite()));
        }
    }
}
