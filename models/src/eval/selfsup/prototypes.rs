//! What known structures say of a masked species: which element has its place in the crystals of the same prototype.
//!
//! A classic way to complete a crystal, without anything learned: of the classes of the library that the spoiled crystal
//! matches whatever its elements are, every member proposes the element that it has in place of the masked one, and counts
//! the more the closer its other elements are and the better its volume fits.

use std::collections::BTreeMap;

use cellwright_crystal::matching::{Matcher, Prepared};
use cellwright_crystal::{Element, Structure};
use rayon::prelude::*;

use super::question::Question;
use crate::eval::csp::matcher;
use crate::prototypes::{Class, Library, Member, mendeleev};

/// A difference of Mendeleev numbers, summed over the known species, that makes a member count e times less.
const DIFFERENCE: f64 = 3.0;

/// Standard deviation of the logarithm of a volume around what the library's model makes of a member's.
const VOLUME: f64 = 0.08;

/// The library's classes, ready to be matched.
#[derive(Debug)]
pub struct Prototypes<'a> {
    library: &'a Library,
    matcher: Matcher,
    /// The first member of each class, by the counts of the slots.
    ready: BTreeMap<&'a [usize], Vec<(&'a Class, Prepared)>>,
}

impl<'a> Prototypes<'a> {
    /// Of a library. Classes whose first member cannot be matched propose nothing.
    #[must_use]
    pub fn new(library: &'a Library) -> Self {
        let matcher = matcher();
        let first = |class: &'a Class| {
            let crystal = class.crystal(class.members.first()?).ok()?;
            Some((class, matcher.prepare(&crystal).ok()?))
        };
        let mut ready = BTreeMap::<_, Vec<_>>::new();
        let all: Vec<_> = library.classes().par_iter().filter_map(first).collect();
        for (class, prepared) in all {
            ready.entry(class.counts.as_slice()).or_default().push((class, prepared));
        }
        Self { library, matcher, ready }
    }

    /// Chances of the elements on masked sites that held one species; none where the crystal is of no known prototype.
    #[must_use]
    pub fn chances(&self, question: &Question) -> Option<Vec<(Element, f64)>> {
        let (crystal, stranger) = stand_in(&question.spoiled)?;
        let composition = crystal.composition();
        let mut counts: Vec<usize> = composition.iter().map(|(_, n)| n as usize).collect();
        counts.sort_unstable();
        let prepared = self.matcher.prepare(&crystal).ok()?;
        let mut votes = BTreeMap::<Element, f64>::new();
        for (class, first) in self.ready.get(counts.as_slice()).into_iter().flatten() {
            let Some(found) = self.matcher.rms_anonymous(first, &prepared) else { continue };
            // What is on each slot of the class in the crystal that is asked about.
            let on_slot = |element: &Element| {
                found.elements.iter().find(|(from, _)| from == element).map(|(_, to)| *to)
            };
            let Some(slots) =
                class.members[0].elements.iter().map(on_slot).collect::<Option<Vec<_>>>()
            else {
                continue;
            };
            for member in &class.members {
                for exchange in &class.automorphisms {
                    let ours: Vec<Element> = exchange.iter().map(|s| slots[*s]).collect();
                    let volume = crystal.lattice.volume();
                    if let Some((element, vote)) = self.vote(class, member, &ours, stranger, volume)
                    {
                        *votes.entry(element).or_default() += vote;
                    }
                }
            }
        }
        let total: f64 = votes.values().sum();
        (total > 0.0).then(|| votes.into_iter().map(|(e, v)| (e, v / total)).collect())
    }

    /// What a member proposes for the slot of `stranger` when its other slots hold `ours`, and how much it counts.
    fn vote(
        &self,
        class: &Class,
        member: &Member,
        ours: &[Element],
        stranger: Element,
        volume: f64,
    ) -> Option<(Element, f64)> {
        let slot = ours.iter().position(|e| *e == stranger)?;
        let proposed = member.elements[slot];
        let mut filled = ours.to_vec();
        filled[slot] = proposed;
        let apart: f64 = filled
            .iter()
            .zip(&member.elements)
            .map(|(a, b)| (mendeleev(*a) - mendeleev(*b)).abs())
            .sum();
        let expected = |elements: &[Element]| self.library.volumes().sum(&class.counts, elements);
        let predicted = member.volume() * expected(&filled) / expected(&member.elements);
        let off = (volume / predicted).ln() / VOLUME;
        Some((proposed, (-apart / DIFFERENCE - 0.5 * off * off).exp()))
    }
}

/// The crystal with an element that it does not hold on the masked sites; none when it holds them all.
fn stand_in(spoiled: &Structure) -> Option<(Structure, Element)> {
    let stranger =
        Element::all().find(|e| spoiled.sites.iter().all(|site| site.element != Some(*e)))?;
    let mut crystal = spoiled.clone();
    for site in crystal.sites.iter_mut().filter(|site| site.element.is_none()) {
        site.element = Some(stranger);
    }
    Some((crystal, stranger))
}
