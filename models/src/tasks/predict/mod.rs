//! Structure prediction: from a composition to a ranked list of crystals.

use crate::ModelError;

mod types;

pub use types::{Candidate, Prediction, Request, Source};

/// Predicts structures. Built once, asked many times, from many threads.
#[derive(Debug)]
pub struct Predictor(());

impl Predictor {
    /// With the library and the ranker that come with this program.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn shipped() -> Result<Self, ModelError> {
        Err(ModelError::BadWeights("this build comes without a library of prototypes".to_owned()))
    }

    /// The best candidates for a composition, the likeliest first. `progress` sees the list whenever it is better than
    /// before and says whether to go on.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] when the request makes no sense, [`ModelError::Cancelled`] when `progress` said stop.
    pub fn predict(
        &self,
        _request: &Request,
        _progress: &mut dyn FnMut(&[Candidate]) -> bool,
    ) -> Result<Prediction, ModelError> {
        Err(ModelError::BadWeights("this build comes without a library of prototypes".to_owned()))
    }
}
