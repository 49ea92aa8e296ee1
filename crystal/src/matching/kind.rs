//! What sits on a site, as something to be compared: one element, a mixture, or a mask.

use std::fmt;

use crate::neighbors::neighbors;
use crate::structure::SHARED_POSITION;
use crate::{Element, Structure};

use super::MatchError;

/// What sits on a site: elements with their occupancies, none of them twice, in order of atomic number (a
/// masked species first). Declared charges are not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(Vec<(Option<Element>, i64)>);

/// Occupancies are equal when they agree to this (as in pymatgen's compositions).
pub(super) const OCCUPANCY_UNIT: f64 = 1e-8;

impl Kind {
    /// Elements (`None`: masked) and their occupancies.
    pub fn species(&self) -> impl ExactSizeIterator<Item = (Option<Element>, f64)> + '_ {
        self.0.iter().map(|&(element, units)| (element, units as f64 * OCCUPANCY_UNIT))
    }

    /// Occupancies without the elements, ascending, in units that only equality has a use for.
    pub(super) fn occupancies(&self) -> Vec<i64> {
        let mut units: Vec<_> = self.0.iter().map(|&(_, units)| units).collect();
        units.sort_unstable();
        units
    }

    /// Elements and occupancies in the same units.
    pub(super) fn units(&self) -> impl Iterator<Item = (Option<Element>, i64)> + '_ {
        self.0.iter().copied()
    }

    fn add(&mut self, element: Option<Element>, occupancy: f64) {
        let units = (occupancy / OCCUPANCY_UNIT).round() as i64;
        match self.0.iter_mut().find(|(e, _)| *e == element) {
            Some((_, sum)) => *sum = sum.saturating_add(units),
            None => self.0.push((element, units)),
        }
        self.0.sort_unstable();
    }
}

/// `Fe`, or `Fe:0.5, Ni:0.5` in order of electronegativity: the order of these texts decides which of
/// several equally rare kinds the search starts from, as it does in pymatgen.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let symbol = |e: Option<Element>| e.map_or("?", Element::symbol);
        if let [(element, units)] = self.0[..]
            && (units as f64 * OCCUPANCY_UNIT - 1.0).abs() < 1e-6
        {
            return f.write_str(symbol(element));
        }
        let chi = |e: Option<Element>| e.and_then(|e| e.data().electronegativity);
        let mut species: Vec<_> = self.species().collect();
        species.sort_by(|(a, _), (b, _)| {
            let [a_chi, b_chi] = [a, b].map(|e| chi(*e).unwrap_or(f64::INFINITY));
            a_chi.total_cmp(&b_chi).then(symbol(*a).cmp(symbol(*b)))
        });
        for (i, (element, occupancy)) in species.into_iter().enumerate() {
            let gap = if i == 0 { "" } else { ", " };
            write!(f, "{gap}{}:{}", symbol(element), (occupancy * 1e3).round() / 1e3)?;
        }
        Ok(())
    }
}

/// A position of the cell with all that sits on it.
#[derive(Debug, Clone)]
pub(super) struct Position {
    pub(super) kind: Kind,
    /// The sites of the structure that are this position; the first one's coordinates count.
    pub(super) sites: Vec<usize>,
}

