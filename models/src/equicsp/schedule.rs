//! How much noise there is at every step, in double precision.
//!
//! Index t runs from 0 (clean) to T (all noise). At t = T the lattice schedule multiplies an error by 1/√α = 100, so
//! single precision would show.

use std::f64::consts::FRAC_PI_2;

use super::config::Diffusion;

/// Both schedules; every vector has T + 1 entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// β of the lattice: `clip(1 − ᾱ_t/ᾱ_{t−1})` of the cosine schedule (Nichol and Dhariwal 2021), β₀ = 0.
    pub beta: Vec<f64>,
    /// ᾱ of the lattice: the product of 1 − β with the clipped β.
    pub alpha_bar: Vec<f64>,
    /// Standard deviation of the noise of fractional coordinates, σ₀ = 0, geometric from t = 1 to T.
    pub sigma: Vec<f64>,
}

impl Schedule {
    /// The schedules of these settings.
    #[must_use]
    pub fn new(config: &Diffusion) -> Self {
        let steps = config.steps;
        let s = config.cosine_offset;
        let cosine =
            |t: usize| ((t as f64 / steps as f64 + s) / (1.0 + s) * FRAC_PI_2).cos().powi(2);
        let [low, high] = config.beta;
        let mut beta = vec![0.0];
        let mut alpha_bar = vec![1.0];
        for t in 1..=steps {
            let b = (1.0 - cosine(t) / cosine(t - 1)).clamp(low, high);
            beta.push(b);
            alpha_bar.push(alpha_bar[t - 1] * (1.0 - b));
        }
        let [first, last] = config.sigma.map(f64::ln);
        let sigma = |t: usize| (first + (last - first) * (t - 1) as f64 / (steps - 1) as f64).exp();
        let sigma = std::iter::once(0.0).chain((1..=steps).map(sigma)).collect();
        Self { beta, alpha_bar, sigma }
    }

    /// T.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.beta.len() - 1
    }

    /// Standard deviation of the lattice noise when a step goes from `t` to `to` < `t`:
    /// `σ² = β (1 − ᾱ_to)/(1 − ᾱ_t)`, where 1 − β = ᾱ_t/ᾱ_to.
    #[must_use]
    pub fn posterior_sigma(&self, t: usize, to: usize) -> f64 {
        let beta = 1.0 - self.alpha(t, to);
        (beta * (1.0 - self.alpha_bar[to]) / (1.0 - self.alpha_bar[t])).sqrt()
    }

    /// α of the step from `t` to `to`, the ratio ᾱ_t/ᾱ_to.
    #[must_use]
    pub fn alpha(&self, t: usize, to: usize) -> f64 {
        if to + 1 == t { 1.0 - self.beta[t] } else { self.alpha_bar[t] / self.alpha_bar[to] }
    }
}

/// Embedding of the time `t` in `dimension` numbers: sines, then cosines, of `t · exp(−ln(10000) · m/(dimension/2 −
/// 1))`.
#[must_use]
pub fn time_embedding(t: usize, dimension: usize) -> Vec<f64> {
    let half = dimension / 2;
    let angle = |m: usize| t as f64 * (-(10_000_f64.ln()) * m as f64 / (half as f64 - 1.0)).exp();
    (0..half).map(|m| angle(m).sin()).chain((0..half).map(|m| angle(m).cos())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_clean_and_all_noise() {
        let schedule = Schedule::new(&Diffusion::default());
        assert_eq!(schedule.steps(), 1000);
        assert_eq!((schedule.beta[0], schedule.alpha_bar[0], schedule.sigma[0]), (0.0, 1.0, 0.0));
        assert!((schedule.sigma[1] - 0.005).abs() < 1e-15);
        assert!((schedule.sigma[1000] - 0.5).abs() < 1e-15);
        assert_eq!(schedule.beta[1000], 0.9999);
        assert!(schedule.alpha_bar[1000] < 1e-9);
        assert_eq!(schedule.posterior_sigma(1, 0), 0.0);
    }

    #[test]
    fn long_steps_are_products_of_short_ones() {
        let schedule = Schedule::new(&Diffusion::default());
        let product: f64 = (201..=220).map(|t| schedule.alpha(t, t - 1)).product();
        assert!((schedule.alpha(220, 200) / product - 1.0).abs() < 1e-12);
    }
}
