//! Real spherical harmonics.

use std::f64::consts::PI;

/// Values at a direction, rows l² + l + m, orthonormal on the sphere (∫ Y² = 1). The polar axis is y; the azimuth is
/// counted from z towards x; no Condon–Shortley phase. Of the zero vector only degree 0 is not 0.
#[must_use]
pub fn harmonics(direction: [f64; 3], lmax: usize) -> Vec<f64> {
    let [x, y, z] = direction;
    let length = (x * x + y * y + z * z).sqrt();
    let mut values = vec![0.0; (lmax + 1) * (lmax + 1)];
    values[0] = (0.25 / PI).sqrt();
    if length == 0.0 {
        return values;
    }
    let cosine = y / length;
    // sinᵐβ · (cos mα, sin mα) without an angle: powers of (z + i x)/length.
    let mut power = (1.0, 0.0);
    // P_m^m / sinᵐβ = (2m − 1)!!
    let mut diagonal = 1.0;
    for m in 0..=lmax {
        if m > 0 {
            let (re, im) = power;
            power = ((re * z - im * x) / length, (re * x + im * z) / length);
            diagonal *= (2 * m - 1) as f64;
        }
        let (mut before, mut legendre) = (0.0, diagonal);
        for l in m..=lmax {
            let ratio: f64 = (l - m + 1..=l + m).map(|k| k as f64).product();
            let norm = ((2 * l + 1) as f64 / (4.0 * PI * ratio)).sqrt() * legendre;
            if m == 0 {
                values[l * l + l] = norm;
            } else {
                let norm = norm * std::f64::consts::SQRT_2;
                values[l * l + l + m] = norm * power.0;
                values[l * l + l - m] = norm * power.1;
            }
            let next = ((2 * l + 1) as f64 * cosine * legendre - (l + m) as f64 * before)
                / (l + 1 - m) as f64;
            (before, legendre) = (legendre, next);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_degrees_are_the_known_polynomials() {
        let [x, y, z] = [0.48, -0.6, 0.64];
        let values = harmonics([2.0 * x, 2.0 * y, 2.0 * z], 2);
        let scale = (4.0 * PI).sqrt();
        let root = |n: f64| n.sqrt();
        let wanted = [
            1.0,
            root(3.0) * x,
            root(3.0) * y,
            root(3.0) * z,
            root(15.0) * x * z,
            root(15.0) * x * y,
            root(5.0) * (1.5 * y * y - 0.5),
            root(15.0) * y * z,
            root(15.0) * 0.5 * (z * z - x * x),
        ];
        for (ours, wanted) in values.iter().zip(wanted) {
            assert!((ours * scale - wanted).abs() < 1e-14, "{ours} {wanted}");
        }
    }

    #[test]
    fn the_pole_and_nothing_are_finite() {
        assert!(harmonics([0.0, -1.0, 0.0], 8).iter().all(|v| v.is_finite()));
        assert_eq!(harmonics([0.0; 3], 2)[1..], [0.0; 8]);
    }
}