/// The positions of a structure. Partly occupied sites that share a place are one position; sites that
/// are empty are none.
pub(super) fn positions(structure: &Structure) -> Result<Vec<Position>, MatchError> {
    let sites = &structure.sites;
    let there = |&i: &usize| sites[i].occupancy > 0.0;
    let partial = |&i: &usize| sites[i].occupancy < 1.0 - 1e-6;
    // Row of `shared` or `usize::MAX`: the earlier site whose place a site shares.
    let mut shares = vec![usize::MAX; sites.len()];
    let shared: Vec<usize> = (0..sites.len()).filter(there).filter(partial).collect();
    if shared.len() > 1 {
        let frac: Vec<_> = shared.iter().map(|&i| sites[i].frac).collect();
        let near = neighbors(&structure.lattice, &frac, SHARED_POSITION)?;
        let mut filled: Vec<f64> = shared.iter().map(|&i| sites[i].occupancy).collect();
        for (a, neighbor) in near.iter() {
            let b = neighbor.index as usize;
            let free = |k: usize| shares[shared[k]] == usize::MAX;
            if a < b && free(a) && free(b) && filled[a] + sites[shared[b]].occupancy < 1.001 {
                shares[shared[b]] = shared[a];
                filled[a] += sites[shared[b]].occupancy;
            }
        }
    }
    let mut index = vec![usize::MAX; sites.len()];
    let mut positions: Vec<Position> = Vec::with_capacity(sites.len());
    for i in (0..sites.len()).filter(there) {
        let host = shares[i];
        if host == usize::MAX {
            index[i] = positions.len();
            positions
                .push(Position { kind: Kind(Vec::with_capacity(1)), sites: Vec::with_capacity(1) });
        } else {
            index[i] = index[host];
        }
        let position = &mut positions[index[i]];
        position.kind.add(sites[i].element, sites[i].occupancy);
        position.sites.push(i);
    }
    Ok(positions)
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;

    use super::*;
    use crate::{Lattice, Site};

    fn structure(rows: &[(&str, f64, f64)]) -> Structure {
        let site = |&(symbol, occupancy, x): &(&str, f64, f64)| Site {
            element: Element::from_symbol(symbol),
            oxidation: None,
            occupancy,
            frac: Vector3::new(x, 0.0, 0.0),
        };
        Structure {
            lattice: Lattice::from_parameters([4.0; 3], [90.0; 3]).unwrap(),
            sites: rows.iter().map(site).collect(),
        }
    }

    fn kinds(rows: &[(&str, f64, f64)]) -> Vec<String> {
        positions(&structure(rows)).unwrap().iter().map(|p| p.kind.to_string()).collect()
    }

    #[test]
    fn rows_that_share_a_place_are_one_mixture() {
        let rows = [("Ni", 0.5, 0.0), ("O", 1.0, 0.5), ("Fe", 0.5, 1.0), ("Al", 0.0, 0.3)];
        assert_eq!(kinds(&rows), ["Fe:0.5, Ni:0.5", "O"]);
        let turned = [rows[2], rows[1], rows[0]];
        let (a, b) = (structure(&rows), structure(&turned));
        let (a, b) = (positions(&a).unwrap(), positions(&b).unwrap());
        assert_eq!(a[0].kind, b[0].kind);
        assert_eq!((a[0].sites.clone(), b[0].sites.clone()), (vec![0, 2], vec![0, 2]));
        // The same species twice is its sum.
        assert_eq!(kinds(&[("Fe", 0.25, 0.0), ("Fe", 0.5, 0.0)]), ["Fe:0.75"]);
    }

    #[test]
    fn what_does_not_fit_in_one_place_stays_apart() {
        assert_eq!(kinds(&[("Fe", 0.9, 0.0), ("Ni", 0.9, 0.0)]).len(), 2);
        assert_eq!(kinds(&[("Fe", 0.4, 0.0), ("Ni", 0.4, 0.0), ("Co", 0.4, 0.0)]).len(), 2);
        assert_eq!(kinds(&[("?", 1.0, 0.0), ("O", 0.5, 0.5)]), ["?", "O:0.5"]);
    }

    #[test]
    fn a_kind_knows_its_species() {
        let mixed = positions(&structure(&[("Fe", 0.25, 0.0), ("Ni", 0.75, 0.0)])).unwrap();
        let species: Vec<_> = mixed[0].kind.species().collect();
        assert_eq!(species[0].0.map(Element::symbol), Some("Fe"));
        assert!((species[1].1 - 0.75).abs() < 1e-9);
        assert_eq!(mixed[0].kind.occupancies(), [25_000_000, 75_000_000]);
    }
}
