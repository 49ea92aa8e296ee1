//! Which sites of a class are equivalent by symmetry.

use std::sync::OnceLock;

use cellwright_crystal::symmetry;

use super::library::{Class, Library};

/// Tolerance with which sites are told to be equivalent (Å): that of the Materials Project.
const SYMPREC: f64 = 0.1;

/// For each slot of a class its sites in sets that symmetry makes equivalent, by index.
type Slots = Vec<Vec<Vec<usize>>>;

/// Worked out when first asked for. What is remembered is no part of what a library is.
#[derive(Debug, Clone, Default)]
pub(super) struct Orbits(OnceLock<Slots>);

impl PartialEq for Orbits {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Library {
    /// The orbits of each slot of a class. Where no symmetry is found, the sites of a slot are taken for one orbit, which
    /// is never divided.
    pub(super) fn orbits(&self, class: usize) -> &Slots {
        self.orbits[class].0.get_or_init(|| of(&self.classes[class]))
    }
}

fn of(class: &Class) -> Slots {
    let found =
        class.crystal(&class.members[0]).ok().and_then(|s| symmetry::detect(&s, SYMPREC).ok());
    let equivalent = found.map(|found| found.equivalent).unwrap_or_else(|| vec![0; class.atoms()]);
    let orbits_of = |slot: usize| {
        let mut sites = class.sites(slot).collect::<Vec<_>>();
        sites.sort_by_key(|i| (equivalent[*i], *i));
        sites.chunk_by(|a, b| equivalent[*a] == equivalent[*b]).map(<[usize]>::to_vec).collect()
    };
    (0..class.counts.len()).map(orbits_of).collect()
}
