//! Points on a sphere, to apply a function to a signal that is given by coefficients.

use std::f64::consts::PI;

use candle_core::{DType, Device, Result, Tensor};

use super::harmonics::harmonics;
use super::layout::{Layout, atom_harmonics, atom_row};

/// Values at points from coefficients, and coefficients back from values by quadrature.
///
/// Coefficients of size 1 give values of size 1: every degree counts alike, as e3nn's normalisation `component` has it.
#[derive(Debug, Clone)]
pub struct Grid {
    points: usize,
    rows: usize,
    /// (points, rows): value = Σ_row to · coefficient.
    to: Vec<f64>,
    /// (points, rows): coefficient = Σ_point from · value.
    from: Vec<f64>,
}

/// Polar angles as cosines with their weights, which sum to 2.
type Rule = Vec<(f64, f64)>;

impl Grid {
    /// Gauss–Legendre cosines times equidistant azimuths, for the features of edges.
    ///
    /// A function of the signal contains every degree; those above the quadrature's exactness come back as errors that
    /// depend on how the frame lies. Edges may only turn around their own axis, so `azimuths` decides alone.
    #[must_use]
    pub fn of_edges(layout: Layout, polar: usize, azimuths: usize) -> Self {
        Self::new(layout, &layout.harmonics(), &gauss_legendre(polar), azimuths)
    }

    /// The same for the features of atoms, which may turn in any way: both numbers decide.
    #[must_use]
    pub fn of_atoms(lmax: usize, polar: usize, azimuths: usize) -> Self {
        let layout = Layout { lmax, mmax: lmax };
        Self::new(layout, &atom_harmonics(lmax), &gauss_legendre(polar), azimuths)
    }

    /// The grid of EquiformerV2's release for edges: 2(L + 1) equidistant polar angles and 2M + 1 azimuths, two more
    /// when L = M. Its error under rotation is 1e-5 to 1e-3.
    #[must_use]
    pub fn published_of_edges(layout: Layout) -> Self {
        let azimuths = 2 * layout.mmax + if layout.lmax == layout.mmax { 3 } else { 1 };
        Self::new(layout, &layout.harmonics(), &equidistant(layout.lmax + 1), azimuths)
    }

    /// The same for atoms.
    #[must_use]
    pub fn published_of_atoms(lmax: usize) -> Self {
        let layout = Layout { lmax, mmax: lmax };
        Self::new(layout, &atom_harmonics(lmax), &equidistant(lmax + 1), 2 * lmax + 3)
    }

    fn new(layout: Layout, rows: &[(usize, isize)], rule: &Rule, azimuths: usize) -> Self {
        let (mut to, mut from) = (Vec::new(), Vec::new());
        for (cosine, weight) in rule {
            let sine = (1.0 - cosine * cosine).max(0.0).sqrt();
            for a in 0..azimuths {
                let azimuth = 2.0 * PI * a as f64 / azimuths as f64;
                let direction = [sine * azimuth.sin(), *cosine, sine * azimuth.cos()];
                let values = harmonics(direction, layout.lmax);
                for (l, m) in rows {
                    let value = values[atom_row(*l, *m)] * layout.rescale(*l);
                    let size = (4.0 * PI / ((2 * l + 1) * (layout.lmax + 1)) as f64).sqrt();
                    to.push(value * size);
                    from.push(value / size * weight * 2.0 * PI / azimuths as f64);
                }
            }
        }
        Self { points: rule.len() * azimuths, rows: rows.len(), to, from }
    }

    /// Number of points.
    #[must_use]
    pub fn points(&self) -> usize {
        self.points
    }

    /// Number of coefficients.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// (points, rows), row by row: values from coefficients.
    #[must_use]
    pub fn to(&self) -> &[f64] {
        &self.to
    }

    /// (points, rows), row by row: what each value adds to each coefficient.
    #[must_use]
    pub fn from(&self) -> &[f64] {
        &self.from
    }

    /// Values (n, points, width) of coefficients (n, rows, width).
    ///
    /// # Errors
    /// When shapes do not fit.
    pub fn values(&self, x: &Tensor) -> Result<Tensor> {
        product(&self.tensor(&self.to, x.dtype(), x.device())?, x)
    }

