//! Sites that share a position, seen as one.

use std::collections::HashMap;
use std::ops::ControlFlow;

use moyo::base::Cell;

use super::SymmetryError;
use super::kind::Kind;
use crate::Structure;
use crate::neighbors::closest_pair;
use crate::neighbors::grid::Grid;
use crate::structure::{SHARED_POSITION, wrap_unit};

/// The distinct positions of a structure: one to each set of sites that share it.
pub(crate) struct Places {
    /// Place of each site.
    pub(crate) of_site: Vec<usize>,
    /// Sites at each place, in order of kind.
    pub(crate) members: Vec<Vec<usize>>,
    /// A number for what sits at each place; alike where the same mixture does.
    kinds: Vec<i32>,
}

impl Places {
    pub(super) fn of(structure: &Structure) -> Result<Self, SymmetryError> {
        let frac = structure.fractional();
        let grid = Grid::new(&structure.lattice, &frac, SHARED_POSITION)
            .map_err(|reason| SymmetryError::NotFound(reason.to_string()))?;
        let mut of_site: Vec<usize> = Vec::with_capacity(frac.len());
        let mut members: Vec<Vec<usize>> = Vec::new();
        for i in 0..frac.len() {
            let mut shared = None;
            let _ = grid.scan_around(&grid.point(&frac[i]), |found| {
                // Only the first site of a place speaks for it, so that places do not grow into chains.
                if found.index < i && members[of_site[found.index]][0] == found.index {
                    shared = Some(of_site[found.index]);
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            });
            let place = shared.unwrap_or_else(|| {
                members.push(Vec::new());
                members.len() - 1
            });
            members[place].push(i);
            of_site.push(place);
        }
        let mut numbers = HashMap::new();
        let kinds = members.iter_mut().map(|sites| {
            sites.sort_by_key(|&i| (Kind::of(&structure.sites[i]), i));
            let mixture: Vec<_> = sites.iter().map(|&i| Kind::of(&structure.sites[i])).collect();
            let next = numbers.len() as i32;
            *numbers.entry(mixture).or_insert(next)
        });
        let kinds = kinds.collect();
        Ok(Self { of_site, members, kinds })
    }

    pub(super) fn cell(&self, structure: &Structure) -> Cell {
        let position = |sites: &Vec<usize>| structure.sites[sites[0]].frac.map(wrap_unit);
        Cell::new(
            moyo::base::Lattice::new(*structure.lattice.matrix()),
            self.members.iter().map(position).collect(),
            self.kinds.clone(),
        )
    }

    /// A length (Å) that no translation of the structure falls short of by more than the tolerance: it brings each atom to
    /// one of its kind, so that it is at least as long as the shortest distance within every kind.
    pub(super) fn shortest_translation(&self, structure: &Structure) -> Result<f64, SymmetryError> {
        let mut of_kind: HashMap<i32, Vec<_>> = HashMap::new();
        for (sites, kind) in self.members.iter().zip(&self.kinds) {
            of_kind.entry(*kind).or_default().push(structure.sites[sites[0]].frac);
        }
        let mut shortest = 0.0_f64;
        for positions in of_kind.values() {
            let pair = closest_pair(&structure.lattice, positions);
            let pair = pair.map_err(|reason| SymmetryError::NotFound(reason.to_string()))?;
            shortest = shortest.max(pair.map_or(0.0, |pair| pair.distance));
        }
        Ok(shortest)
    }

    /// Equivalent sites from equivalent places: of a mixture, each kind goes to its like.
    pub(super) fn equivalent(&self, structure: &Structure, orbits: &[usize]) -> Vec<usize> {
        let mut lowest = HashMap::new();
        let mut class = |i: usize| {
            let place = self.of_site[i];
            let key = (orbits[place], Kind::of(&structure.sites[i]));
            *lowest.entry(key).or_insert(i)
        };
        (0..self.of_site.len()).map(&mut class).collect()
    }
}
