//! CHGNet: a charge-informed graph network potential (Deng et al., Nat. Mach. Intell. 5, 1031, 2023).

use candle_core::Device;
use cellwright_crystal::Structure;

use crate::{Evaluation, ModelError, Potential, Provenance};

/// CHGNet 0.3.0 with its weights.
#[derive(Debug)]
pub struct Chgnet {
    device: Device,
}

impl Chgnet {
    /// Loads converted weights (safetensors) from the model directory, see [`crate::weights`].
    ///
    /// # Errors
    /// [`ModelError::NotInstalled`] or [`ModelError::BadWeights`].
    pub fn load(dir: &std::path::Path, device: &Device) -> Result<Self, ModelError> {
        todo!()
    }
}

impl Potential for Chgnet {
    fn provenance(&self) -> Provenance {
        todo!()
    }

    fn evaluate(&self, structures: &[&Structure]) -> Vec<Result<Evaluation, ModelError>> {
        todo!()
    }
}
