//! What edits leave behind that is no longer true, for the user to know.

use super::cif::Change;
use crate::cif::Block;
use crate::poscar::PoscarFile;

/// Every data name of a block.
fn names(block: &Block) -> impl Iterator<Item = &str> {
    let items = block.items.iter().map(|item| &item.name);
    let columns = block.loops.iter().flat_map(|table| &table.names);
    items.chain(columns).map(|name| name.value.as_str())
}

/// Distances and angles that a block lists are those from before.
pub(super) fn geometry(change: &Change) -> Option<String> {
    let categories = [
        ("_geom_bond", "distances"),
        ("_geom_contact", "contacts"),
        ("_geom_angle", "angles"),
        ("_geom_torsion", "torsion angles"),
        ("_geom_hbond", "hydrogen bonds"),
    ];
    let found: Vec<&str> = categories
        .iter()
        .filter(|(category, _)| names(change.block).any(|name| name.starts_with(category)))
        .map(|(_, what)| *what)
        .collect();
    let (last, others) = found.split_last()?;
    let list = if others.is_empty() {
        (*last).to_owned()
    } else {
        format!("{} and {last}", others.join(", "))
    };
    Some(format!("the {list} that the file lists (_geom_…) are still those from before"))
}

/// Moments of atoms that had no row: whether an operation turns them over is not known here.
pub(super) fn moments(change: &Change, added: usize) -> Option<String> {
    let listed = names(change.block).any(|name| name.starts_with("_atom_site_moment"));
    (listed && added > 0).then(|| {
        let atoms = if added == 1 { "atom" } else { "atoms" };
        format!("_atom_site_moment has no rows for the {added} new {atoms}: add their moments")
    })
}

/// Velocities behind the atoms of a POSCAR.
pub(super) fn velocities(file: &PoscarFile) -> Option<String> {
    let listed = !file.velocities.is_empty();
    listed.then(|| "the velocities behind the atoms are still those from before".to_owned())
}
