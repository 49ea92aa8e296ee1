//! Which elements sit on masked sites.
//!
//! Sites of one row of a file take one element together ([`Question::groups`]). Groups are named one after the other, the
//! one that the model is surest of first, and each choice is put into the cell before the next group is asked about, so that
//! the chance of an assignment is a product of conditional ones; the best assignments are kept on the way ([`beam`]).
//!
//! What the model says is then weighed ([`Weights`]) with what else is known: whether the charges can add up, what known structures
//! have in these places, and, of the likeliest assignments, what a potential sees in the cell. What was not looked at keeps its
//! share of the chance, so that no probability is overstated. All this is done for every size that the cell may have
//! (`volume.rs`), and the answers are mixed.

use std::collections::BTreeMap;

use cellwright_crystal::charge;
use cellwright_crystal::{Element, Structure};

use super::mender::Mender;
use crate::ModelError;
use crate::prototypes::Library;

mod beam;
mod known;
mod probe;
#[cfg(test)]
mod tests;
mod volume;
mod weigh;

use known::Ballot;
pub use known::known_chances;
pub use probe::{Potentials, Probe};
pub(crate) use weigh::PIECES;
pub use weigh::{Clue, Levels, Weighing, Weights};

/// Assignments that a potential is asked about.
const PROBED: usize = 12;

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
    /// Whether the cell was measured or, like those that the models have learned from, computed; none where nobody knows.
    pub measured: Option<bool>,
    /// Whether the masked sites are all that there is of their species; none where nobody knows.
    pub whole: Option<bool>,
}

impl Question {
    /// Every masked site for itself, in a cell that was computed.
    #[must_use]
    pub fn separate(structure: Structure, answers: usize) -> Self {
        let masked = structure.sites.iter().enumerate().filter(|(_, s)| s.element.is_none());
        let groups = masked.map(|(i, _)| vec![i]).collect();
        Self { structure, groups, allowed: Vec::new(), answers, measured: Some(false), whole: None }
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
    /// What a potential says, where it was asked.
    pub probe: Option<Probe>,
}

/// What is asked beside the model.
pub struct Evidence<'a> {
    /// Known structures.
    pub library: Option<&'a Library>,
    /// Potentials; they are asked about the likeliest assignments only.
    pub potentials: Option<Potentials<'a>>,
    /// How much each counts.
    pub weighing: Weighing,
}

impl Evidence<'_> {
    /// The model alone.
    #[must_use]
    pub fn none() -> Self {
        Self { library: None, potentials: None, weighing: Weighing::NEUTRAL }
    }
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
        filled(question, &assignment.elements)
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
    evidence: Evidence<'_>,
    cancelled: &dyn Fn() -> bool,
) -> Result<Completion, ModelError> {
    question.validate()?;
    let Evidence { library, mut potentials, weighing } = evidence;
    let levels = weighing.of(question.whole);
    let mut ballot = library.map(|library| Ballot::new(library, question));
    // With the chance in the likeliest cell so far, whose probe is the one to show.
    let mut mixed: BTreeMap<Vec<Element>, (Assignment, f64)> = BTreeMap::new();
    for (chance, factor) in volume::possible(question.measured) {
        let structure = volume::scaled(&question.structure, *factor)
            .map_err(|e| ModelError::Unsupported(e.to_string()))?;
        let question = Question { structure, ..question.clone() };
        let potentials = potentials.as_mut();
        let clues = look(mender, &question, ballot.as_mut(), potentials, levels, cancelled)?;
        for mut here in assignments(&clues, levels)? {
            here.probability *= chance;
            let chance = here.probability;
            let fresh = || (Assignment { probability: 0.0, ..here.clone() }, chance);
            let (sum, best) = mixed.entry(here.elements.clone()).or_insert_with(fresh);
            sum.probability += chance;
            if chance > *best {
                (sum.probe, *best) = (here.probe, chance);
            }
        }
    }
    Ok(listed(question, mixed.into_values().map(|(assignment, _)| assignment).collect()))
}

/// From what is known of the assignments to their chances.
///
/// # Errors
/// [`ModelError::Unsupported`] when the model's chances are no numbers.
pub fn weigh(
    question: &Question,
    clues: &[(Vec<Element>, Clue)],
    weighing: &Weighing,
) -> Result<Completion, ModelError> {
    Ok(listed(question, assignments(clues, weighing.of(question.whole))?))
}

