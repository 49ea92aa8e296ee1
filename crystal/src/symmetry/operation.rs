//! One symmetry operation: x' = W x + w on fractional column vectors.

use std::fmt;

use nalgebra::{Matrix3, Vector3};

use crate::Lattice;
use crate::structure::{wrap_half, wrap_unit};

/// A symmetry operation of a space group in some setting: `x' = W x + w` in fractional coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Operation {
    /// Rotation part W.
    pub rotation: Matrix3<i32>,
    /// Translation part w, each component in [0, 1); fractions of 24 are held exactly rounded.
    pub translation: Vector3<f64>,
}

impl Operation {
    /// The operation with this rotation part and this translation, brought into the cell.
    #[must_use]
    pub fn new(rotation: Matrix3<i32>, translation: Vector3<f64>) -> Self {
        Self { rotation, translation: translation.map(|x| snap(x, 1e-9)) }
    }

    /// The identity.
    #[must_use]
    pub fn identity() -> Self {
        Self { rotation: Matrix3::identity(), translation: Vector3::zeros() }
    }

    /// The image of a position (fractional, not wrapped).
    #[must_use]
    pub fn apply(&self, frac: &Vector3<f64>) -> Vector3<f64> {
        self.rotation.cast::<f64>() * frac + self.translation
    }

    /// `self` after `other`, translation wrapped into the cell.
    #[must_use]
    pub fn compose(&self, other: &Self) -> Self {
        Self::new(self.rotation * other.rotation, self.apply(&other.translation))
    }

    /// The operation that undoes this one, translation wrapped into the cell. `None` where the
    /// determinant is not ±1, so that the inverse is no matrix of whole numbers.
    #[must_use]
    pub fn inverse(&self) -> Option<Self> {
        let det = determinant(&self.rotation);
        if det.abs() != 1 {
            return None;
        }
        let inverse = adjugate(&self.rotation) * det;
        Some(Self::new(inverse, -(inverse.cast::<f64>() * self.translation)))
    }

    /// Equal modulo lattice translations, translations within `tolerance`.
    #[must_use]
    pub fn same(&self, other: &Self, tolerance: f64) -> bool {
        let apart = (self.translation - other.translation).map(wrap_half);
        self.rotation == other.rotation && apart.amax() <= tolerance
    }

    /// The rotation part acting on Cartesian column vectors: forces and displacements turn with it.
    /// An orthogonal matrix where the lattice has the symmetry.
    #[must_use]
    pub fn cartesian_rotation(&self, lattice: &Lattice) -> Matrix3<f64> {
        let to_cartesian = lattice.matrix().transpose();
        to_cartesian * self.rotation.cast::<f64>() * lattice.inverse().transpose()
    }
}

/// Canonical notation, letters first: `-x+1/2,y,-z+1/4`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for i in 0..3 {
            if i > 0 {
                f.write_str(",")?;
            }
            let mut bare = true;
            for (j, letter) in ['x', 'y', 'z'].into_iter().enumerate() {
                let factor = self.rotation[(i, j)];
                let sign = match (factor, bare) {
                    (0, _) => continue,
                    (1.., true) => "",
                    (1.., false) => "+",
                    _ => "-",
                };
                bare = false;
                match factor.unsigned_abs() {
                    1 => write!(f, "{sign}{letter}")?,
                    n => write!(f, "{sign}{n}{letter}")?,
                }
            }
            let shift = self.translation[i];
            let sign = if bare { "" } else { "+" };
            match twenty_fourths(shift, 1e-9) {
                Some(0) if bare => f.write_str("0")?,
                Some(0) => {}
                Some(n) => {
                    let divisor = [24, 12, 8, 6, 4, 3, 2].into_iter().find(|d| n % d == 0);
                    let divisor = divisor.unwrap_or(1);
                    write!(f, "{sign}{}/{}", n / divisor, 24 / divisor)?;
                }
                None => write!(f, "{sign}{shift}")?,
            }
        }
        Ok(())
    }
}

