//! Crystals and a network that are small enough to be learned in a test.

use super::config::Network;
use crate::data::Crystal;

/// Ten salts and perovskites of different elements and sizes.
pub(super) fn crystals() -> Vec<Crystal> {
    let crystal = |numbers: &[u8], frac: &[[f64; 3]], a: f64, angle: f64| Crystal {
        id: format!("{numbers:?}"),
        numbers: numbers.to_vec(),
        frac: frac.to_vec(),
        lengths: [a; 3],
        angles: [angle; 3],
    };
    let pair = [[0.0; 3], [0.5; 3]];
    let perovskite = [[0.0; 3], [0.5; 3], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]];
    let salts = [(11, 17, 3.99), (12, 8, 2.98), (3, 9, 2.85), (19, 35, 4.67), (20, 16, 4.02)];
    let oxides = [(38, 22, 3.91), (57, 13, 3.79), (56, 40, 4.19)];
    let mut crystals: Vec<Crystal> =
        salts.map(|(a, b, l)| crystal(&[a, b], &pair, l, 60.0)).to_vec();
    crystals.extend(oxides.map(|(a, b, l)| crystal(&[a, b, 8, 8, 8], &perovskite, l, 90.0)));
    crystals.push(crystal(&[55, 17], &pair, 4.12, 90.0));
    crystals.push(crystal(&[29], &[[0.0; 3]], 2.55, 60.0));
    crystals
}

/// A network of one block.
pub(super) fn network() -> Network {
    Network {
        lmax: 1,
        mmax: 1,
        blocks: 1,
        channels: 16,
        attention_hidden: 8,
        heads: 2,
        alpha_channels: 4,
        value_channels: 8,
        feed_forward_hidden: 16,
        edge_channels: 8,
        gaussians: 24,
        radius: 6.0,
        neighbors: 6,
        ..Network::default()
    }
}
