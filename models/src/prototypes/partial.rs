//! Structures whose elements are not those of the class one by one.
//!
//! A formula for which no known structure has the right counts often has one all the same: CuInS₂ is zinc blende with two
//! elements on the places of one, and Fe₃O₄ is a spinel whose two metals are one. So
//!
//! - an element may take two slots of a class with one slot more than there are elements ([`Kind::Merged`]), and
//! - two elements may share a slot of a class with one slot less ([`Kind::Split`]), each on symmetry-equivalent sites
//!   (orbits) of its own.
//!
//! Which orbits go to which element is not decided by chemical likeness; every choice is a hit, up to a limit.

use std::sync::Arc;

use cellwright_crystal::Element;

use super::library::Library;
use super::permutations::permutations;
use super::query::{Block, Hit, Kind, nearest};
use super::question::Question;

/// Assignments that are tried at most in one class.
const MOST_ASSIGNMENTS: usize = 120;

/// Choices of orbits that are tried at most for one assignment.
const MOST_CHOICES: usize = 24;

/// A hit, or what becomes several hits when the orbits of a slot are shared out.
enum Partial {
    /// One element on two slots.
    Merged(Hit),
    /// Two elements on one slot, which so far holds the first of them.
    Split {
        /// The hit as if there were no second one.
        hit: Hit,
        /// The slot.
        slot: usize,
        /// The first element with its atoms in the primitive cell, and the second.
        elements: ((Element, usize), Element),
    },
}

impl Partial {
    /// What it costs is known before the orbits are shared out.
    fn hit(&self) -> &Hit {
        match self {
            Self::Merged(hit) | Self::Split { hit, .. } => hit,
        }
    }

    /// Adds every choice of orbits.
    fn expand(self, library: &Library, hits: &mut Vec<Hit>) {
        let (hit, split, ((_, atoms), second)) = match self {
            Self::Merged(hit) => return hits.push(hit),
            Self::Split { hit, slot, elements } => (hit, slot, elements),
        };
        let orbits = &library.orbits(hit.class)[split];
        let sizes: Vec<usize> = orbits.iter().map(Vec::len).collect();
        let others = hit.blocks.iter().filter(|block| block.slot != split).cloned();
        let own = orbits.iter().map(|sites| Block { slot: split, sites: sites.clone() });
        let blocks: Arc<[Block]> = others.chain(own).collect();
        for choice in choices(&sizes, atoms) {
            let mut new = Hit { blocks: Arc::clone(&blocks), ..hit.clone() };
            for near in &mut new.near {
                // The slot's element goes to the end, once for each orbit.
                let first = near.elements.remove(split);
                near.elements.extend(choice.iter().map(|own| if *own { first } else { second }));
            }
            hits.push(new);
        }
    }
}

impl Library {
    /// Structures for a question whose elements are not those of a class one by one, the chemically nearest first, at most
    /// `most`.
    #[must_use]
    pub fn query_partial(&self, question: &Question, most: usize) -> Vec<Hit> {
        let mut found = Vec::new();
        for cell in question.sorted_cells() {
            self.partial(question, &cell, &mut found);
        }
        found.sort_by(|a, b| a.hit().near[0].cost.total_cmp(&b.hit().near[0].cost));
        let mut hits = Vec::new();
        for one in found {
            if hits.len() >= most {
                break;
            }
            one.expand(self, &mut hits);
        }
        hits.truncate(most);
        hits
    }

    /// Adds what there is for a cell, its elements in order of their counts.
    fn partial(&self, question: &Question, cell: &[(Element, usize)], hits: &mut Vec<Partial>) {
        let atoms: usize = cell.iter().map(|(_, n)| n).sum();
        for (counts, classes) in &self.by_counts {
            if counts.iter().sum::<usize>() != atoms {
                continue;
            }
            if counts.len() == cell.len() + 1 {
                self.merged(question, cell, (counts, classes), hits);
            } else if counts.len() + 1 == cell.len() {
                self.split(question, cell, (counts, classes), hits);
            }
        }
    }

    /// One element on two slots.
    fn merged(
        &self,
        question: &Question,
        cell: &[(Element, usize)],
        (counts, classes): (&[usize], &[usize]),
        hits: &mut Vec<Partial>,
    ) {
        let slots = counts.len();
        for second in 1..slots {
            for first in 0..second {
                // The slots with the second one laid on the first.
                let place = |slot: usize| match slot {
                    s if s == second => first,
                    s if s > second => s - 1,
                    s => s,
                };
                let mut sums = vec![0; slots - 1];
                (0..slots).for_each(|slot| sums[place(slot)] += counts[slot]);
                if !same_counts(&sums, cell.iter().map(|(_, n)| *n)) {
                    continue;
                }
                orders(&sums, cell, &mut |order| {
                    let elements: Vec<Element> =
                        (0..slots).map(|slot| cell[order[place(slot)]].0).collect();
                    for &index in classes {
                        let counting = question.counting(index, &self.classes[index]);
                        if counting.is_empty() {
                            continue;
                        }
                        let blocks = self.classes[index].blocks();
                        let found = nearest(&counting, std::slice::from_ref(&elements), &blocks);
                        let (class, kind, units) = (index, Kind::Merged, question.units(cell));
                        hits.push(Partial::Merged(Hit { class, kind, blocks, units, ..found }));
                    }
                });
            }
        }
    }

