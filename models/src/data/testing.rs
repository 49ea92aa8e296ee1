//! Crystals that tests of several modules are about.

use super::Crystal;

/// A cell as caesium chloride has it, of two elements, with this edge (Å).
pub(crate) fn caesium_chloride((a, b, edge): (u8, u8, f64)) -> Crystal {
    Crystal {
        id: format!("{a} {b}"),
        numbers: vec![a, b],
        frac: vec![[0.0; 3], [0.5; 3]],
        lengths: [edge; 3],
        angles: [90.0; 3],
    }
}