/// `x` in [0, 1), the exact fraction of 24 where one is within `tolerance`.
pub(super) fn snap(x: f64, tolerance: f64) -> f64 {
    let x = wrap_unit(x);
    twenty_fourths(x, tolerance).map_or(x, |n| f64::from(n % 24) / 24.0)
}

/// How many 24ths a translation is, where it is a whole number of them. Every translation of the
/// tabulated settings is one.
fn twenty_fourths(x: f64, tolerance: f64) -> Option<u32> {
    let n = (x * 24.0).round();
    let fits = (x * 24.0 - n).abs() <= 24.0 * tolerance && (0.0..=24.0).contains(&n);
    fits.then_some(n as u32)
}

/// Determinant in whole numbers; nalgebra's own needs a field.
pub(super) fn determinant(m: &Matrix3<i32>) -> i32 {
    (0..3).map(|j| m[(0, j)] * cofactor(m, 0, j)).sum()
}

fn adjugate(m: &Matrix3<i32>) -> Matrix3<i32> {
    Matrix3::from_fn(|i, j| cofactor(m, j, i))
}

/// The cofactor at row `i`, column `j`; cyclic indices carry the sign.
fn cofactor(m: &Matrix3<i32>, i: usize, j: usize) -> i32 {
    let (i1, i2, j1, j2) = ((i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3);
    m[(i1, j1)] * m[(i2, j2)] - m[(i1, j2)] * m[(i2, j1)]
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any operation with whole-number rotation of determinant ±1 and a translation of 24ths.
    pub(in crate::symmetry) fn any_operation() -> impl Strategy<Value = Operation> {
        let entry = -2..=2_i32;
        let rotation = proptest::array::uniform9(entry)
            .prop_map(|m| Matrix3::from_row_slice(&m))
            .prop_filter("unimodular", |m| determinant(m).abs() == 1);
        let shift = proptest::array::uniform3(0..24_u8);
        (rotation, shift).prop_map(|(rotation, shift)| {
            Operation::new(rotation, Vector3::from(shift.map(|n| f64::from(n) / 24.0)))
        })
    }

    #[test]
    fn notation_is_canonical() {
        let op = |text: &str| text.parse::<Operation>().unwrap().to_string();
        assert_eq!(op("x,y,z"), "x,y,z");
        assert_eq!(op("1/2-X, +y , .25-z"), "-x+1/2,y,-z+1/4");
        assert_eq!(op("-y,x-y,z+0.3333"), "-y,x-y,z+1/3");
        assert_eq!(op("y-x,-x,2/3+z"), "-x+y,-x,z+2/3");
        assert_eq!(op("x+2y,y,z+0.1"), "x+2y,y,z+0.1");
        assert_eq!(op("x,y,z-1/6"), "x,y,z+5/6");
    }

    proptest! {
        #[test]
        fn text_round_trips(op in any_operation()) {
            prop_assert_eq!(op.to_string().parse::<Operation>().unwrap(), op);
        }

        #[test]
        fn inverse_undoes(op in any_operation()) {
            let inverse = op.inverse().unwrap();
            prop_assert!(op.compose(&inverse).same(&Operation::identity(), 1e-9));
            prop_assert!(inverse.compose(&op).same(&Operation::identity(), 1e-9));
        }

        #[test]
        fn composition_is_one_after_the_other(a in any_operation(), b in any_operation()) {
            let x = Vector3::new(0.12, 0.34, 0.56);
            let apart = a.compose(&b).apply(&x) - a.apply(&b.apply(&x));
            prop_assert!(apart.map(wrap_half).amax() < 1e-9);
        }

        #[test]
        fn cartesian_and_fractional_agree(op in any_operation()) {
            let lattice = Lattice::from_parameters([3.0, 4.0, 5.0], [80.0, 95.0, 110.0]).unwrap();
            let x = Vector3::new(0.3, -0.2, 0.9);
            let fractional = lattice.to_cartesian(&(op.rotation.cast::<f64>() * x));
            let cartesian = op.cartesian_rotation(&lattice) * lattice.to_cartesian(&x);
            prop_assert!((fractional - cartesian).amax() < 1e-10);
        }
    }
}
