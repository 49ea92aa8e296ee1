//! The lattice: three row vectors and what follows from them.

use nalgebra::{Matrix3, Vector3};

/// Why three vectors or six parameters make no lattice.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum LatticeError {
    /// A length is not a positive finite number.
    #[error("cell length {0} = {1} Å is not a positive finite number")]
    Length(char, f64),
    /// An angle is outside (0°, 180°).
    #[error("cell angle {0} = {1}° is not between 0 and 180")]
    Angle(&'static str, f64),
    /// The three angles close no parallelepiped.
    #[error("no cell has the angles {0}°, {1}°, {2}°: their Gram determinant is not positive")]
    Gram(f64, f64, f64),
    /// The vectors are (nearly) coplanar, not finite, or so large that the volume overflows.
    #[error("the lattice vectors span no finite volume (|det| = {0} Å³)")]
    Volume(f64),
}

/// Three lattice vectors, the rows of a 3 × 3 matrix in Å. Always spans a finite volume > 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lattice {
    matrix: Matrix3<f64>,
    inverse: Matrix3<f64>,
}

impl Lattice {
    /// From row vectors in Å. Either handedness is kept.
    ///
    /// # Errors
    /// [`LatticeError::Volume`] when the vectors span no finite volume; the test is relative, so tiny
    /// but well-shaped cells pass.
    pub fn from_rows(matrix: Matrix3<f64>) -> Result<Self, LatticeError> {
        let det = matrix.determinant();
        let scale = matrix.row(0).norm() * matrix.row(1).norm() * matrix.row(2).norm();
        // sin-like measure of how flat the cell is; 1e-10 is far below any meaningful cell.
        let solid =
            det.is_finite() && scale.is_finite() && scale > 0.0 && det.abs() > 1e-10 * scale;
        if !solid {
            return Err(LatticeError::Volume(det.abs()));
        }
        let inverse = matrix.try_inverse().filter(|m| m.iter().all(|x| x.is_finite()));
        let inverse = inverse.ok_or(LatticeError::Volume(det.abs()))?;
        Ok(Self { matrix, inverse })
    }

    /// From lengths (Å) and angles (degrees): c along z, a in the xz plane, the setting that the
    /// field's data sets use. The rows are
    ///
    /// ```text
    /// a = |a| (sin β, 0, cos β)
    /// b = |b| (−sin α cos γ*, sin α sin γ*, cos α)    cos γ* = (cos α cos β − cos γ) / (sin α sin β)
    /// c = |c| (0, 0, 1)
    /// ```
    ///
    /// (International Tables B, 3.3.1; angles of the reciprocal cell have a star). A cell is there if its Gram
    /// determinant 1 − cos²α − cos²β − cos²γ + 2 cos α cos β cos γ is positive.
    ///
    /// # Errors
    /// When a length or angle is out of range or the angles close no cell.
    pub fn from_parameters(lengths: [f64; 3], angles: [f64; 3]) -> Result<Self, LatticeError> {
        for (name, value) in ['a', 'b', 'c'].into_iter().zip(lengths) {
            if !(value.is_finite() && value > 0.0) {
                return Err(LatticeError::Length(name, value));
            }
        }
        for (name, value) in ["alpha", "beta", "gamma"].into_iter().zip(angles) {
            if !(value > 0.0 && value < 180.0) {
                return Err(LatticeError::Angle(name, value));
            }
        }
        let [a, b, c] = lengths;
        let [cos_alpha, cos_beta, cos_gamma] = angles.map(cos_degrees);
        let [sin_alpha, sin_beta, _] = angles.map(|x| x.to_radians().sin());
        let gram = 1.0 - cos_alpha * cos_alpha - cos_beta * cos_beta - cos_gamma * cos_gamma
            + 2.0 * cos_alpha * cos_beta * cos_gamma;
        if gram <= 1e-14 {
            return Err(LatticeError::Gram(angles[0], angles[1], angles[2]));
        }
        let cos_gamma_star =
            ((cos_alpha * cos_beta - cos_gamma) / (sin_alpha * sin_beta)).clamp(-1.0, 1.0);
        let sin_gamma_star = (1.0 - cos_gamma_star * cos_gamma_star).sqrt();
        Self::from_rows(Matrix3::new(
            a * sin_beta,
            0.0,
            a * cos_beta,
            -b * sin_alpha * cos_gamma_star,
            b * sin_alpha * sin_gamma_star,
            b * cos_alpha,
            0.0,
            0.0,
            c,
        ))
    }

