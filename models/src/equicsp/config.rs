//! Every published setting, as a field.

use serde::{Deserialize, Serialize};

use crate::ModelError;

/// The denoising network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// Width of node and message features \[512; 256 for Perov-5\].
    pub hidden: usize,
    /// Number of message-passing layers \[6; 4 for Perov-5\].
    pub layers: usize,
    /// Frequencies 0, 1, … of the edge features, K \[128\].
    pub frequencies: usize,
    /// Dimension of the time embedding, even and at least 4 \[256\].
    pub time: usize,
    /// Largest atomic number \[100\].
    pub elements: usize,
    /// Add to each atom's two outputs their mean over the crystal (the published variant for the 52-atom set).
    pub add_means: bool,
    /// Diffuse the species too: generation from nothing (appendix E) instead of prediction from a composition.
    pub species: bool,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            hidden: 512,
            layers: 6,
            frequencies: 128,
            time: 256,
            elements: 100,
            add_means: false,
            species: false,
        }
    }
}

/// Which score the coordinates are taught.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Score {
    /// Of the von Mises distribution fitted to the noise without its mean (EquiCSP).
    VonMises,
    /// Of the wrapped normal distribution, atom by atom (DiffCSP).
    WrappedNormal,
}

/// The two diffusion processes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Diffusion {
    /// Number of steps T \[1000\].
    pub steps: usize,
    /// Offset s of the cosine schedule of the lattice \[0.008\].
    pub cosine_offset: f64,
    /// Smallest and largest β \[1e-4, 0.9999\].
    pub beta: [f64; 2],
    /// Standard deviation of the noise of fractional coordinates at t = 1 and t = T \[0.005, 0.5\].
    pub sigma: [f64; 2],
    /// Score of the coordinates \[von Mises\].
    pub score: Score,
    /// Draws of each Monte Carlo estimate of the coordinate noise, for one number of atoms and one noise level.
    pub table_draws: usize,
}

impl Default for Diffusion {
    fn default() -> Self {
        Self {
            steps: 1000,
            cosine_offset: 0.008,
            beta: [1e-4, 0.9999],
            sigma: [0.005, 0.5],
            score: Score::VonMises,
            table_draws: 100_000,
        }
    }
}

/// Weights of the terms of the loss; each published weight but the last is 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LossWeights {
    /// Noise of the lattice.
    pub lattice: f64,
    /// Displacement of the atoms.
    pub position: f64,
    /// Score of the coordinates.
    pub score: f64,
    /// Both permutation terms. At 0 the permuted input is not evaluated, which halves the work.
    pub permutation: f64,
    /// Noise of the species, where they are diffused too \[20, as DiffCSP has it\].
    pub species: f64,
}

impl Default for LossWeights {
    fn default() -> Self {
        Self { lattice: 1.0, position: 1.0, score: 1.0, permutation: 1.0, species: 20.0 }
    }
}

/// Network, diffusion and loss: what a set of weights belongs to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The denoising network.
    pub network: Network,
    /// The two diffusion processes.
    pub diffusion: Diffusion,
    /// Weights of the terms of the loss.
    pub loss: LossWeights,
}

impl Config {
    /// The settings under which this is DiffCSP (Jiao et al. 2023): no permutation terms, no displacement head, the
    /// score of the wrapped normal distribution.
    #[must_use]
    pub fn diffcsp() -> Self {
        Self {
            network: Network::default(),
            diffusion: Diffusion { score: Score::WrappedNormal, ..Diffusion::default() },
            loss: LossWeights { position: 0.0, permutation: 0.0, ..LossWeights::default() },
        }
    }

    /// Refuses settings that make no model.
    ///
    /// # Errors
    /// Says which setting and why.
    pub fn check(&self) -> Result<(), ModelError> {
        let Network { hidden, layers, frequencies, time, elements, .. } = self.network;
        let Diffusion { steps, beta, sigma, table_draws, cosine_offset, .. } = self.diffusion;
        let LossWeights { lattice, position, score, permutation, species } = self.loss;
        let weights = [lattice, position, score, permutation, species];
        let rules = [
            (
                hidden > 0 && layers > 0 && frequencies > 0,
                "hidden, layers and frequencies are at least 1",
            ),
            (time >= 4 && time.is_multiple_of(2), "time is even and at least 4"),
            ((1..=118).contains(&elements), "elements is between 1 and 118"),
            (steps >= 2, "steps is at least 2"),
            (cosine_offset >= 0.0 && cosine_offset.is_finite(), "cosine_offset is at least 0"),
            (
                0.0 < beta[0] && beta[0] < beta[1] && beta[1] < 1.0,
                "beta is two ascending numbers in (0, 1)",
            ),
            (
                0.0 < sigma[0] && sigma[0] < sigma[1] && sigma[1].is_finite(),
                "sigma is two ascending positive numbers",
            ),
            (table_draws >= 1000, "table_draws is at least 1000"),
            (
                weights.iter().all(|w| *w >= 0.0 && w.is_finite()),
                "weights of the loss are at least 0",
            ),
            (
                self.diffusion.score == Score::VonMises || position == 0.0,
                "the wrapped normal score has no displacement to learn: position is 0",
            ),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            None => Ok(()),
            Some((_, rule)) => Err(ModelError::Data(format!("equicsp: {rule}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_settings_are_the_defaults() {
        let config: Config = serde_json::from_str("{}").unwrap();
        assert_eq!(config, Config::default());
        config.check().unwrap();
        Config::diffcsp().check().unwrap();
        assert!(serde_json::from_str::<Config>(r#"{"network":{"widht":3}}"#).is_err());
    }

    #[test]
    fn settings_that_make_no_model_are_refused() {
        for json in [
            r#"{"network":{"time":5}}"#,
            r#"{"network":{"layers":0}}"#,
            r#"{"diffusion":{"steps":1}}"#,
            r#"{"diffusion":{"sigma":[0.5,0.005]}}"#,
            r#"{"diffusion":{"score":"wrapped-normal"}}"#,
            r#"{"loss":{"lattice":-1}}"#,
        ] {
            let config: Config = serde_json::from_str(json).unwrap();
            assert!(config.check().is_err(), "{json}");
        }
    }
}
