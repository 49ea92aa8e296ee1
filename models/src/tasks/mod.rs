//! What the outside calls.

use std::ops::Range;

pub mod complete;
pub mod denoise;
pub mod finish;
pub mod generate;
pub mod mender;
pub mod predict;
pub mod relax;
pub mod substitutions;

/// Atoms in one call of a potential: enough to keep it busy, few enough that a cancel is soon seen.
const BATCH_ATOMS: usize = 64;

/// Consecutive structures, given by their numbers of atoms, that go into one call of a potential.
#[must_use]
pub fn batches(sizes: &[usize]) -> Vec<Range<usize>> {
    let mut batches: Vec<Range<usize>> = Vec::new();
    let mut atoms = 0;
    for (i, &size) in sizes.iter().enumerate() {
        atoms += size;
        match batches.last_mut() {
            Some(batch) if atoms <= BATCH_ATOMS => batch.end = i + 1,
            _ => {
                batches.push(i..i + 1);
                atoms = size;
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_full_but_not_overfull() {
        assert!(batches(&[]).is_empty());
        assert_eq!(batches(&[30, 34, 1, 63, 64, 500, 2]), [0..2, 2..4, 4..5, 5..6, 6..7]);
        assert_eq!(batches(&[0, 0, 200]), [0..2, 2..3]);
    }
}