    /// Row vectors (Å).
    #[must_use]
    pub fn matrix(&self) -> &Matrix3<f64> {
        &self.matrix
    }

    /// Inverse of [`Self::matrix`]; its columns are the reciprocal vectors without 2π (Å⁻¹).
    #[must_use]
    pub fn inverse(&self) -> &Matrix3<f64> {
        &self.inverse
    }

    /// Lattice vector `i` (Å).
    #[must_use]
    pub fn vector(&self, i: usize) -> Vector3<f64> {
        self.matrix.row(i).transpose()
    }

    /// Lengths a, b, c (Å).
    #[must_use]
    pub fn lengths(&self) -> [f64; 3] {
        [0, 1, 2].map(|i| self.matrix.row(i).norm())
    }

    /// Angles α, β, γ (degrees).
    #[must_use]
    pub fn angles(&self) -> [f64; 3] {
        [(1, 2), (0, 2), (0, 1)].map(|(i, j)| {
            let (u, v) = (self.matrix.row(i), self.matrix.row(j));
            (u.dot(&v) / (u.norm() * v.norm())).clamp(-1.0, 1.0).acos().to_degrees()
        })
    }

    /// Volume (Å³), positive for either handedness.
    #[must_use]
    pub fn volume(&self) -> f64 {
        self.matrix.determinant().abs()
    }

    /// Distances between opposite faces (Å): how far a sphere may reach before it leaves the cell.
    #[must_use]
    pub fn heights(&self) -> [f64; 3] {
        [0, 1, 2].map(|i| 1.0 / self.inverse.column(i).norm())
    }

    /// The metric tensor G = L Lᵀ (Å²).
    #[must_use]
    pub fn metric(&self) -> Matrix3<f64> {
        self.matrix * self.matrix.transpose()
    }

    /// Fractional to Cartesian (Å).
    #[must_use]
    pub fn to_cartesian(&self, frac: &Vector3<f64>) -> Vector3<f64> {
        self.matrix.tr_mul(frac)
    }

    /// Cartesian (Å) to fractional.
    #[must_use]
    pub fn to_fractional(&self, cart: &Vector3<f64>) -> Vector3<f64> {
        self.inverse.tr_mul(cart)
    }
}

/// Cosine of an angle in degrees, exactly zero at 90° so that orthogonal cells stay orthogonal.
fn cos_degrees(degrees: f64) -> f64 {
    if degrees == 90.0 { 0.0 } else { degrees.to_radians().cos() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_round_trip() {
        let lattice = Lattice::from_parameters([3.1, 4.2, 5.3], [81.0, 97.5, 112.25]).unwrap();
        for (got, want) in lattice.lengths().into_iter().zip([3.1, 4.2, 5.3]) {
            assert!((got - want).abs() < 1e-12);
        }
        for (got, want) in lattice.angles().into_iter().zip([81.0, 97.5, 112.25]) {
            assert!((got - want).abs() < 1e-10);
        }
        assert!(lattice.matrix().determinant() > 0.0);
        let f = Vector3::new(0.1, -0.7, 2.3);
        assert!((lattice.to_fractional(&lattice.to_cartesian(&f)) - f).norm() < 1e-12);
    }

    #[test]
    fn impossible_cells_are_refused_with_the_reason() {
        let bad = |l, a| Lattice::from_parameters(l, a).unwrap_err();
        assert!(matches!(bad([0.0, 1.0, 1.0], [90.0; 3]), LatticeError::Length('a', _)));
        assert!(matches!(bad([1.0, f64::NAN, 1.0], [90.0; 3]), LatticeError::Length('b', _)));
        assert!(matches!(bad([1.0; 3], [90.0, 180.0, 90.0]), LatticeError::Angle("beta", _)));
        assert!(matches!(bad([1.0; 3], [10.0, 20.0, 100.0]), LatticeError::Gram(..)));
        assert!(matches!(bad([1e308; 3], [90.0; 3]), LatticeError::Volume(_)));
        let flat = Matrix3::new(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0);
        assert!(matches!(Lattice::from_rows(flat), Err(LatticeError::Volume(_))));
        // Tiny is not degenerate.
        assert!(Lattice::from_rows(Matrix3::identity() * 1e-10).is_ok());
    }
}