    /// Coefficients (n, rows, width) of values (n, points, width).
    ///
    /// # Errors
    /// When shapes do not fit.
    pub fn coefficients(&self, values: &Tensor) -> Result<Tensor> {
        let from = self.tensor(&self.from, values.dtype(), values.device())?;
        product(&from.t()?.contiguous()?, values)
    }

    fn tensor(&self, numbers: &[f64], dtype: DType, device: &Device) -> Result<Tensor> {
        Tensor::from_slice(numbers, (self.points, self.rows), device)?.to_dtype(dtype)
    }
}

/// A matrix (out, inner) times every (inner, width) of (n, inner, width).
fn product(matrix: &Tensor, x: &Tensor) -> Result<Tensor> {
    let (n, inner, width) = x.dims3()?;
    let rows = x.transpose(1, 2)?.contiguous()?.reshape((n * width, inner))?;
    let out = rows.matmul(&matrix.t()?)?;
    out.reshape((n, width, matrix.dim(0)?))?.transpose(1, 2)?.contiguous()
}

/// Zeros of the Legendre polynomial of degree `n`, exact to degree 2n − 1.
fn gauss_legendre(n: usize) -> Rule {
    (0..n)
        .map(|i| {
            let mut x = (PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
            let mut slope = 1.0;
            // Newton from that start converges to the last digit in a few steps.
            for _ in 0..12 {
                let (mut before, mut value) = (0.0, 1.0);
                for l in 0..n {
                    let next =
                        ((2 * l + 1) as f64 * x * value - l as f64 * before) / (l + 1) as f64;
                    (before, value) = (value, next);
                }
                slope = n as f64 * (x * value - before) / (x * x - 1.0);
                x -= value / slope;
            }
            (x, 2.0 / ((1.0 - x * x) * slope * slope))
        })
        .collect()
}

/// 2b polar angles (j + ½)π/2b with the weights of Kostelec and Rockmore, J. Fourier Anal. Appl. 14, 145 (2008): exact
/// for degrees below 2b.
fn equidistant(b: usize) -> Rule {
    (0..2 * b)
        .map(|j| {
            let odd = (2 * j + 1) as f64;
            let angle = PI * odd / (4 * b) as f64;
            let sum: f64 =
                (0..b).map(|k| ((2 * k + 1) as f64 * angle).sin() / (2 * k + 1) as f64).sum();
            (angle.cos(), 2.0 / b as f64 * angle.sin() * sum)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quadratures_are_exact() {
        for rule in [gauss_legendre(1), gauss_legendre(5), equidistant(3), equidistant(5)] {
            let degree = if rule.len() == 1 { 1 } else { 5 };
            for power in 0..=degree {
                let sum: f64 = rule.iter().map(|(x, w)| w * x.powi(power)).sum();
                let exact = if power % 2 == 0 { 2.0 / f64::from(power + 1) } else { 0.0 };
                assert!((sum - exact).abs() < 1e-14, "{} points, power {power}", rule.len());
            }
        }
    }

    #[test]
    fn there_and_back_is_the_identity() {
        for grid in [
            Grid::of_atoms(3, 5, 8),
            Grid::published_of_atoms(3),
            Grid::of_edges(Layout { lmax: 3, mmax: 3 }, 4, 9),
        ] {
            for i in 0..grid.rows() {
                for j in 0..grid.rows() {
                    let at = |p: usize| {
                        grid.to()[p * grid.rows() + i] * grid.from()[p * grid.rows() + j]
                    };
                    let sum: f64 = (0..grid.points()).map(at).sum();
                    let wanted = if i == j { 1.0 } else { 0.0 };
                    assert!((sum - wanted).abs() < 1e-12, "{i} {j}: {sum}");
                }
            }
        }
    }

    #[test]
    fn tensors_go_the_same_way() {
        let grid = Grid::of_atoms(2, 3, 5);
        let x = Tensor::randn(0_f64, 1.0, (4, 9, 3), &Device::Cpu).unwrap();
        let back = grid.coefficients(&grid.values(&x).unwrap()).unwrap();
        let difference = (back - x).unwrap().abs().unwrap().max_all().unwrap();
        assert!(difference.to_scalar::<f64>().unwrap() < 1e-12);
    }
}
