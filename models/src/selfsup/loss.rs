//! How far the network is from mending corrupted crystals.

use candle_core::{DType, Device, Result, Tensor};

use super::config::Network;
use super::corruption::Corrupted;
use super::graph::{Cell, Graph};
use super::network::Output;
use crate::ModelError;
use cellwright_crystal::Lattice;

/// Corrupted crystals as a graph, with what was there before.
#[derive(Debug, Clone)]
pub struct Puzzle {
    /// What the network sees.
    pub graph: Graph,
    /// Classes of the atoms (atomic number − 1), (atoms, 1), u32.
    species: Tensor,
    /// Cartesian displacements around their mean over the crystal (Å), (atoms, 3).
    displacement: Tensor,
    /// 1 for masked atoms, else 0, (atoms, 1).
    masked: Tensor,
    /// How much the species of an atom counts, (atoms, 1): sums to 1.
    weights: Tensor,
}

impl Puzzle {
    /// From crystals, their atomic numbers, and what was done to them. The species of an atom that is not masked counts
    /// `known` times as much as that of one that is.
    ///
    /// # Errors
    /// When a crystal has no graph or a species has no class.
    pub fn new(
        config: &Network,
        crystals: &[(&Lattice, &[u8], &Corrupted)],
        known: f64,
        device: &Device,
    ) -> std::result::Result<Self, ModelError> {
        let cells: Vec<Cell> = crystals
            .iter()
            .map(|(lattice, _, c)| Cell { lattice, numbers: &c.numbers, frac: &c.frac })
            .collect();
        let graph = Graph::new(config, &cells, DType::F32, device)?;
        let numbers = crystals.iter().flat_map(|(_, numbers, _)| numbers.iter());
        let species: Vec<u32> = numbers.map(|z| u32::from(*z).wrapping_sub(1)).collect();
        if species.iter().any(|class| *class as usize >= config.outputs) {
            return Err(ModelError::Data(format!(
                "a species is none of {} classes",
                config.outputs
            )));
        }
        let atoms = graph.atoms();
        let of = |pick: fn(&Corrupted) -> Vec<f32>| -> Vec<f32> {
            crystals.iter().flat_map(|(_, _, c)| pick(c)).collect()
        };
        let displacement =
            of(|c| around_mean(&c.displacement).as_flattened().iter().map(|x| *x as f32).collect());
        let masked = of(|c| c.masked.iter().map(|m| f32::from(u8::from(*m))).collect());
        let weight = |m: &f32| if *m > 0.0 { 1.0 } else { known as f32 };
        let weights: Vec<f32> = masked.iter().map(weight).collect();
        let sum = weights.iter().sum::<f32>().max(f32::MIN_POSITIVE);
        let weights = weights.into_iter().map(|w| w / sum).collect();
        Ok(Self {
            graph,
            species: Tensor::from_vec(species, (atoms, 1), device)?,
            displacement: Tensor::from_vec(displacement, (atoms, 3), device)?,
            masked: Tensor::from_vec(masked, (atoms, 1), device)?,
            weights: Tensor::from_vec(weights, (atoms, 1), device)?,
        })
    }
}

/// Displacements less their mean. No network that sees distances only can tell a crystal from a shifted one, and of
/// independent normal numbers the mean says nothing about the rest: what is best learned stays the same, with less chance
/// in it.
fn around_mean(displacement: &[[f64; 3]]) -> Vec<[f64; 3]> {
    let count = displacement.len().max(1) as f64;
    let mean: [f64; 3] =
        std::array::from_fn(|k| displacement.iter().map(|d| d[k]).sum::<f64>() / count);
    displacement.iter().map(|d| std::array::from_fn(|k| d[k] - mean[k])).collect()
}

/// The logarithms of the probabilities of the classes from logits, (n, classes).
///
/// # Errors
/// When the device is out of memory.
pub fn log_softmax(logits: &Tensor) -> Result<Tensor> {
    let shifted = logits.broadcast_sub(&logits.detach().max_keepdim(1)?)?;
    shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(1)?.log()?)
}

/// The terms of the loss, scalars: means over the atoms of a mini-batch.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Negative logarithm of the probability of the right species, weighted.
    pub species: Tensor,
    /// Mean square error of a component of the displacements (Å²).
    pub position: Tensor,
    /// Share of the masked atoms whose species is restored.
    pub restored: f64,
    /// One minus the mean square error over the mean square of the displacements themselves, each around their mean over
    /// the crystal: 0 for doing nothing.
    pub removed: f64,
}

impl Terms {
    /// Names of [`Self::values`].
    pub const NAMES: [&str; 4] = ["species", "position", "restored", "removed"];

    /// How far what a network says of corrupted crystals is from mending them.
    ///
    /// # Errors
    /// When the network has no vectors or the device is out of memory.
    pub fn new(said: &Output, puzzle: &Puzzle) -> std::result::Result<Self, ModelError> {
        let Output { scalars, .. } = said;
        let vectors = said.vectors()?;
        let species = log_softmax(scalars)?.gather(&puzzle.species, 1)?;
        let species = (species * &puzzle.weights)?.sum_all()?.neg()?;
        let position = (vectors - &puzzle.displacement)?.sqr()?.mean_all()?;
        let number = |t: &Tensor| t.to_dtype(DType::F64)?.to_scalar::<f64>();
        let size = number(&puzzle.displacement.sqr()?.mean_all()?)?;
        let right = scalars.argmax_keepdim(1)?.eq(&puzzle.species)?.to_dtype(DType::F32)?;
        let masked = number(&puzzle.masked.sum_all()?)?;
        let restored = number(&(right * &puzzle.masked)?.sum_all()?)? / masked.max(1.0);
        let removed = if size > 0.0 { 1.0 - number(&position)? / size } else { 0.0 };
        Ok(Self { species, position, restored, removed })
    }

    /// The weighted sum.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn total(&self, position: f64) -> Result<Tensor> {
        &self.species + (&self.position * position)?
    }

    /// The numbers, in the order of [`Self::NAMES`].
    ///
    /// # Errors
    /// When the device fails.
    pub fn values(&self) -> Result<[f64; 4]> {
        let number = |t: &Tensor| t.to_dtype(DType::F64)?.to_scalar::<f64>();
        Ok([number(&self.species)?, number(&self.position)?, self.restored, self.removed])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one_at_any_size_of_logits() {
        let logits =
            Tensor::new(&[[1000_f64, 999.0, 0.0], [-5.0, -5.0, -5.0]], &Device::Cpu).unwrap();
        let logs = log_softmax(&logits).unwrap().to_vec2::<f64>().unwrap();
        for row in &logs {
            assert!((row.iter().map(|x| x.exp()).sum::<f64>() - 1.0).abs() < 1e-12);
        }
        assert!((logs[0][0] + (1.0 + (-1_f64).exp()).ln()).abs() < 1e-9);
    }
}
