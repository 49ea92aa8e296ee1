//! Which elements sit on masked sites.
//!
//! Sites of one row of a file take one element together ([`Question::groups`]). Groups are named one after the other, the
//! one that the model is surest of first, and each choice is put into the cell before the next group is asked about, so that
//! the chance of an assignment is a product of conditional ones; the best assignments are kept on the way ([`beam`]).
//!
//! What the model says is then weighed with whether the charges can add up: an assignment whose charges cannot counts
//! [`CHARGED`]. What was not looked at keeps its share of the chance, so that no probability is overstated.

use std::collections::BTreeMap;

use cellwright_crystal::charge;
use cellwright_crystal::{Element, Structure};

use super::mender::Mender;
use crate::ModelError;

mod beam;
#[cfg(test)]
mod tests;

/// How much an assignment counts whose charges cannot add up, against one where they can or where the rule does not apply. Of the
/// crystals of mp_20/val 0.3 % are such; with this weight the right element of a masked species has the largest mean logarithm of its
/// chance there (500 crystals: −2.51, without it −2.55, without such assignments −2.54).
pub const CHARGED: f64 = 0.05;

/// Masked sites to be named.
#[derive(Debug, Clone)]
pub struct Question {
    /// The crystal; masked sites have no element.
    pub structure: Structure,
    /// Masked sites that take one element together. Every masked site is in exactly one group.
    pub groups: Vec<Vec<usize>>,
    /// Only these elements; empty: all that the model knows.
    pub allowed: Vec<Element>,
    /// At most so many assignments.
    pub answers: usize,
}

impl Question {
    /// Every masked site for itself.
    #[must_use]
    pub fn separate(structure: Structure, answers: usize) -> Self {
        let masked = structure.sites.iter().enumerate().filter(|(_, s)| s.element.is_none());
        let groups = masked.map(|(i, _)| vec![i]).collect();
        Self { structure, groups, allowed: Vec::new(), answers }
    }

    /// What cannot be asked.
    fn validate(&self) -> Result<(), ModelError> {
        let refused = |reason: &str| Err(ModelError::Unsupported(reason.to_owned()));
        if self.groups.is_empty() {
            return refused("no site is masked: there is nothing to complete");
        }
        if self.answers == 0 {
            return refused("at least one answer has to be asked for");
        }
        let mut named: Vec<usize> = self.groups.iter().flatten().copied().collect();
        named.sort_unstable();
        let masked =
            (0..self.structure.len()).filter(|i| self.structure.sites[*i].element.is_none());
        if self.groups.iter().any(Vec::is_empty) || !named.iter().copied().eq(masked) {
            return refused("every masked site has to be in one group, and no other site in any");
        }
        Ok(())
    }
}

/// One element for each group.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// In the order of the groups.
    pub elements: Vec<Element>,
    /// Chance that all of them are right (0 to 1).
    pub probability: f64,
    /// Whether usual oxidation states add up to zero; none where the rule does not apply (metals).
    pub charge_balanced: Option<bool>,
}

/// The answer to a [`Question`].
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// For each group the elements and their chances, the likeliest first: those of the assignments that were looked at, added up.
    pub groups: Vec<Vec<(Element, f64)>>,
    /// Assignments of all groups, the likeliest first.
    pub joint: Vec<Assignment>,
}

impl Completion {
    /// The crystal with an assignment in place.
    #[must_use]
    pub fn completed(question: &Question, assignment: &Assignment) -> Structure {
        let mut structure = question.structure.clone();
        for (group, element) in question.groups.iter().zip(&assignment.elements) {
            fill(&mut structure, group, *element);
        }
        structure
    }
}

/// Names masked sites.
///
/// # Errors
/// [`ModelError::Unsupported`] when nothing is masked, the groups are not those of the masked sites, or the model has seen none of
/// the elements that are allowed; what the model refuses; [`ModelError::Cancelled`].
pub fn complete(
    mender: &dyn Mender,
    question: &Question,
    cancelled: &dyn Fn() -> bool,
) -> Result<Completion, ModelError> {
    question.validate()?;
    let found = beam::search(mender, question, cancelled)?;
    let covered: f64 = found.iter().map(|f| f.log_chance.exp()).sum();
    let weighed = found.into_iter().map(|f| {
        let assignment =
            Assignment { elements: f.elements, probability: 0.0, charge_balanced: None };
        let composition = Completion::completed(question, &assignment).composition();
        let charge_balanced = charge::balance(&composition, 0.0).is_neutral();
        let weight = if charge_balanced == Some(false) { CHARGED } else { 1.0 };
        let probability = f.log_chance.exp() * weight;
        Assignment { probability, charge_balanced, ..assignment }
    });
    let mut joint: Vec<Assignment> = weighed.collect();
    // What was not looked at might have charges that add up.
    let unseen = (1.0 - covered).max(0.0);
    let total = unseen + joint.iter().map(|a| a.probability).sum::<f64>();
    if !(total > 0.0 && total.is_finite()) {
        return Err(ModelError::Unsupported("the model gives no finite chances here".to_owned()));
    }
    joint.iter_mut().for_each(|a| a.probability /= total);
    joint.sort_by(|a, b| b.probability.total_cmp(&a.probability).then(a.elements.cmp(&b.elements)));
    let groups = (0..question.groups.len()).map(|g| marginal(&joint, g)).collect();
    joint.truncate(question.answers);
    Ok(Completion { groups, joint })
}

/// The chances of the elements of one group.
fn marginal(joint: &[Assignment], group: usize) -> Vec<(Element, f64)> {
    let mut chances = BTreeMap::<Element, f64>::new();
    for assignment in joint {
        *chances.entry(assignment.elements[group]).or_default() += assignment.probability;
    }
    let mut chances: Vec<_> = chances.into_iter().collect();
    chances.sort_by(|a, b| b.1.total_cmp(&a.1));
    chances
}

/// Puts an element on the sites of a group.
fn fill(structure: &mut Structure, group: &[usize], element: Element) {
    for site in group {
        structure.sites[*site].element = Some(element);
    }
}
