//! Known crystals as phases.

use cellwright_crystal::Composition;

use super::{Energies, Phase};
use crate::prototypes::Library;

/// The crystals of a library that are made of nothing but the elements of a composition, with their energies. Those without
/// an energy are left out.
#[must_use]
pub fn phases(library: &Library, energies: &Energies, composition: &Composition) -> Vec<Phase> {
    let members = library.classes().iter().flat_map(|c| c.members.iter().map(move |m| (c, m)));
    members
        .zip(energies.iter())
        .filter(|((_, m), _)| m.elements.iter().all(|e| composition.amount(*e) > 0.0))
        .filter_map(|((class, member), energy)| {
            let (id, composition) = (member.id.clone(), class.composition(member));
            Some(Phase { id, composition, energy: energy? })
        })
        .collect()
}
