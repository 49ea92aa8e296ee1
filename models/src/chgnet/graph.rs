//! The two graphs of CHGNet: atoms joined by bonds up to 6 Å, and bonds up to 3 Å joined by angles.
//!
//! A *directed bond* leads from an atom to one periodic copy of another; the two directions of a pair share one *bond* and its
//! features. An *angle* is an ordered pair of different directed bonds of one atom. (Deng et al. 2023, fig. 1.)

use cellwright_crystal::Structure;
use cellwright_crystal::neighbors::{Neighbor, NeighborError, NeighborList, neighbors};
use nalgebra::Vector3;
use rayon::prelude::*;

use super::config::Config;

/// A pair of atoms, seen from one of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct DirectedBond {
    pub(super) centre: u32,
    pub(super) neighbor: u32,
    /// The undirected bond.
    pub(super) bond: u32,
    /// Length (Å).
    pub(super) length: f64,
    /// Unit vector from the neighbour to the centre.
    pub(super) direction: Vector3<f64>,
}

/// Two directed bonds of one atom, by their numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Angle {
    pub(super) first: u32,
    pub(super) second: u32,
}

/// Why a structure has no graph.
#[derive(Debug, thiserror::Error)]
pub(super) enum GraphError {
    #[error("no neighbours can be found: {0}")]
    Neighbors(#[from] NeighborError),
    /// More directed bonds and angles than memory is meant for.
    #[error(
        "{rows} bonds and angles would take about {} GB of memory: try a smaller cell",
        rows.saturating_mul(BYTES_PER_ROW) / 1_000_000_000
    )]
    TooLarge { rows: usize },
}

/// Directed bonds and angles of the largest crystal that is tried.
const MOST_ROWS: usize = 2_000_000;

/// Memory that one of them takes while its crystal is evaluated (bytes): measured at 240 atoms.
const BYTES_PER_ROW: usize = 7_500;

/// The graph of one crystal.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) atoms: usize,
    /// Grouped by centre, nearest first.
    pub(super) directed: Vec<DirectedBond>,
    /// One directed bond of every bond. Those within the bond cutoff come first.
    pub(super) bonds: Vec<u32>,
    /// How many bonds are within the bond cutoff.
    pub(super) short_bonds: usize,
    /// Grouped by centre.
    pub(super) angles: Vec<Angle>,
    /// Atoms without a neighbour within the atom cutoff.
    pub(super) isolated: Vec<usize>,
    /// Shortest distance (Å), infinite without bonds.
    pub(super) shortest: f64,
}

impl Graph {
    pub(super) fn new(structure: &Structure, config: &Config) -> Result<Self, GraphError> {
        let list = neighbors(&structure.lattice, &structure.fractional(), config.atom_cutoff)?;
        let atoms = structure.len();
        let offsets = offsets_of(&list);

        // The direction whose twin comes later in the list gives the bond its number.
        let twins: Vec<Option<u32>> = (0..atoms)
            .into_par_iter()
            .flat_map_iter(|i| list.of(i).iter().map(move |n| (i, n)))
            .map(|(i, n)| twin(&list, &offsets, i, n))
            .collect();
        let lengths: Vec<f64> = list.iter().map(|(_, n)| n.distance).collect();
        let first = |d: usize| twins[d].is_some_and(|t| d < t as usize);
        let is_short = |d: &usize| lengths[*d] <= config.bond_cutoff;
        let (mut short, long): (Vec<usize>, Vec<usize>) =
            (0..lengths.len()).filter(|d| first(*d)).partition(is_short);
        let short_bonds = short.len();
        short.extend(long);
        let mut bond_of = vec![u32::MAX; lengths.len()];
        for (bond, d) in short.iter().enumerate() {
            bond_of[*d] = bond as u32;
            if let Some(twin) = twins[*d] {
                bond_of[twin as usize] = bond as u32;
            }
        }

        let cartesian = structure.cartesian();
        let mut new_number = vec![u32::MAX; lengths.len()];
        let mut directed = Vec::with_capacity(lengths.len());
        for (d, (i, n)) in list.iter().enumerate() {
            // A direction without its twin lies within rounding of the cutoff, where its weight is zero.
            if bond_of[d] == u32::MAX {
                continue;
            }
            new_number[d] = directed.len() as u32;
            let image = structure.lattice.to_cartesian(&Vector3::from(n.image).cast());
            let vector = cartesian[i] - cartesian[n.index as usize] - image;
            directed.push(DirectedBond {
                centre: i as u32,
                neighbor: n.index,
                bond: bond_of[d],
                length: n.distance,
                direction: vector / n.distance,
            });
        }
        let bonds = short.iter().map(|d| new_number[*d]).collect();
        let mut graph = Self {
            atoms,
            directed,
            bonds,
            short_bonds,
            angles: Vec::new(),
            isolated: (0..atoms).filter(|i| list.of(*i).is_empty()).collect(),
            shortest: lengths.iter().copied().fold(f64::INFINITY, f64::min),
        };
        graph.find_angles(config.bond_cutoff)?;
        Ok(graph)
    }

