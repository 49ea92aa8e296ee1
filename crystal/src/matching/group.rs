//! Classes of structures that are the same.

use std::collections::HashMap;
use std::hash::Hash;

use rayon::prelude::*;

use super::Prepared;
use super::kind::Kind;

impl Prepared {
    /// What structures that match have in common: the kinds and how many sites each has.
    pub(super) fn signature(&self) -> Vec<(Kind, usize)> {
        self.kinds().map(|(kind, count)| (kind.clone(), count)).collect()
    }

    /// The same when elements may be replaced.
    pub(super) fn anonymous_signature(&self) -> Vec<(Vec<i64>, usize)> {
        let mut signature: Vec<_> =
            self.kinds().map(|(kind, count)| (kind.occupancies(), count)).collect();
        signature.sort_unstable();
        signature
    }
}

/// Sorts structures by signature; within one signature, the first that is left takes all that are the
/// same as it.
pub(super) fn group<K: Hash + Eq + Send>(
    structures: &[Prepared],
    signature: impl Fn(&Prepared) -> K + Sync + Send,
    same: impl Fn(&Prepared, &Prepared) -> bool + Sync,
) -> Vec<Vec<usize>> {
    let signatures: Vec<K> = structures.par_iter().map(signature).collect();
    let mut candidates: HashMap<K, Vec<usize>> = HashMap::new();
    for (i, signature) in signatures.into_iter().enumerate() {
        candidates.entry(signature).or_default().push(i);
    }
    let split = |(_, mut left): (K, Vec<usize>)| {
        let mut classes = Vec::new();
        while let Some((&first, others)) = left.split_first() {
            let first_structure = &structures[first];
            let (alike, different): (Vec<usize>, Vec<usize>) =
                others.par_iter().partition(|i| same(first_structure, &structures[**i]));
            classes.push(std::iter::once(first).chain(alike).collect::<Vec<_>>());
            left = different;
        }
        classes
    };
    let mut classes: Vec<Vec<usize>> = candidates.into_par_iter().flat_map_iter(split).collect();
    classes.sort_unstable();
    classes
}
