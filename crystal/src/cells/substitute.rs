//! One species in the place of another.

use crate::{Element, Structure};

/// What becomes of the sites of one species.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Substitution {
    /// The species to replace; `None` for masked sites.
    pub from: Option<Element>,
    /// What takes its place; `None` masks the sites.
    pub to: Option<Element>,
    /// The charge to declare. A charge belongs to a species, so the old one goes with it.
    pub oxidation: Option<f64>,
}

/// Why nothing was substituted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubstituteError {
    /// There is no such site.
    #[error("site {} is not there: the cell has {count}", site + 1)]
    NoSite {
        /// Index of the site.
        site: usize,
        /// Sites of the cell.
        count: usize,
    },
    /// Two substitutions of one species contradict each other.
    #[error("{} is to be replaced by two species", .0.map_or("the masked species", Element::symbol))]
    Twice(Option<Element>),
}

/// Replaces species on all sites, all at once: Na → K together with K → Na exchanges them. Occupancies and
/// positions stay. The result lists the sites that were replaced.
///
/// # Errors
/// When one species is to be replaced twice; nothing is changed then.
pub fn substitute(
    structure: &mut Structure,
    substitutions: &[Substitution],
) -> Result<Vec<usize>, SubstituteError> {
    for (i, one) in substitutions.iter().enumerate() {
        if substitutions[..i].iter().any(|other| other.from == one.from) {
            return Err(SubstituteError::Twice(one.from));
        }
    }
    let mut replaced = Vec::new();
    for (i, site) in structure.sites.iter_mut().enumerate() {
        if let Some(one) = substitutions.iter().find(|s| s.from == site.element) {
            (site.element, site.oxidation) = (one.to, one.oxidation);
            replaced.push(i);
        }
    }
    Ok(replaced)
}

/// Puts one species, with the charge to declare, on the sites given, whatever they hold; `None` masks them.
///
/// # Errors
/// When a site is not there; nothing is changed then.
pub fn substitute_sites(
    structure: &mut Structure,
    sites: &[usize],
    to: Option<Element>,
    oxidation: Option<f64>,
) -> Result<(), SubstituteError> {
    let count = structure.len();
    if let Some(&site) = sites.iter().find(|i| **i >= count) {
        return Err(SubstituteError::NoSite { site, count });
    }
    for &i in sites {
        let site = &mut structure.sites[i];
        (site.element, site.oxidation) = (to, oxidation);
    }
    Ok(())
}