    /// Ordered pairs of different short directed bonds of one centre.
    fn find_angles(&mut self, cutoff: f64) -> Result<(), GraphError> {
        // Nearest first, so the short ones are at the front. A length of exactly the cutoff, whose weight is zero, counts as first
        // leg but not as second one, as upstream has it.
        let (mut stars, mut from) = (Vec::with_capacity(self.atoms), 0);
        for star in self.directed.chunk_by(|a, b| a.centre == b.centre) {
            let firsts = from..from + star.iter().filter(|d| d.length <= cutoff).count();
            let seconds = from..from + star.iter().filter(|d| d.length < cutoff).count();
            stars.push((firsts, seconds));
            from += star.len();
        }
        // Counted before any is listed: atoms pressed together have more angles than there is memory.
        let angles: usize = stars.iter().map(|(a, b)| a.len() * b.len()).sum();
        let rows = self.directed.len() + angles;
        if rows > MOST_ROWS {
            return Err(GraphError::TooLarge { rows });
        }
        for (firsts, seconds) in stars {
            for first in firsts {
                for second in seconds.clone().filter(|s| *s != first) {
                    self.angles.push(Angle { first: first as u32, second: second as u32 });
                }
            }
        }
        Ok(())
    }
}

fn offsets_of(list: &NeighborList) -> Vec<u32> {
    let mut offsets = Vec::with_capacity(list.len() + 1);
    let mut total = 0;
    offsets.push(0);
    for i in 0..list.len() {
        total += list.of(i).len() as u32;
        offsets.push(total);
    }
    offsets
}

/// The number of the same pair seen from the other atom.
fn twin(list: &NeighborList, offsets: &[u32], i: usize, n: &Neighbor) -> Option<u32> {
    /// Rounding between the two directions of a pair (Å).
    const SAME: f64 = 1e-6;
    let back = list.of(n.index as usize);
    let image = n.image.map(std::ops::Neg::neg);
    let from = back.partition_point(|m| m.distance < n.distance - SAME);
    let found = back[from..]
        .iter()
        .take_while(|m| m.distance <= n.distance + SAME)
        .position(|m| m.index as usize == i && m.image == image)?;
    Some(offsets[n.index as usize] + (from + found) as u32)
}

#[cfg(test)]
mod tests {
    use cellwright_crystal::{Element, Lattice, Site};

    use super::*;

    fn rock_salt(a: f64) -> Structure {
        let h = a / 2.0;
        let rows = nalgebra::Matrix3::new(0.0, h, h, h, 0.0, h, h, h, 0.0);
        let site = |symbol, x| Site::new(Element::from_symbol(symbol).unwrap(), Vector3::repeat(x));
        let sites = vec![site("Na", 0.0), site("Cl", 0.5)];
        Structure { lattice: Lattice::from_rows(rows).unwrap(), sites }
    }

    #[test]
    fn rock_salt_has_the_known_shells() {
        let graph = Graph::new(&rock_salt(5.64), &Config::V0_3_0).unwrap();
        // 6 at a/2, 12 at a/√2, 8 at a√3/2 and 6 at a per atom; six octahedral bonds make 30 ordered angles.
        assert_eq!(graph.directed.len(), 2 * (6 + 12 + 8 + 6));
        assert_eq!(graph.bonds.len(), graph.directed.len() / 2);
        assert_eq!(graph.short_bonds, 6);
        assert_eq!(graph.angles.len(), 2 * 30);
    }

    #[test]
    fn both_directions_share_a_bond_and_oppose_each_other() {
        let graph = Graph::new(&rock_salt(5.64), &Config::V0_3_0).unwrap();
        for (bond, first) in graph.bonds.iter().enumerate() {
            let both: Vec<_> = graph.directed.iter().filter(|d| d.bond as usize == bond).collect();
            let [a, b] = both[..] else { panic!("bond {bond} has {} directions", both.len()) };
            assert_eq!(graph.directed[*first as usize].bond as usize, bond);
            assert_eq!((a.centre, a.neighbor), (b.neighbor, b.centre));
            assert!((a.direction + b.direction).norm() < 1e-9);
            assert!((a.direction.norm() - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn far_atoms_are_isolated() {
        let graph = Graph::new(&rock_salt(30.0), &Config::V0_3_0).unwrap();
        assert_eq!(graph.isolated, [0, 1]);
        assert!(graph.directed.is_empty() && graph.shortest.is_infinite());
    }
}
