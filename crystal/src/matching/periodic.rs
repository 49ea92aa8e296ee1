//! Fractional coordinates that wrap around.

use nalgebra::Vector3;

/// The nearest whole number, ties to even, for numbers below 2⁵¹. `f64::round` is a library call on
/// processors of the x86-64 base line, and this is what the innermost loops do.
pub(super) fn nearest(x: f64) -> f64 {
    const SHIFT: f64 = 6_755_399_441_055_744.0; // 1.5 · 2⁵²
    (x + SHIFT) - SHIFT
}

/// The shortest way round, axis by axis.
pub(super) fn short(between: Vector3<f64>) -> Vector3<f64> {
    between.map(|x| x - nearest(x))
}

/// Whether the way round is at most as long as the tolerance on every axis.
pub(super) fn within(between: &Vector3<f64>, tolerance: &Vector3<f64>) -> bool {
    (0..3).all(|i| (between[i] - nearest(between[i])).abs() <= tolerance[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_rounds_ties_to_even() {
        let cases = [
            (0.5, 0.0),
            (1.5, 2.0),
            (-0.5, 0.0),
            (-1.5, -2.0),
            (2.4, 2.0),
            (-7.6, -8.0),
            (1e9, 1e9),
        ];
        for (x, want) in cases {
            assert_eq!(nearest(x), want);
        }
    }

    #[test]
    fn distances_wrap() {
        let between = Vector3::new(0.9, -1.1, 3.0);
        assert!((short(between) - Vector3::new(-0.1, -0.1, 0.0)).amax() < 1e-12);
        let tolerance = Vector3::new(0.11, 0.11, 0.0);
        assert!(within(&between, &tolerance));
        assert!(!within(&between, &Vector3::new(0.09, 0.11, 0.0)));
    }
}
