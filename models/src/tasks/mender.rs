//! What a model that names masked species and puts displaced atoms back is to the tasks that use one.

use std::path::Path;
use std::sync::Arc;

use candle_core::Device;
use cellwright_crystal::{Element, Structure};
use nalgebra::Vector3;

use crate::{ModelError, Provenance};

/// What such a model says about one crystal.
#[derive(Debug, Clone, PartialEq)]
pub struct Mended {
    /// For each site the chances of the elements by atomic number less one; they add up to one. An element that the model has
    /// never seen has none.
    pub probabilities: Vec<Vec<f64>>,
    /// For each site how far it is from where it belongs (Å, Cartesian): to be subtracted.
    pub displacement: Vec<Vector3<f64>>,
}

impl Mended {
    /// The chance of an element on a site; 0 for one that the model has never seen.
    #[must_use]
    pub fn probability(&self, site: usize, element: Element) -> f64 {
        let of = self.probabilities.get(site);
        of.and_then(|p| p.get(usize::from(element.z()) - 1)).copied().unwrap_or(0.0)
    }

    /// Refuses an answer that is none for this crystal: other sites, no number, chances of a masked site that add up to
    /// something else than one.
    pub(super) fn check(&self, cell: &Structure) -> Result<(), ModelError> {
        let refused = |reason: String| Err(ModelError::Unsupported(reason));
        if self.probabilities.len() != cell.len() || self.displacement.len() != cell.len() {
            return refused("the model gave no answer".to_owned());
        }
        for (i, site) in cell.sites.iter().enumerate() {
            let sum: f64 = self.probabilities[i].iter().sum();
            // Written so that NaN is refused.
            let is_one = (sum - 1.0).abs() < 1e-3;
            if site.element.is_none() && !is_one {
                return refused(format!("the model gives no chances for site {}", i + 1));
            }
            if !self.displacement[i].iter().all(|x| x.is_finite()) {
                return refused(format!(
                    "the model gives no finite displacement of site {}",
                    i + 1
                ));
            }
        }
        Ok(())
    }
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
    mended.check(cell)?;
    Ok(mended)
}

/// The model that comes with this program.
///
/// # Errors
/// [`ModelError::BadWeights`] when its weights are not there or damaged.
pub fn shipped(_device: &Device) -> Result<Arc<dyn Mender>, ModelError> {
    Err(ModelError::BadWeights("this program came without a model of masked sites".to_owned()))
}

/// A model from a file of weights.
///
/// # Errors
/// [`ModelError::BadWeights`] when they are not there, damaged or of another model.
pub fn open(path: &Path, _device: &Device) -> Result<Arc<dyn Mender>, ModelError> {
    Err(ModelError::BadWeights(format!("{} cannot be read", path.display())))
}