    /// Two elements on one slot.
    fn split(
        &self,
        question: &Question,
        cell: &[(Element, usize)],
        (counts, classes): (&[usize], &[usize]),
        hits: &mut Vec<Partial>,
    ) {
        for b in 1..cell.len() {
            for a in 0..b {
                // The cell with the second element taken for the first.
                let mut joint = cell.to_vec();
                joint[a].1 += joint[b].1;
                joint.remove(b);
                if !same_counts(counts, joint.iter().map(|(_, n)| *n)) {
                    continue;
                }
                orders(counts, &joint, &mut |order| {
                    let Some(slot) = order.iter().position(|number| *number == a) else { return };
                    let elements: Vec<Element> = order.iter().map(|n| joint[*n].0).collect();
                    for &index in classes {
                        let class = &self.classes[index];
                        let counting = question.counting(index, class);
                        if class.counts[slot] == 1 || counting.is_empty() {
                            continue;
                        }
                        let whole = class.blocks();
                        // For the cost the second element is one more on the slot.
                        let mut both = elements.clone();
                        both.push(cell[b].0);
                        let again = Block { slot, sites: Vec::new() };
                        let blocks: Vec<Block> = whole.iter().cloned().chain([again]).collect();
                        let mut found = nearest(&counting, &[both], &blocks);
                        found.near.iter_mut().for_each(|n| n.elements.truncate(counts.len()));
                        let (class, kind, units) = (index, Kind::Split, question.units(cell));
                        let hit = Hit { class, kind, blocks: whole, units, ..found };
                        let elements = (cell[a], cell[b].0);
                        hits.push(Partial::Split { hit, slot, elements });
                    }
                });
            }
        }
    }
}

/// Whether these are the same counts in any order.
fn same_counts(a: &[usize], b: impl Iterator<Item = usize>) -> bool {
    let (mut a, mut b) = (a.to_vec(), b.collect::<Vec<_>>());
    a.sort_unstable();
    b.sort_unstable();
    a == b
}

/// Every order of the elements of a cell on places with these counts, up to a limit.
fn orders(counts: &[usize], cell: &[(Element, usize)], visit: &mut dyn FnMut(&[usize])) {
    let mut tried = 0;
    permutations(counts.len(), &|place, number| counts[place] == cell[number].1, &mut |order| {
        tried += 1;
        visit(order);
        tried < MOST_ASSIGNMENTS
    });
}

/// Which orbits together have so many atoms: every choice, up to a limit.
fn choices(orbits: &[usize], atoms: usize) -> Vec<Vec<bool>> {
    fn extend(rest: &[usize], atoms: usize, chosen: &mut Vec<bool>, found: &mut Vec<Vec<bool>>) {
        if found.len() == MOST_CHOICES || rest.iter().sum::<usize>() < atoms {
            return;
        }
        let Some((first, rest)) = rest.split_first() else {
            found.push(chosen.clone());
            return;
        };
        for take in [true, false] {
            if take && *first > atoms {
                continue;
            }
            chosen.push(take);
            extend(rest, if take { atoms - first } else { atoms }, chosen, found);
            chosen.pop();
        }
    }
    let mut found = Vec::new();
    extend(orbits, atoms, &mut Vec::new(), &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Crystal, Entry};
    use crate::prototypes::{Known, Provenance, build};

    #[test]
    fn orbits_are_chosen_by_their_sizes() {
        let of = |orbits: &[usize], atoms| choices(orbits, atoms).len();
        assert_eq!((of(&[4], 2), of(&[2, 2], 2), of(&[1, 1, 2], 2)), (0, 2, 2));
        assert_eq!(choices(&[1, 2, 3], 5), [[false, true, true]]);
        assert_eq!(of(&[1; 30], 15), MOST_CHOICES);
    }

    /// Caesium chloride and a perovskite that is longer along c, so that its anions are of two kinds.
    fn library() -> Library {
        let known = |id: &str, numbers: &[u8], frac: &[[f64; 3]], lengths: [f64; 3]| {
            let (numbers, frac) = (numbers.to_vec(), frac.to_vec());
            let crystal = Crystal { id: id.into(), numbers, frac, lengths, angles: [90.0; 3] };
            Known::new(Entry { crystal, hull: None, space_group: None }).unwrap().unwrap()
        };
        let half = [[0.0; 3], [0.5; 3]];
        let perovskite = [[0.0; 3], [0.5; 3], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]];
        let crystals = vec![
            known("salt", &[55, 17], &half, [4.12; 3]),
            known("titanate", &[38, 22, 8, 8, 8], &perovskite, [3.9, 3.9, 4.1]),
        ];
        build(crystals, Provenance::default())
    }

    fn ask(formula: &[(&str, u32)]) -> Vec<Hit> {
        let composition: Vec<(Element, u32)> =
            formula.iter().map(|(symbol, n)| (symbol.parse().unwrap(), *n)).collect();
        let mut question = Question::in_cell(&composition).unwrap();
        question.without_itself = true;
        library().query_partial(&question, 20)
    }

    #[test]
    fn one_element_takes_two_places_and_two_share_one() {
        let tungsten = Question::new(&[("W".parse().unwrap(), 2)], &[2], None).unwrap();
        let merged = library().query_partial(&tungsten, 20);
        assert_eq!((merged.len(), merged[0].kind), (1, Kind::Merged));
        let structure = library().structure(&merged[0]).unwrap();
        assert_eq!(structure.composition().formula(), "W2");
        let split = ask(&[("Sr", 1), ("Ti", 1), ("O", 1), ("N", 2)]);
        assert!(!split.is_empty() && split.iter().all(|hit| hit.kind == Kind::Split));
        for hit in &split {
            let structure = library().structure(hit).unwrap();
            let count = |symbol: &str| {
                let element = symbol.parse().ok();
                structure.sites.iter().filter(|site| site.element == element).count()
            };
            assert_eq!(["Sr", "Ti", "O", "N"].map(count), [1, 1, 1, 2]);
        }
        // No class has ten atoms.
        assert!(ask(&[("Sr", 2), ("Ti", 2), ("O", 2), ("N", 4)]).is_empty());
    }
}
