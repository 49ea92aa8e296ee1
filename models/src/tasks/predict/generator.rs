//! What proposes structures.

use cellwright_crystal::Structure;

use super::{Request, Source};
use crate::ModelError;

/// A structure that may be the answer, not yet looked at.
#[derive(Debug, Clone)]
pub struct Draft {
    /// One cell, atoms in any order.
    pub structure: Structure,
    /// Where it comes from.
    pub source: Source,
    /// Chance that it is the answer, where the generator can tell.
    pub probability: Option<f64>,
}

/// Proposes structures for a composition.
pub trait Generator: Send + Sync {
    /// Structures for a request, the likeliest first, and what the user should know about them. Of drafts that are the same
    /// structure the first one is kept and gets the probability of all. `cancelled` is asked now and then.
    ///
    /// # Errors
    /// [`ModelError::Cancelled`], and when the generator fails; to have no proposal is no failure.
    fn generate(
        &self,
        request: &Request,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(Vec<Draft>, Vec<String>), ModelError>;
}
