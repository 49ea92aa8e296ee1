//! Which crystals are valid, as the evaluation of CDVAE has it (Xie et al., ICLR 2022).

use cellwright_crystal::Structure;
use cellwright_crystal::charge::cdvae;
use cellwright_crystal::metrics::is_structurally_valid;
use serde::Serialize;

use super::rate::{Rate, Sums};

/// Shares of valid crystals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Validity {
    /// No distance below 0.5 Å.
    pub structural: Option<Rate>,
    /// Neutral with the order of electronegativities, as CDVAE's evaluation has it.
    pub compositional: Option<Rate>,
}

/// How many of some crystals are valid; each has its number in the set.
#[must_use]
pub fn validity(crystals: &[(usize, Structure)], seed: u64) -> Validity {
    let (mut structural, mut compositional) = (Sums::default(), Sums::default());
    for (crystal, structure) in crystals {
        structural.count(*crystal, is_structurally_valid(structure));
        compositional.count(*crystal, is_compositionally_valid(structure));
    }
    Validity { structural: structural.rate(seed), compositional: compositional.rate(seed) }
}

/// Whether the charges of a crystal can add up with the order of electronegativities.
pub(super) fn is_compositionally_valid(structure: &Structure) -> bool {
    cdvae::verdict(&structure.composition()).is_ok_and(|v| v.is_valid())
}
