//! What no potential can treat.

use cellwright_crystal::{Element, Structure};

use crate::ModelError;

/// Atoms closer than this (Å) have no direction between them.
const SAME_PLACE: f64 = 1e-6;

/// Shorter than any bond of the training sets, where H–H at 0.74 Å is the shortest (Å).
const TOO_CLOSE: f64 = 0.6;

/// Refuses a cell without atoms, masked and partly occupied sites, and elements that the potential does not know: it `knows` those that
/// `range` describes.
pub(crate) fn admit(
    structure: &Structure,
    knows: impl Fn(Element) -> bool,
    range: &str,
) -> Result<(), ModelError> {
    let unsupported = |reason: String| Err(ModelError::Unsupported(reason));
    if structure.is_empty() {
        return unsupported("the cell holds no atoms".to_owned());
    }
    for (i, site) in structure.sites.iter().enumerate() {
        let Some(element) = site.element else {
            return unsupported(format!("site {} is masked: its species is not known", i + 1));
        };
        let symbol = element.symbol();
        if (site.occupancy - 1.0).abs() > 1e-6 {
            return unsupported(format!(
                "site {} ({symbol}) has occupancy {}: the model needs an ordered structure",
                i + 1,
                site.occupancy
            ));
        }
        if !knows(element) {
            return unsupported(format!("site {} is {symbol}: {range}", i + 1));
        }
    }
    Ok(())
}

/// Refuses atoms at the same place, of pairs given as two sites and their distance (Å).
pub(crate) fn apart(mut pairs: impl Iterator<Item = (u32, u32, f64)>) -> Result<(), ModelError> {
    match pairs.find(|(.., distance)| *distance < SAME_PLACE) {
        None => Ok(()),
        Some((i, j, _)) => Err(ModelError::Unsupported(format!(
            "sites {} and {} are at the same place",
            i + 1,
            j + 1
        ))),
    }
}

/// A caution where the shortest distance (Å) is shorter than what potentials are trained on.
pub(crate) fn too_close(shortest: f64) -> Option<String> {
    (shortest < TOO_CLOSE).then(|| {
        format!(
            "two atoms are only {shortest:.2} Å apart, closer than anything the model was trained on"
        )
    })
}
