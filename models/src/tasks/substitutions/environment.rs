//! What surrounds a site.

use std::collections::BTreeMap;
use std::fmt;

use cellwright_crystal::neighbors::neighbors;
use cellwright_crystal::{Element, Structure};

use crate::ModelError;

/// Neighbours up to this many times the distance of the nearest one are the first shell.
const SHELL: f64 = 1.25;

/// Nobody further away (Å) is a neighbour.
const FARTHEST: f64 = 6.0;

/// The first shell of neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Environment {
    /// The most electronegative element of the shell; none where an atom is alone.
    pub ligand: Option<Element>,
    /// Atoms of the shell.
    pub coordination: usize,
}

/// `6 neighbours, O`.
impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ligand {
            Some(ligand) if self.coordination == 1 => write!(f, "1 neighbour, {ligand}"),
            Some(ligand) => write!(f, "{} neighbours, {ligand}", self.coordination),
            None => f.write_str("no neighbours"),
        }
    }
}

/// The sites of an element by what surrounds them.
pub(super) fn of_element(
    structure: &Structure,
    element: Element,
) -> Result<BTreeMap<Environment, Vec<usize>>, ModelError> {
    let list = neighbors(&structure.lattice, &structure.fractional(), FARTHEST)
        .map_err(|e| ModelError::Unsupported(e.to_string()))?;
    let mut found: BTreeMap<Environment, Vec<usize>> = BTreeMap::new();
    let sites = structure.sites.iter().enumerate();
    for (i, _) in sites.filter(|(_, site)| site.element == Some(element)) {
        let near = list.of(i);
        let reach = near.first().map_or(0.0, |n| SHELL * n.distance);
        let shell: Vec<Option<Element>> = near
            .iter()
            .take_while(|n| n.distance <= reach)
            .map(|n| structure.sites[n.index as usize].element)
            .collect();
        let ligand = shell.iter().flatten().copied().max_by(Element::cmp_electronegativity);
        found.entry(Environment { ligand, coordination: shell.len() }).or_default().push(i);
    }
    Ok(found)
}
