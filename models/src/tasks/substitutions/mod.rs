//! What replaces what: the elements that a model puts on the sites of an element it is not shown.
//!
//! As in figure 5 of the paper of [`crate::selfsup`], but by environment, since what can stand for iron among oxygen is another
//! question than among sulfur: all sites of the element that have the same surroundings in a crystal are masked together, and the
//! chances are averaged over the known crystals.

use std::collections::BTreeMap;

use cellwright_crystal::{Element, Structure};

use super::complete::{Completion, Evidence, Question, Weighing, complete};
use super::mender::Mender;
use crate::ModelError;
use crate::prototypes::Library;

mod environment;
#[cfg(test)]
mod tests;

pub use environment::Environment;

/// What replaces an element in one kind of surroundings.
#[derive(Debug, Clone, PartialEq)]
pub struct Replacements {
    /// The surroundings.
    pub environment: Environment,
    /// Crystals that were asked about.
    pub crystals: usize,
    /// Mean chance of the element itself.
    pub itself: f64,
    /// Mean chances of the others, the likeliest first.
    pub others: Vec<(Element, f64)>,
}

/// The elements that the model puts on some sites of a crystal, with their chances, the likeliest first: what sits there now is
/// hidden from it. They take one element together.
///
/// # Errors
/// As [`complete`]; [`ModelError::Unsupported`] when there is no such site.
pub fn on_sites(
    mender: &dyn Mender,
    structure: &Structure,
    sites: &[usize],
    cancelled: &dyn Fn() -> bool,
) -> Result<Vec<(Element, f64)>, ModelError> {
    let mut structure = structure.clone();
    let mut hidden = Vec::with_capacity(sites.len());
    for site in sites {
        let missing = || ModelError::Unsupported(format!("there is no site {}", site + 1));
        hidden.extend(structure.sites.get_mut(*site).ok_or_else(missing)?.element.take());
    }
    let whole =
        Some(!structure.sites.iter().any(|s| s.element.is_some_and(|e| hidden.contains(&e))));
    let groups = vec![sites.to_vec()];
    // Which size the cell has does not decide what might stand for an element: the cell would follow.
    let measured = Some(false);
    let allowed = Vec::new();
    let question = Question { structure, groups, allowed, answers: 1, measured, whole };
    let evidence = Evidence { weighing: Weighing::shipped()?, ..Evidence::none() };
    let Completion { mut groups, .. } = complete(mender, &question, evidence, cancelled)?;
    Ok(groups.swap_remove(0))
}

/// What replaces an element in the known crystals, `most` of them at most, evenly drawn; the commonest surroundings first. Crystals that the model
/// refuses are left out. `progress` is told how far it is (0 to 1) and says whether to go on.
///
/// # Errors
/// [`ModelError::Unsupported`] when no crystal with the element could be asked about, [`ModelError::Cancelled`].
pub fn in_library(
    mender: &dyn Mender,
    library: &Library,
    element: Element,
    most: usize,
    progress: &mut dyn FnMut(f64) -> bool,
) -> Result<Vec<Replacements>, ModelError> {
    let members = library.classes().iter().flat_map(|c| c.members.iter().map(move |m| (c, m)));
    let with: Vec<_> = members.filter(|(_, m)| m.elements.contains(&element)).collect();
    let count = with.len().min(most);
    let mut sums: BTreeMap<Environment, (usize, BTreeMap<Element, f64>)> = BTreeMap::new();
    let mut refusal = None;
    for i in 0..count {
        if !progress(i as f64 / count as f64) {
            return Err(ModelError::Cancelled);
        }
        let (class, member) = with[i * with.len() / count];
        let crystal = class.crystal(member).map_err(|e| ModelError::Data(e.to_string()))?;
        for (environment, sites) in environment::of_element(&crystal, element)? {
            match on_sites(mender, &crystal, &sites, &|| false) {
                Ok(chances) => {
                    let (crystals, sum) = sums.entry(environment).or_default();
                    *crystals += 1;
                    for (element, chance) in chances {
                        *sum.entry(element).or_default() += chance;
                    }
                }
                Err(ModelError::Unsupported(reason)) => refusal = Some(reason),
                Err(error) => return Err(error),
            }
        }
    }
    if sums.is_empty() {
        let reason = refusal.unwrap_or_else(|| format!("no known crystal holds {element}"));
        return Err(ModelError::Unsupported(reason));
    }
    let mut found: Vec<Replacements> = sums
        .into_iter()
        .map(|(environment, (crystals, sum))| {
            let mean = |(e, p): (Element, f64)| (e, p / crystals as f64);
            let (own, mut others): (Vec<_>, Vec<_>) =
                sum.into_iter().map(mean).partition(|(e, _)| *e == element);
            others.sort_by(|a, b| b.1.total_cmp(&a.1));
            let itself = own.first().map_or(0.0, |(_, p)| *p);
            Replacements { environment, crystals, itself, others }
        })
        .collect();
    found.sort_by_key(|r| std::cmp::Reverse(r.crystals));
    Ok(found)
}
