//! Random numbers that are the same on every machine, and that need no state to be saved.
//!
//! Each use has a stream of its own, named by what it is for (an epoch, a step), of a cipher-based generator. Whoever
//! knows seed and stream knows the numbers, so a training run that is taken up again draws what it would have drawn.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// Stream number `stream` of the numbers that belong to `seed`.
    #[must_use]
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut source = ChaCha8Rng::seed_from_u64(seed);
        source.set_stream(stream);
        Self(source)
    }

    /// The generator itself.
    pub fn source(&mut self) -> &mut ChaCha8Rng {
        &mut self.0
    }

    /// From the standard normal distribution.
    pub fn normal(&mut self) -> f64 {
        self.0.sample(StandardNormal)
    }

    /// From [0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.0.random()
    }

    /// From 0, 1, … `count` − 1.
    ///
    /// # Panics
    /// When `count` is 0.
    pub fn below(&mut self, count: usize) -> usize {
        self.0.random_range(0..count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_have_the_right_moments() {
        let mut random = Random::new(3, 0);
        let draws: Vec<f64> = (0..40_000).map(|_| random.normal()).collect();
        let moment = |k: i32| draws.iter().map(|x| x.powi(k)).sum::<f64>() / draws.len() as f64;
        assert!(moment(1).abs() < 0.02, "{}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.03, "{}", moment(2));
        assert!((moment(4) - 3.0).abs() < 0.2, "{}", moment(4));
    }

    #[test]
    fn streams_are_independent_and_repeatable() {
        let draw = |seed, stream| {
            let mut random = Random::new(seed, stream);
            [(); 4].map(|()| random.below(1000))
        };
        assert_eq!(draw(5, 7), draw(5, 7));
        assert_ne!(draw(5, 7), draw(5, 8));
        assert_ne!(draw(5, 7), draw(6, 7));
    }
}
