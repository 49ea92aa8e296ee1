//! The mini-batches of every epoch, and the chance that goes with them.

use crate::ModelError;
use crate::data::{Batch, batches};
use crate::nn::random::Random;

/// Streams of random numbers: of the weights, of the validation, and from the last one on, those of epochs and steps.
const WEIGHTS: u64 = 0;
const VALIDATION: u64 = 1;
const EPOCHS: u64 = 2;

/// Steps of one epoch have streams of their own, fewer than this.
const STREAMS: u64 = 1 << 20;

/// Goes through a set again and again, each time in another order, which depends on the seed and the epoch only.
#[derive(Debug)]
pub struct Epochs {
    seed: u64,
    batch: usize,
    sizes: Vec<usize>,
    /// Of the epoch that was asked for last.
    order: Option<(u64, Vec<Batch>)>,
}

impl Epochs {
    /// For crystals of these numbers of atoms, `batch` (at least 1) of them a step.
    #[must_use]
    pub fn new(seed: u64, batch: usize, sizes: Vec<usize>) -> Self {
        Self { seed, batch: batch.max(1), sizes, order: None }
    }

    /// Number of steps in an epoch.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.sizes.len().div_ceil(self.batch)
    }

    /// The mini-batch of a step, and its random numbers.
    ///
    /// # Errors
    /// When an epoch has no such step.
    pub fn draw(&mut self, epoch: u64, step: usize) -> Result<(Batch, Random), ModelError> {
        let stream = EPOCHS + epoch * STREAMS;
        if self.order.as_ref().is_none_or(|(of, _)| *of != epoch) {
            let order = batches(&self.sizes, self.batch, &mut Random::new(self.seed, stream));
            self.order = Some((epoch, order));
        }
        let batch = self.order.as_ref().and_then(|(_, order)| order.get(step)).cloned();
        let batch =
            batch.ok_or_else(|| ModelError::Data(format!("an epoch has no step {step}")))?;
        Ok((batch, Random::new(self.seed, stream + 1 + step as u64)))
    }

    /// Random numbers of fresh weights.
    #[must_use]
    pub fn weights(seed: u64) -> Random {
        Random::new(seed, WEIGHTS)
    }

    /// Random numbers of the validation, the same every time.
    #[must_use]
    pub fn validation(seed: u64) -> Random {
        Random::new(seed, VALIDATION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_epoch_and_step_decide() {
        let epochs = || Epochs::new(3, 4, vec![1, 2, 1, 2, 1, 1, 2]);
        let (mut one, mut other) = (epochs(), epochs());
        assert_eq!(one.steps(), 2);
        let (_, mut skipped) = other.draw(0, 0).unwrap();
        let ((a, mut x), (b, mut y)) = (one.draw(1, 1).unwrap(), other.draw(1, 1).unwrap());
        let (p, q) = (x.uniform(), y.uniform());
        assert_eq!((a, p.to_bits()), (b, q.to_bits()));
        assert_ne!(p.to_bits(), skipped.uniform().to_bits());
        assert!(one.draw(1, 2).is_err());
    }
}
