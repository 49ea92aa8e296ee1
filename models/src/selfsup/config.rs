//! Every setting of the network, as a field.

use serde::{Deserialize, Serialize};

use crate::ModelError;

/// How features are normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Norm {
    /// All degrees by one root mean square.
    Rms,
    /// Degree 0 by an ordinary layer normalisation, the others together by their root mean square.
    Layer,
}

/// What an atom's features go through between attentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedForward {
    /// A separable activation on the sphere between two linear layers.
    Sphere,
    /// A small network on the values at every grid point.
    Grid,
}

/// Where a signal is evaluated to apply a function to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sphere {
    /// The grid of the release, whose error under rotation is 1e-5 to 1e-3.
    Published,
    /// Gauss–Legendre polar angles times equidistant azimuths, so many that the error is below 1e-5.
    Fine,
}

/// What becomes of the numbers of each atom.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// They are the answer.
    None,
    /// Their mean over each crystal.
    Mean,
    /// Their sum over each crystal, divided by a constant (the release divides by 77.81317, its mean number of atoms).
    Sum {
        /// The constant.
        divisor: f64,
    },
}

/// EquiformerV2. Defaults in brackets are the published ones; the defaults here are what two CPU cores can train.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// Largest degree L \[6\].
    pub lmax: usize,
    /// Largest order M on edges \[2\].
    pub mmax: usize,
    /// Number of blocks \[12\].
    pub blocks: usize,
    /// Channels of an atom, for each harmonic \[128\].
    pub channels: usize,
    /// Channels inside the attention \[128\].
    pub attention_hidden: usize,
    /// Attention heads \[8\].
    pub heads: usize,
    /// Numbers from which a head computes its weight \[32\].
    pub alpha_channels: usize,
    /// Channels of a head's values \[16\].
    pub value_channels: usize,
    /// Channels inside the feed-forward network \[512\].
    pub feed_forward_hidden: usize,
    /// Width of the radial functions and of the elements in them \[128\].
    pub edge_channels: usize,
    /// Gaussians on the length of an edge \[600\].
    pub gaussians: usize,
    /// Longest edge (Å) \[12\].
    pub radius: f64,
    /// Edges of an atom, its nearest neighbours; the shell that the last one belongs to is taken whole \[20\].
    pub neighbors: usize,
    /// Largest atomic number; 0 is a masked atom \[118\].
    pub elements: usize,
    /// How features are normalised \[rms\].
    pub norm: Norm,
    /// Network of an atom \[sphere\].
    pub feed_forward: FeedForward,
    /// Grid on the sphere \[published; here fine\].
    pub sphere: Sphere,
    /// Mean number of edges of an atom, by which sums over them are divided \[23.395238876342773\].
    pub degree: f64,
    /// Invariant numbers of an atom, the species' logits \[118\].
    pub outputs: usize,
    /// Whether there is a vector for each atom \[true\].
    pub vector: bool,
    /// What becomes of the invariant numbers \[none\].
    pub pooling: Pooling,
    /// Whether every atom is told the composition and the volume of its crystal \[false\].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub summary: bool,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            lmax: 2,
            mmax: 2,
            blocks: 3,
            channels: 32,
            attention_hidden: 32,
            heads: 4,
            alpha_channels: 8,
            value_channels: 8,
            feed_forward_hidden: 64,
            edge_channels: 32,
            gaussians: 64,
            radius: 8.0,
            neighbors: 20,
            elements: 118,
            norm: Norm::Rms,
            feed_forward: FeedForward::Sphere,
            sphere: Sphere::Fine,
            degree: 23.395_238_876_342_773,
            outputs: 118,
            vector: true,
            pooling: Pooling::None,
            summary: false,
        }
    }
}

impl Network {
    /// Refuses settings that make no network.
    ///
    /// # Errors
    /// Says which setting and why.
    pub fn check(&self) -> Result<(), ModelError> {
        let counts = [
            self.blocks,
            self.channels,
            self.attention_hidden,
            self.heads,
            self.alpha_channels,
            self.value_channels,
            self.feed_forward_hidden,
            self.edge_channels,
            self.neighbors,
            self.outputs,
        ];
        let divisor = match self.pooling {
            Pooling::Sum { divisor } => divisor,
            Pooling::None | Pooling::Mean => 1.0,
        };
        let rules = [
            (counts.iter().all(|n| *n > 0), "numbers of channels, heads and blocks are at least 1"),
            ((1..=12).contains(&self.lmax), "lmax is between 1 and 12"),
            (self.mmax <= self.lmax, "mmax is at most lmax"),
            (self.gaussians >= 2, "gaussians is at least 2"),
            (self.radius > 0.0 && self.radius <= 100.0, "radius is between 0 and 100 Å"),
            ((1..=118).contains(&self.elements), "elements is between 1 and 118"),
            (self.degree > 0.0 && self.degree.is_finite(), "degree is positive"),
            (divisor > 0.0 && divisor.is_finite(), "the divisor is positive"),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            None => Ok(()),
            Some((_, rule)) => Err(ModelError::Data(format!("selfsup: {rule}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_make_a_network_and_nonsense_does_not() {
        let config: Network = serde_json::from_str("{}").unwrap();
        assert_eq!(config, Network::default());
        config.check().unwrap();
        for json in [r#"{"mmax":3}"#, r#"{"heads":0}"#, r#"{"pooling":{"sum":{"divisor":0.0}}}"#] {
            let config: Network = serde_json::from_str(json).unwrap();
            assert!(config.check().is_err(), "{json}");
        }
        assert!(serde_json::from_str::<Network>(r#"{"lmx":2}"#).is_err());
    }
}
