//! Questions with known answers.

use std::collections::HashMap;

use cellwright_crystal::Element;
use rayon::prelude::*;

use super::super::library::Library;
use super::super::query::Hit;
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
    /// Share of questions to which the library may know the answer.
    pub(super) with_itself: f64,
    /// Questions for each crystal. All but the first look at a thinned library.
    pub(super) copies: usize,
    /// At most this share of the library is left out then.
    pub(super) thinned: f64,
}

/// Questions about each crystal; those without a hit are left out, there is nothing to rank.
pub(super) fn lessons(library: &Library, crystals: &[Crystal], plan: Plan) -> Vec<Lesson> {
    let all = crystals.par_iter().enumerate();
    all.flat_map_iter(|(i, crystal)| about(library, crystal, plan, i as u64)).collect()
}

/// The questions about one crystal.
fn about(library: &Library, crystal: &Crystal, plan: Plan, index: u64) -> Vec<Lesson> {
    let matcher = matcher();
    let Some(truth) = crystal.structure().ok().and_then(|s| matcher.prepare(&s).ok()) else {
        return Vec::new();
    };
    let mut counts: Vec<(Element, u32)> = Vec::new();
    for z in &crystal.numbers {
        let Some(element) = Element::from_z(*z) else { return Vec::new() };
        match counts.iter_mut().find(|(e, _)| *e == element) {
            Some((_, n)) => *n += 1,
            None => counts.push((element, 1)),
        }
    }
    // The same hit comes up in several questions.
    let mut known = HashMap::new();
    let mut matches = |hit: &Hit| {
        let near = &hit.near[0];
        let key = (hit.class, near.member, hit.blocks.clone(), near.elements.clone());
        *known.entry(key).or_insert_with(|| {
            let structure = library.structure(hit).ok();
            let prepared = structure.and_then(|s| matcher.prepare(&s).ok());
            // The answer first, as it is measured: the tolerances are those of its lattice.
            prepared.is_some_and(|p| matcher.rms(&p, &truth).is_some())
        })
    };
    let mut lessons = Vec::new();
    for copy in 0..plan.copies as u64 {
        let stream = index * plan.copies as u64 + copy;
        let mut random = Random::new(plan.seed, stream);
        let cell_given = random.uniform() >= plan.without_cell;
        let without_itself = random.uniform() >= plan.with_itself;
        let question = if cell_given {
            Question::in_cell(&counts)
        } else {
            let list: Vec<u32> = counts.iter().map(|(_, n)| *n).collect();
            Question::new(&counts, &library.known_units(&list), None)
        };
        let Ok(mut question) = question else { continue };
        question.without_itself = without_itself;
        if copy > 0 {
            question.thinned = Some((stream, plan.thinned * random.uniform()));
        }
        let (hits, total) = library.query(&question, plan.hits);
        if !hits.is_empty() {
            let matching = hits.iter().map(&mut matches).collect();
            lessons.push(Lesson { asked: describe(library, &question, &hits, total), matching });
        }
    }
    lessons
}
