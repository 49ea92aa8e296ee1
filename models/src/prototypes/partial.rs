//! Structures whose elements are not those of the class one by one.
//!
//! A formula for which no known structure has the right counts often has one all the same: CuInS₂ is zinc blende with two
//! elements on the places of one, and the double perovskite of Ba₂FeMoO₆ is what two irons would have as well. So
//!
//! - an element may take two slots of a class with one slot more than there are elements ([`Kind::Merged`]), and
//! - two elements may share a slot of a class with one slot less ([`Kind::Split`]), each on symmetry-equivalent sites
//!   (orbits) of its own.
//!
//! Which orbits go to which element is not decided by chemical likeness; every choice is a hit, up to a limit.

use cellwright_crystal::Element;

use super::library::{Class, Library};
use super::permutations::permutations;
use super::query::{Block, Hit, Kind, nearest};
use super::question::Question;

/// Assignments that are tried at most in one class.
const MOST_ASSIGNMENTS: usize = 120;

/// Choices of orbits that are tried at most for one assignment.
const MOST_CHOICES: usize = 24;

impl Library {
    /// Adds the hits for a cell, its elements in order of their counts.
    pub(super) fn partial(
        &self,
        question: &Question,
        cell: &[(Element, usize)],
        hits: &mut Vec<Hit>,
    ) {
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
        hits: &mut Vec<Hit>,
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
                let blocks: Vec<Block> =
                    (0..slots).map(|slot| Block { slot, atoms: counts[slot] }).collect();
                orders(&sums, cell, &mut |order| {
                    let elements: Vec<Element> =
                        (0..slots).map(|slot| cell[order[place(slot)]].0).collect();
                    for &index in classes {
                        let counting = question.counting(index, &self.classes[index]);
                        if counting.is_empty() {
                            continue;
                        }
                        let found = nearest(&counting, std::slice::from_ref(&elements), &blocks);
                        let (class, kind, blocks) = (index, Kind::Merged, blocks.clone());
                        let units = question.units(cell);
                        hits.push(Hit { class, kind, blocks, units, ..found });
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
        hits: &mut Vec<Hit>,
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
                    for &index in classes {
                        let class = &self.classes[index];
                        let choices = choices(&class.orbits[slot], cell[a].1);
                        let counting = question.counting(index, class);
                        if choices.is_empty() || counting.is_empty() {
                            continue;
                        }
                        let blocks = blocks(class, slot);
                        // Costs do not depend on the choice.
                        let element = |block: &Block, first: bool| match (block.slot == slot, first)
                        {
                            (true, false) => cell[b].0,
                            _ => joint[order[block.slot]].0,
                        };
                        let elements = |choice: &[bool]| -> Vec<Element> {
                            let mut first = choice.iter();
                            let taken = |block: &Block| {
                                let own = block.slot != slot
                                    || first.next().copied().unwrap_or(true);
                                element(block, own)
                            };
                            blocks.iter().map(taken).collect()
                        };
                        let any = nearest(&counting, &[elements(&choices[0])], &blocks);
                        for choice in &choices {
                            let elements = elements(choice);
                            let mut hit = Hit {
                                class: index,
                                kind: Kind::Split,
                                blocks: blocks.clone(),
                                units: question.units(cell),
                                ..any.clone()
                            };
                            hit.near.iter_mut().for_each(|n| n.elements.clone_from(&elements));
                            hits.push(hit);
                        }
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

/// Blocks of a class with one slot in its orbits.
fn blocks(class: &Class, split: usize) -> Vec<Block> {
    let of = |slot: usize| {
        let atoms =
            if slot == split { class.orbits[slot].clone() } else { vec![class.counts[slot]] };
        atoms.into_iter().map(move |atoms| Block { slot, atoms })
    };
    (0..class.counts.len()).flat_map(of).collect()
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

    #[test]
    fn orbits_are_chosen_by_their_sizes() {
        let of = |orbits: &[usize], atoms| choices(orbits, atoms).len();
        assert_eq!((of(&[4], 2), of(&[2, 2], 2), of(&[1, 1, 2], 2)), (0, 2, 2));
        assert_eq!(choices(&[1, 2, 3], 5), [[false, true, true]]);
        assert_eq!(of(&[1; 30], 15), MOST_CHOICES);
    }
}
