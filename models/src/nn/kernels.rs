//! Vector loops, most over rows of 64 numbers, compiled for AVX2 and AVX-512 besides the baseline and chosen at run time.
//!
//! Everything here is plain Rust on arrays whose length the compiler knows, so it vectorises; `pulp` compiles the callers'
//! closures once per instruction set. The functions must be inlined to take part.

/// Width of a [`Row`].
pub(super) const WIDTH: usize = 64;

/// Independent partial sums, so that a sum over a row becomes vector additions.
const LANES: usize = 16;

/// Small number in the denominator of a layer normalisation, as PyTorch has it.
pub(crate) const EPSILON: f32 = 1e-5;

/// One feature row.
pub(super) type Row = [f32; WIDTH];

/// Runs `f` compiled for the widest vectors this machine has. `f` and what it calls must be `#[inline(always)]`.
#[inline]
pub(crate) fn dispatch<R>(f: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(f)
}

/// eˣ to 2 units in the last place, by x = n ln 2 + r with |r| ≤ ln 2 / 2 and a polynomial in r (minimax coefficients of
/// the Cephes library). Saturates below −87 and above 88 instead of reaching 0 or infinity.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Adding and subtracting 1.5 · 2²³ rounds to the nearest integer without a function call.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts, the first exact in few bits.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    let p = 1.987_569_2e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let value = p * r * r + r + 1.0;
    // The integer sits in the low bits of the shifted number; it becomes the exponent.
    let exponent = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    value * f32::from_bits((exponent.wrapping_add(127) as u32) << 23)
}

/// The logistic function 1 / (1 + e⁻ˣ).
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// x · σ(x).
#[inline(always)]
pub(crate) fn silu(x: f32) -> f32 {
    x * sigmoid(x)
}

/// x · σ(x) and its derivative σ(x) (1 + x (1 − σ(x))).
#[inline(always)]
pub(crate) fn silu_with_slope(x: f32) -> (f32, f32) {
    let s = sigmoid(x);
    (x * s, s * (1.0 + x * (1.0 - s)))
}

#[inline(always)]
fn sum(x: &Row, f: impl Fn(usize, f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    for block in 0..WIDTH / LANES {
        for lane in 0..LANES {
            let i = block * LANES + lane;
            lanes[lane] += f(i, x[i]);
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// Gain and offset of a layer normalisation.
#[derive(Debug, Clone)]
pub(super) struct Affine {
    pub(super) gain: Row,
    pub(super) offset: Row,
}

/// Subtracts the mean and divides by the standard deviation in place; returns the reciprocal of the latter.
#[inline(always)]
pub(super) fn standardise(x: &mut Row) -> f32 {
    let mean = sum(x, |_, v| v) / WIDTH as f32;
    for v in x.iter_mut() {
        *v -= mean;
    }
    let scale = 1.0 / (sum(x, |_, v| v * v) / WIDTH as f32 + EPSILON).sqrt();
    for v in x.iter_mut() {
        *v *= scale;
    }
    scale
}

/// The gradient of a layer normalisation's input, from its standardised input `x`, that input's `scale` and the gradient `dy`
/// of its output; in place of `dy`.
#[inline(always)]
pub(super) fn normalise_backward(x: &Row, scale: f32, gain: &Row, dy: &mut Row) {
    for i in 0..WIDTH {
        dy[i] *= gain[i];
    }
    let mean = sum(dy, |_, v| v) / WIDTH as f32;
    let along = sum(dy, |i, v| v * x[i]) / WIDTH as f32;
    for i in 0..WIDTH {
        dy[i] = scale * (dy[i] - mean - x[i] * along);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_is_right_to_a_few_units_in_the_last_place() {
        let mut worst = 0.0_f64;
        for i in -86_000..88_000 {
            let x = i as f32 * 1e-3;
            let exact = f64::from(x).exp();
            worst = worst.max((f64::from(exp(x)) / exact - 1.0).abs());
        }
        assert!(worst < 2.5e-7, "{worst:e}");
        assert!(exp(-1e30) >= 0.0 && exp(-1e30) < 1e-37);
        assert!(exp(1e30).is_finite());
    }

    #[test]
    fn not_a_number_stays_one() {
        assert!(sigmoid(f32::NAN).is_nan() && silu(f32::NAN).is_nan());
    }

    #[test]
    fn activations_and_slopes() {
        for i in -300..300 {
            let x = i as f32 * 0.1;
            let s = 1.0 / (1.0 + (-f64::from(x)).exp());
            let (value, slope) = silu_with_slope(x);
            assert!((f64::from(sigmoid(x)) - s).abs() < 2e-7);
            assert!((f64::from(value) - f64::from(x) * s).abs() < 2e-6);
            assert!((f64::from(slope) - s * (1.0 + f64::from(x) * (1.0 - s))).abs() < 2e-6);
        }
    }

    #[test]
    fn standardised_rows_have_zero_mean_and_unit_variance() {
        let mut row: Row = std::array::from_fn(|i| (i as f32 * 1.7).sin() + 3.0);
        let scale = standardise(&mut row);
        let mean = row.iter().sum::<f32>() / 64.0;
        let variance = row.iter().map(|v| v * v).sum::<f32>() / 64.0;
        assert!(scale > 0.0 && mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-4);
    }
}
