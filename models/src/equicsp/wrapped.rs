//! The normal distribution wrapped around a circle of circumference 1.

/// Images summed on either side; at σ = 0.5 the next one weighs e⁻²⁴².
const IMAGES: i32 = 10;

/// Density at `x` without its factor 1/(σ√(2π)), relative to that of the nearest image, so that it never underflows to
/// 0/0.
fn sums(x: f64, sigma: f64) -> (f64, f64) {
    let x = super::noise::wrap(x);
    let scale = 1.0 / (sigma * sigma);
    let (mut density, mut slope) = (0.0, 0.0);
    for image in -IMAGES..=IMAGES {
        let d = x + f64::from(image);
        let weight = (-0.5 * (d * d - x * x) * scale).exp();
        density += weight;
        slope += weight * d * scale;
    }
    (density, slope)
}

/// Minus the derivative of the logarithm of the density of noise at `x`, for standard deviation `sigma`; DiffCSP's
/// score.
#[must_use]
pub fn score(x: f64, sigma: f64) -> f64 {
    let (density, slope) = sums(x, sigma);
    slope / density
}

/// The density at `x`, up to a factor that depends on `sigma` only.
#[must_use]
pub fn density(x: f64, sigma: f64) -> f64 {
    let nearest = super::noise::wrap(x);
    sums(x, sigma).0 * (-0.5 * (nearest / sigma).powi(2)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_is_a_derivative() {
        for sigma in [0.05, 0.2, 0.5] {
            for x in [-0.4, 0.1, 0.3, 1.2] {
                let h = 1e-5;
                let slope = (density(x + h, sigma).ln() - density(x - h, sigma).ln()) / (2.0 * h);
                assert!((score(x, sigma) + slope).abs() < 1e-5, "{sigma} {x}");
            }
        }
    }

    #[test]
    fn far_out_there_is_a_number() {
        assert!((score(0.49, 0.005) - 0.49 / 0.005_f64.powi(2)).abs() < 1e-6);
        assert!(score(0.5, 0.005).abs() < 1e5);
    }
}
