//! Mini-batches: a shuffled order cut into pieces, every piece sorted into crystals of the same number of atoms.
//!
//! Crystals of one size make dense tensors (crystals × atoms × atoms × features): no gather and no scatter. A loss
//! over a mini-batch is the sum over its groups, so the result is that of the undivided mini-batch.

use std::collections::BTreeMap;

use rand::seq::SliceRandom;

use crate::nn::random::Random;

/// One mini-batch: indices of crystals by number of atoms.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// Groups in order of size; within a group the shuffled order is kept.
    pub groups: BTreeMap<usize, Vec<usize>>,
}

impl Batch {
    /// From the indices of crystals whose sizes are `sizes`.
    pub fn new(sizes: &[usize], indices: impl IntoIterator<Item = usize>) -> Self {
        let mut groups = BTreeMap::<_, Vec<_>>::new();
        for index in indices {
            groups.entry(sizes[index]).or_default().push(index);
        }
        Self { groups }
    }

    /// Number of crystals.
    #[must_use]
    pub fn crystals(&self) -> usize {
        self.groups.values().map(Vec::len).sum()
    }

    /// Number of atoms.
    #[must_use]
    pub fn atoms(&self) -> usize {
        self.groups.iter().map(|(size, group)| size * group.len()).sum()
    }
}

/// All crystals once, in mini-batches of `crystals` (the last one may be smaller), in an order drawn from `random`.
#[must_use]
pub fn batches(sizes: &[usize], crystals: usize, random: &mut Random) -> Vec<Batch> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.shuffle(random.source());
    order.chunks(crystals.max(1)).map(|part| Batch::new(sizes, part.iter().copied())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crystal_once_in_groups_of_one_size() {
        let sizes: Vec<usize> = (0..103).map(|i| 1 + i % 7).collect();
        let batches = batches(&sizes, 10, &mut Random::new(1, 2));
        assert_eq!(batches.len(), 11);
        assert_eq!(batches.iter().map(Batch::crystals).sum::<usize>(), 103);
        assert_eq!(batches.iter().map(Batch::atoms).sum::<usize>(), sizes.iter().sum::<usize>());
        let mut seen = [false; 103];
        for batch in &batches {
            for (size, group) in &batch.groups {
                for index in group {
                    assert_eq!(sizes[*index], *size);
                    assert!(!std::mem::replace(&mut seen[*index], true));
                }
            }
        }
    }

    #[test]
    fn the_seed_decides_the_order() {
        let sizes = [2; 50];
        let draw = |seed, stream| batches(&sizes, 8, &mut Random::new(seed, stream));
        assert_eq!(draw(1, 0), draw(1, 0));
        assert_ne!(draw(1, 0), draw(1, 1));
        assert_ne!(draw(1, 0), draw(2, 0));
    }
}
