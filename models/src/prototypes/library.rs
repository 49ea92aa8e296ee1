//! What the library holds.

use std::collections::BTreeMap;
use std::ops::Range;

use cellwright_crystal::{Composition, Element};
use serde::{Deserialize, Serialize};

use super::orbits::Orbits;
use super::volume::Volumes;

/// Where the crystals come from; travels in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Provenance {
    /// Data sets (`mp_20/train`) with their SHA-256.
    pub data: BTreeMap<String, String>,
    /// Sets that share no crystal with the library, with their SHA-256: what it may be tested on.
    pub clean_of: BTreeMap<String, String>,
    /// Licence and origin of the crystals.
    pub licence: String,
}

/// A known crystal: one member of a class.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Identifier in the database it comes from.
    pub id: String,
    /// The element on each slot of the class.
    pub elements: Vec<Element>,
    /// Energy above hull (eV/atom), where known.
    pub hull: Option<f64>,
    /// Space group number, 0 where unknown.
    pub space_group: u8,
    /// Cell in the setting of the class, see [`super::geometry`].
    pub(super) cell: [u32; 6],
    /// Fractional coordinates of the sites of the class, slot by slot.
    pub(super) frac: Vec<[u16; 3]>,
}

/// Crystals that are the same but for their elements.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    /// Atoms of the primitive cell on each slot, ascending. A slot is what one element occupies.
    pub counts: Vec<usize>,
    /// Exchanges of slots that give the same crystal; the identity is the first.
    pub automorphisms: Vec<Vec<usize>>,
    /// Crystals of the class; the first one is the one others were compared with.
    pub members: Vec<Member>,
}

impl Class {
    /// Atoms of the primitive cell.
    #[must_use]
    pub fn atoms(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The sites of a slot, by index.
    pub(super) fn sites(&self, slot: usize) -> Range<usize> {
        let start = self.counts[..slot].iter().sum();
        start..start + self.counts[slot]
    }

    /// What the primitive cell of a member holds.
    #[must_use]
    pub fn composition(&self, member: &Member) -> Composition {
        member.elements.iter().zip(&self.counts).map(|(e, n)| (*e, *n as f64)).collect()
    }
}

/// Known crystals in classes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Library {
    pub(super) classes: Vec<Class>,
    /// Classes by the counts of their slots.
    pub(super) by_counts: BTreeMap<Vec<usize>, Vec<usize>>,
    pub(super) volumes: Volumes,
    pub(super) provenance: Provenance,
    /// Of each class.
    pub(super) orbits: Vec<Orbits>,
}

impl Library {
    /// From classes; the volume model is fitted to them.
    #[must_use]
    pub fn new(classes: Vec<Class>, provenance: Provenance) -> Self {
        let volumes = Volumes::fit(&classes);
        Self::with_volumes(classes, volumes, provenance)
    }

    pub(super) fn with_volumes(
        classes: Vec<Class>,
        volumes: Volumes,
        provenance: Provenance,
    ) -> Self {
        let mut by_counts = BTreeMap::<_, Vec<_>>::new();
        for (i, class) in classes.iter().enumerate() {
            by_counts.entry(class.counts.clone()).or_default().push(i);
        }
        let orbits = vec![Orbits::default(); classes.len()];
        Self { classes, by_counts, volumes, provenance, orbits }
    }

    /// All classes.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// The classes whose slots have these counts, ascending.
    pub fn with_counts(&self, counts: &[usize]) -> impl Iterator<Item = &Class> {
        self.by_counts.get(counts).into_iter().flatten().map(|i| &self.classes[*i])
    }

    /// Number of crystals.
    #[must_use]
    pub fn crystals(&self) -> usize {
        self.classes.iter().map(|class| class.members.len()).sum()
    }

    /// The volume model.
    #[must_use]
    pub fn volumes(&self) -> &Volumes {
        &self.volumes
    }

    /// Volume (Å³) that a cell with these atoms is expected to have, whatever its structure: packed as the library's crystals
    /// are on average.
    #[must_use]
    pub fn expected_volume(&self, counts: &[(Element, u32)]) -> f64 {
        let members = || self.classes.iter().flat_map(|c| c.members.iter().map(move |m| (c, m)));
        let packing = |(class, member): (&Class, &Member)| {
            (member.volume() / self.volumes.sum(&class.counts, &member.elements)).ln()
        };
        let mean = members().map(packing).sum::<f64>() / members().count().max(1) as f64;
        let (elements, counts): (Vec<Element>, Vec<usize>) =
            counts.iter().map(|(e, n)| (*e, *n as usize)).unzip();
        mean.exp() * self.volumes.sum(&counts, &elements)
    }

    /// Where the crystals come from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The numbers of formula units for which a formula with these counts has any class, ascending. The counts are
    /// brought to their smallest whole ratio first.
    #[must_use]
    pub fn known_units(&self, counts: &[u32]) -> Vec<u32> {
        let divisor = counts.iter().copied().fold(0, common_divisor).max(1) as usize;
        let mut reduced: Vec<usize> = counts.iter().map(|n| *n as usize / divisor).collect();
        reduced.sort_unstable();
        let units_of = |key: &Vec<usize>| {
            let units = key.first()? / reduced.first()?;
            let same = key.len() == reduced.len()
                && key.iter().zip(&reduced).all(|(k, r)| *k == units * r);
            same.then_some(units as u32)
        };
        let mut units: Vec<u32> = self.by_counts.keys().filter_map(units_of).collect();
        units.sort_unstable();
        units
    }
}

/// Greatest common divisor.
pub(crate) fn common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}
