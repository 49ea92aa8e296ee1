//! What known structures say of an assignment: which elements have the places of the masked ones in crystals of the same prototype.
//!
//! A classic way to complete a crystal, without anything learned. Of the classes of the library that the crystal matches whatever
//! its elements are, every member that has the assigned elements in place of the masked ones votes, and counts the more the
//! closer its other elements are and the better its volume fits.

use std::collections::BTreeMap;

use cellwright_crystal::Element;
use rayon::prelude::*;

use super::{Question, fill};
use crate::eval::csp::matcher;
use crate::prototypes::{Class, Library, Member, mendeleev};

/// A difference of Mendeleev numbers, summed over the species that are not masked, that makes a member count e times less.
const DIFFERENCE: f64 = 3.0;

/// Standard deviation of the logarithm of a volume around what the library's model makes of a member's.
const VOLUME: f64 = 0.08;

/// Ways to tell the masked groups apart that are matched with the library; more only come with many groups.
const MOST_PATTERNS: usize = 12;

/// Which groups of sites hold the same element as a known site or as an earlier group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// That of known sites.
    Known(Element),
    /// That of this group and of no known site; the first such group.
    Masked(usize),
}

/// A class that the crystal matches: what is on each of its slots.
struct Fit<'a> {
    class: &'a Class,
    slots: Vec<Part>,
}

/// The classes that a crystal matches when its groups are told apart in one way, and how many primitive cells its cell holds; none
/// when it is no crystal, or there are not elements enough to tell its groups apart.
type Fitting<'a> = Option<(Vec<Fit<'a>>, usize)>;

/// A question put to a library. Whatever size its cell may have, it matches the same structures.
pub(super) struct Ballot<'a> {
    library: &'a Library,
    question: &'a Question,
    fits: BTreeMap<Vec<Part>, Fitting<'a>>,
}

impl<'a> Ballot<'a> {
    pub(super) fn new(library: &'a Library, question: &'a Question) -> Self {
        Self { library, question, fits: BTreeMap::new() }
    }

    /// How much the library speaks for each assignment of elements to the groups of the question in a cell of this volume (0 and above,
    /// on one scale). Assignments are best given with the likeliest first: of many groups, those that tell the groups apart in
    /// rare ways are not looked at.
    pub(super) fn votes(&mut self, assignments: &[&[Element]], volume: f64) -> Vec<f64> {
        let known = self.question.structure.composition();
        let vote = |elements: &&[Element]| {
            let part = |group: usize| {
                let element = elements[group];
                let first = elements.iter().position(|e| *e == element).unwrap_or(group);
                if known.amount(element) > 0.0 { Part::Known(element) } else { Part::Masked(first) }
            };
            let pattern: Vec<Part> = (0..elements.len()).map(part).collect();
            if !self.fits.contains_key(&pattern) && self.fits.len() == MOST_PATTERNS {
                return 0.0;
            }
            let (library, question) = (self.library, self.question);
            let fitting = self
                .fits
                .entry(pattern)
                .or_insert_with_key(|pattern| fitting(library, question, pattern));
            let Some((fits, copies)) = fitting else { return 0.0 };
            let volume = volume / *copies as f64;
            fits.iter().map(|fit| fit.votes(library, elements, volume)).sum()
        };
        assignments.iter().map(vote).collect()
    }
}

/// Chances of the elements on the masked sites of a question with one group, from known structures alone; none where the crystal is of
/// no known prototype.
#[must_use]
pub fn known_chances(library: &Library, question: &Question) -> Option<Vec<(Element, f64)>> {
    let elements: Vec<Element> = Element::all().collect();
    let assignments: Vec<&[Element]> = elements.iter().map(std::slice::from_ref).collect();
    let volume = question.structure.lattice.volume();
    let votes = Ballot::new(library, question).votes(&assignments, volume);
    let total: f64 = votes.iter().sum();
    let chances = elements.iter().zip(&votes).filter(|(_, v)| **v > 0.0);
    (total > 0.0).then(|| chances.map(|(e, v)| (*e, v / total)).collect())
}

fn fitting<'a>(library: &'a Library, question: &Question, pattern: &[Part]) -> Fitting<'a> {
    let mut crystal = question.structure.clone();
    let known = crystal.composition();
    let mut strangers = Element::all().filter(|e| known.amount(*e) == 0.0);
    let mut parts: BTreeMap<Element, Part> =
        known.iter().map(|(e, _)| (e, Part::Known(e))).collect();
    for (group, part) in question.groups.iter().zip(pattern) {
        let taken = parts.iter().find(|(_, p)| *p == part).map(|(e, _)| *e);
        let element = taken.or_else(|| strangers.next())?;
        parts.insert(element, *part);
        fill(&mut crystal, group, element);
    }
    let matcher = matcher();
    let prepared = matcher.prepare(&crystal).ok()?;
    let copies = (crystal.len() / prepared.len().max(1)).max(1);
    let mut counts: Vec<usize> =
        crystal.composition().iter().map(|(_, n)| n as usize / copies).collect();
    counts.sort_unstable();
    let fit = |class: &'a Class| {
        let first = class.members.first()?;
        let ours = matcher.prepare(&class.crystal(first).ok()?).ok()?;
        let found = matcher.rms_anonymous(&ours, &prepared)?;
        let on_slot = |element: &Element| {
            let (_, to) = found.elements.iter().find(|(from, _)| from == element)?;
            parts.get(to).copied()
        };
        let slots = first.elements.iter().map(on_slot).collect::<Option<_>>()?;
        Some(Fit { class, slots })
    };
    let classes: Vec<&Class> = library.with_counts(&counts).collect();
    let fits = classes.into_par_iter().filter_map(fit).collect();
    Some((fits, copies))
}

impl Fit<'_> {
    /// Of all members, in all equal orders of the slots.
    fn votes(&self, library: &Library, elements: &[Element], volume: f64) -> f64 {
        let orders = self.class.automorphisms.iter();
        let orders: Vec<Vec<Part>> =
            orders.map(|order| order.iter().map(|s| self.slots[*s]).collect()).collect();
        let members = self.class.members.iter();
        members
            .flat_map(|member| orders.iter().map(move |parts| (member, parts)))
            .map(|(member, parts)| self.vote(library, member, parts, elements, volume))
            .sum()
    }

    fn vote(
        &self,
        library: &Library,
        member: &Member,
        parts: &[Part],
        elements: &[Element],
        volume: f64,
    ) -> f64 {
        let mut apart = 0.0;
        let mut filled = Vec::with_capacity(parts.len());
        for (part, theirs) in parts.iter().zip(&member.elements) {
            match part {
                Part::Masked(group) if elements[*group] != *theirs => return 0.0,
                Part::Masked(group) => filled.push(elements[*group]),
                Part::Known(ours) => {
                    apart += (mendeleev(*ours) - mendeleev(*theirs)).abs();
                    filled.push(*ours);
                }
            }
        }
        let expected = |elements: &[Element]| library.volumes().sum(&self.class.counts, elements);
        let predicted = member.volume() * expected(&filled) / expected(&member.elements);
        let off = (volume / predicted).ln() / VOLUME;
        (-apart / DIFFERENCE - 0.5 * off * off).exp()
    }
}
