//! What a model that names masked species and puts displaced atoms back is to the tasks that use one.

use std::path::Path;
use std::sync::Arc;

use candle_core::Device;
use cellwright_crystal::Structure;

use crate::selfsup::model::Model;
use crate::{ModelError, Provenance};

pub use crate::selfsup::model::Mended;

/// Refuses an answer that is none for this crystal: other sites, no number, chances of a masked site that add up to something else
/// than one.
pub(super) fn check(mended: &Mended, cell: &Structure) -> Result<(), ModelError> {
    let refused = |reason: String| Err(ModelError::Unsupported(reason));
    if mended.probabilities.len() != cell.len() || mended.displacement.len() != cell.len() {
        return refused("the model gave no answer".to_owned());
    }
    for (i, site) in cell.sites.iter().enumerate() {
        let sum: f64 = mended.probabilities[i].iter().sum();
        // Written so that NaN is refused.
        let is_one = (sum - 1.0).abs() < 1e-3;
        if site.element.is_none() && !is_one {
            return refused(format!("the model gives no chances for site {}", i + 1));
        }
        if !mended.displacement[i].iter().all(|x| x.is_finite()) {
            return refused(format!("the model gives no finite displacement of site {}", i + 1));
        }
    }
    Ok(())
}

/// A model of masked species and displaced atoms.
pub trait Mender: Send + Sync {
    /// Name, version and device.
    fn provenance(&self) -> Provenance;

    /// What it says about some crystals, in order; sites without an element are those to be named. `cancelled` is asked now
    /// and then.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] for crystals outside what was learned from (too many atoms, an element never seen, disorder),
    /// [`ModelError::Cancelled`].
    fn mend(
        &self,
        cells: &[Structure],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<Mended>, ModelError>;
}

/// One crystal.
pub(super) fn mend_one(
    mender: &dyn Mender,
    cell: &Structure,
    cancelled: &dyn Fn() -> bool,
) -> Result<Mended, ModelError> {
    if cancelled() {
        return Err(ModelError::Cancelled);
    }
    let missing = || ModelError::Unsupported("the model gave no answer".to_owned());
    let mended = mender.mend(std::slice::from_ref(cell), cancelled)?.pop().ok_or_else(missing)?;
    check(&mended, cell)?;
    Ok(mended)
}

impl Mender for Model {
    fn provenance(&self) -> Provenance {
        Self::provenance(self)
    }

    fn mend(
        &self,
        cells: &[Structure],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<Mended>, ModelError> {
        Self::mend(self, cells, cancelled)
    }
}

static SHIPPED: &[u8] = include_bytes!("../../weights/selfsup/mp.safetensors");

/// The model that comes with this program.
///
/// # Errors
/// When the device fails.
pub fn shipped(device: &Device) -> Result<Arc<Model>, ModelError> {
    Ok(Arc::new(Model::from_bytes(SHIPPED, "selfsup mp", device)?))
}

/// A model from a file of weights (`cellwright train selfsup`).
///
/// # Errors
/// When it cannot be read, or is that of another model.
pub fn open(path: &Path, device: &Device) -> Result<Arc<Model>, ModelError> {
    Ok(Arc::new(Model::open(path, device)?))
}
