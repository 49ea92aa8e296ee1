//! Several crystals as one graph that falls into pieces.

use std::ops::Range;
use std::sync::Arc;

use cellwright_crystal::Structure;

use super::basis::{Bases, Frequencies};
use super::config::Config;
use super::graph::Graph;
use crate::nn::index::Index;

/// One crystal with all the network is told of it.
#[derive(Debug)]
pub(super) struct Crystal<'a> {
    pub(super) structure: &'a Structure,
    pub(super) graph: Graph,
    pub(super) bases: Bases,
}

/// The crystals of a batch and the look-ups between their atoms, bonds and angles.
///
/// Bonds are numbered short ones of all crystals first, so that those in the bond graph are the leading rows.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    pub(super) crystals: Vec<Crystal<'a>>,
    /// Atomic number of every atom, less one.
    pub(super) kinds: Vec<u32>,
    /// Bonds, short bonds.
    pub(super) bonds: usize,
    pub(super) short_bonds: usize,
    /// Of every directed bond: centre, bond, neighbour.
    pub(super) centre: Arc<Index>,
    pub(super) bond: Arc<Index>,
    pub(super) neighbor: Arc<Index>,
    /// Of every angle: first bond, second bond, atom.
    pub(super) first: Arc<Index>,
    pub(super) second: Arc<Index>,
    pub(super) vertex: Arc<Index>,
}

impl<'a> Crystal<'a> {
    pub(super) fn new(
        structure: &'a Structure,
        graph: Graph,
        frequencies: &Frequencies,
        config: &Config,
    ) -> Self {
        let bases = Bases::new(&graph, frequencies, config);
        Self { structure, graph, bases }
    }
}

impl<'a> Batch<'a> {
    pub(super) fn new(crystals: Vec<Crystal<'a>>) -> Self {
        let total = |f: fn(&Graph) -> usize| crystals.iter().map(|c| f(&c.graph)).sum::<usize>();
        let atoms = total(|g| g.atoms);
        let bonds = total(|g| g.bonds.len());
        let short_bonds = total(|g| g.short_bonds);

        let mut kinds = Vec::with_capacity(atoms);
        let [mut centre, mut bond, mut neighbor] = [const { Vec::<u32>::new() }; 3];
        let [mut first, mut second, mut vertex] = [const { Vec::<u32>::new() }; 3];
        let (mut short_before, mut long_before) = (0, short_bonds);
        for Crystal { structure, graph, .. } in &crystals {
            let atoms_before = kinds.len() as u32;
            let place = |b: u32| match (b as usize).checked_sub(graph.short_bonds) {
                None => short_before as u32 + b,
                Some(long) => (long_before + long) as u32,
            };
            // A masked site never gets here; row 0 would be hydrogen.
            kinds.extend(
                structure.sites.iter().map(|s| s.element.map_or(0, |e| u32::from(e.z()) - 1)),
            );
            centre.extend(graph.directed.iter().map(|d| atoms_before + d.centre));
            neighbor.extend(graph.directed.iter().map(|d| atoms_before + d.neighbor));
            bond.extend(graph.directed.iter().map(|d| place(d.bond)));
            let directed = |d: u32| &graph.directed[d as usize];
            first.extend(graph.angles.iter().map(|a| place(directed(a.first).bond)));
            second.extend(graph.angles.iter().map(|a| place(directed(a.second).bond)));
            vertex.extend(graph.angles.iter().map(|a| atoms_before + directed(a.first).centre));
            short_before += graph.short_bonds;
            long_before += graph.bonds.len() - graph.short_bonds;
        }
        let index = |targets, rows| Arc::new(Index::new(targets, rows));
        Self {
            kinds,
            bonds,
            short_bonds,
            centre: index(centre, atoms),
            bond: index(bond, bonds),
            neighbor: index(neighbor, atoms),
            first: index(first, short_bonds),
            second: index(second, short_bonds),
            vertex: index(vertex, atoms),
            crystals,
        }
    }

    /// Atoms of each crystal, in order.
    pub(super) fn atom_ranges(&self) -> Vec<Range<usize>> {
        ranges(self.crystals.iter().map(|c| c.graph.atoms), 0)
    }

    /// Short bonds of each crystal.
    pub(super) fn short_ranges(&self) -> Vec<Range<usize>> {
        ranges(self.crystals.iter().map(|c| c.graph.short_bonds), 0)
    }

    /// Bonds beyond the bond cutoff of each crystal.
    pub(super) fn long_ranges(&self) -> Vec<Range<usize>> {
        let long = self.crystals.iter().map(|c| c.graph.bonds.len() - c.graph.short_bonds);
        ranges(long, self.short_bonds)
    }

    /// Angles of each crystal.
    pub(super) fn angle_ranges(&self) -> Vec<Range<usize>> {
        ranges(self.crystals.iter().map(|c| c.graph.angles.len()), 0)
    }
}

fn ranges(lengths: impl Iterator<Item = usize>, start: usize) -> Vec<Range<usize>> {
    let mut from = start;
    lengths
        .map(|length| {
            let range = from..from + length;
            from = range.end;
            range
        })
        .collect()
}