fn assignments(
    clues: &[(Vec<Element>, Clue)],
    levels: &Levels,
) -> Result<Vec<Assignment>, ModelError> {
    // What was not looked at keeps its chance.
    let covered: f64 = clues.iter().map(|(_, clue)| clue.log_chance.exp()).sum::<f64>().min(1.0);
    let chances = levels.chances(&clues.iter().map(|(_, clue)| *clue).collect::<Vec<_>>());
    if !chances.iter().all(|p| p.is_finite()) {
        return Err(ModelError::Unsupported("the model gives no finite chances here".to_owned()));
    }
    let assignment = |((elements, clue), chance): (&(Vec<Element>, Clue), f64)| Assignment {
        elements: elements.clone(),
        probability: covered * chance,
        charge_balanced: clue.charge_balanced,
        probe: clue.probe,
    };
    Ok(clues.iter().zip(chances).map(assignment).collect())
}

/// In order, with the chances of each group.
fn listed(question: &Question, mut joint: Vec<Assignment>) -> Completion {
    joint.sort_by(|a, b| b.probability.total_cmp(&a.probability).then(a.elements.cmp(&b.elements)));
    let groups = (0..question.groups.len()).map(|g| marginal(&joint, g)).collect();
    joint.truncate(question.answers);
    Completion { groups, joint }
}

/// Everything that is known of the assignments that were looked at, those that a potential was asked about first.
///
/// # Errors
/// As [`complete`].
pub fn clues(
    mender: &dyn Mender,
    question: &Question,
    evidence: Evidence<'_>,
    cancelled: &dyn Fn() -> bool,
) -> Result<Vec<(Vec<Element>, Clue)>, ModelError> {
    question.validate()?;
    let mut ballot = evidence.library.map(|library| Ballot::new(library, question));
    let levels = evidence.weighing.of(question.whole);
    let mut potentials = evidence.potentials;
    look(mender, question, ballot.as_mut(), potentials.as_mut(), levels, cancelled)
}

/// The same with a ballot that is kept, and weights to choose by whom a potential is asked about.
fn look(
    mender: &dyn Mender,
    question: &Question,
    ballot: Option<&mut Ballot<'_>>,
    potentials: Option<&mut Potentials<'_>>,
    levels: &Levels,
    cancelled: &dyn Fn() -> bool,
) -> Result<Vec<(Vec<Element>, Clue)>, ModelError> {
    let mut found = beam::search(mender, question, cancelled)?;
    found.sort_by(|a, b| b.log_chance.total_cmp(&a.log_chance).then(a.elements.cmp(&b.elements)));
    let shares = ballot.and_then(|ballot| {
        let assignments: Vec<&[Element]> = found.iter().map(|f| f.elements.as_slice()).collect();
        let votes = ballot.votes(&assignments, question.structure.lattice.volume());
        let total: f64 = votes.iter().sum();
        (total > 0.0).then(|| votes.into_iter().map(|v| v / total).collect::<Vec<_>>())
    });
    let known = question.structure.composition();
    let clue = |(i, found): (usize, beam::Found)| {
        let composition = filled(question, &found.elements).composition();
        let clue = Clue {
            log_chance: found.log_chance,
            share: shares.as_ref().map(|shares| shares[i]),
            charge_balanced: charge::balance(&composition, 0.0).is_neutral(),
            probe: None,
            seen: found.elements.iter().filter(|e| known.amount(**e) > 0.0).count() as f64
                / found.elements.len() as f64,
        };
        (found.elements, clue)
    };
    let clues: Vec<(Vec<Element>, Clue)> = found.into_iter().enumerate().map(clue).collect();
    let Some(potentials) = potentials else { return Ok(clues) };
    let quick = levels.quick.chances(&clues.iter().map(|c| c.1).collect::<Vec<_>>());
    let mut order: Vec<usize> = (0..clues.len()).collect();
    order.sort_by(|a, b| quick[*b].total_cmp(&quick[*a]));
    let mut clues: Vec<_> = order.into_iter().map(|i| clues[i].clone()).collect();
    let likely = &mut clues[..PROBED.min(quick.len())];
    let cells: Vec<Structure> = likely.iter().map(|(e, _)| filled(question, e)).collect();
    for ((_, clue), probe) in
        likely.iter_mut().zip(probe::probe(mender, &cells, potentials, cancelled)?)
    {
        clue.probe = probe;
    }
    Ok(clues)
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

/// The crystal with an element on every group.
fn filled(question: &Question, elements: &[Element]) -> Structure {
    let mut structure = question.structure.clone();
    for (group, element) in question.groups.iter().zip(elements) {
        fill(&mut structure, group, *element);
    }
    structure
}

/// Puts an element on the sites of a group.
fn fill(structure: &mut Structure, group: &[usize], element: Element) {
    for site in group {
        structure.sites[*site].element = Some(element);
    }
}
