//! Questions with known answers.

use cellwright_crystal::Element;
use rayon::prelude::*;

use super::super::library::Library;
use super::super::query::{Hit, Kind};
use super::super::question::Question;
use super::features::{Asked, describe};
use crate::data::Crystal;
use crate::eval::csp::matcher;
use crate::nn::random::Random;

/// A question, described, and which of its hits match the crystal that was asked for.
#[derive(Debug, Clone)]
pub(super) struct Lesson {
    pub(super) asked: Asked,
    pub(super) matching: Vec<bool>,
}

/// What is asked of a set of crystals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) seed: u64,
    /// Hits of a question.
    pub(super) hits: usize,
    /// Share of questions that do not say how large the cell is.
    pub(super) without_cell: f64,
    /// Share of questions to which the library may know the answer; then that is the most stable crystal it knows.
    pub(super) with_itself: f64,
    /// Questions for each crystal. All but the first look at a thinned library.
    pub(super) copies: usize,
    /// At most this share of the library is left out then.
    pub(super) thinned: f64,
}

/// A question for each crystal; those without a hit are left out, there is nothing to rank.
pub(super) fn lessons(library: &Library, crystals: &[Crystal], plan: Plan) -> Vec<Lesson> {
    let one = |i: usize| lesson(library, &crystals[i / plan.copies], plan, i as u64);
    (0..crystals.len() * plan.copies).into_par_iter().filter_map(one).collect()
}

fn lesson(library: &Library, crystal: &Crystal, plan: Plan, stream: u64) -> Option<Lesson> {
    let mut random = Random::new(plan.seed, stream);
    let cell_given = random.uniform() >= plan.without_cell;
    let without_itself = random.uniform() >= plan.with_itself;
    let matcher = matcher();
    let mut truth = matcher.prepare(&crystal.structure().ok()?).ok()?;
    let mut counts: Vec<(Element, u32)> = Vec::new();
    for (kind, count) in truth.kinds() {
        counts.push((kind.species().next()?.0?, u32::try_from(count).ok()?));
    }
    let list: Vec<u32> = counts.iter().map(|(_, n)| *n).collect();
    let question = if cell_given {
        Question::in_cell(&counts)
    } else {
        Question::new(&counts, &library.known_units(&list), None)
    };
    let mut question = question.ok()?;
    question.without_itself = without_itself;
    if !stream.is_multiple_of(plan.copies as u64) {
        question.thinned = Some((stream, plan.thinned * random.uniform()));
    }
    let (hits, total) = library.query(&question, plan.hits);
    if let Some(stable) =
        hits.iter().filter_map(|h| known(library, h)).min_by(|a, b| a.0.total_cmp(&b.0))
    {
        truth = matcher.prepare(&library.structure(stable.1).ok()?).ok()?;
    }
    let matches = |hit| {
        let structure = library.structure(hit).ok()?;
        // The answer first, as it is measured: the tolerances are those of its lattice.
        matcher.rms(&matcher.prepare(&structure).ok()?, &truth)
    };
    let matching = hits.iter().map(|hit| matches(hit).is_some()).collect();
    let asked = describe(library, &question, &hits, total);
    (!hits.is_empty()).then_some(Lesson { asked, matching })
}

/// A hit that is a known crystal of the formula itself, with its energy above hull. Whoever asks for such a formula means
/// the most stable of these, whichever of them the question was made from.
fn known<'a>(library: &Library, hit: &'a Hit) -> Option<(f64, &'a Hit)> {
    let nearest = &hit.near[0];
    let member = &library.classes()[hit.class].members[nearest.member];
    (hit.kind == Kind::Whole && member.elements == nearest.elements)
        .then(|| (member.hull.unwrap_or(f64::INFINITY), hit))
}
