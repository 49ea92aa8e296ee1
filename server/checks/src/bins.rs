//! A quick look at which atoms may be close at all. In a right file none are, so the exact neighbour
//! list, which costs ten times as much, is made for the few atoms that may be.

use cellwright_crystal::structure::wrap_unit;
use cellwright_crystal::{Lattice, Structure};
use nalgebra::Vector3;

/// Most bins along one axis.
const MOST_BINS: f64 = 100.0;

/// The atoms of a cell sorted into bins that are at least as wide as a cutoff, so that what is within the
/// cutoff of an atom lies in its bin or in one of the 26 around it, however skewed the cell.
pub(crate) struct Bins {
    /// Bins along each axis.
    counts: [usize; 3],
    /// Where each bin begins in `atoms`; one more at the end.
    starts: Vec<u32>,
    /// Indices of the atoms, bin by bin.
    atoms: Vec<u32>,
    /// Cartesian positions (Å) in the cell, in the order of the structure.
    positions: Vec<Vector3<f64>>,
    lattice: Lattice,
    cutoff: f64,
}

impl Bins {
    pub(crate) fn new(structure: &Structure, cutoff: f64) -> Self {
        let lattice = structure.lattice;
        let counts = lattice.heights().map(|h| (h / cutoff).floor().clamp(1.0, MOST_BINS) as usize);
        let mut homes = Vec::with_capacity(structure.len());
        let mut positions = Vec::with_capacity(structure.len());
        let mut starts = vec![0_u32; counts.iter().product::<usize>() + 1];
        for site in &structure.sites {
            let frac = site.frac.map(wrap_unit);
            let at = [0, 1, 2].map(|k| ((frac[k] * counts[k] as f64) as usize).min(counts[k] - 1));
            let home = (at[0] * counts[1] + at[1]) * counts[2] + at[2];
            starts[home + 1] += 1;
            homes.push(home);
            positions.push(lattice.to_cartesian(&frac));
        }
        for bin in 1..starts.len() {
            starts[bin] += starts[bin - 1];
        }
        let mut next = starts.clone();
        let mut atoms = vec![0; homes.len()];
        for (atom, home) in homes.into_iter().enumerate() {
            atoms[next[home] as usize] = atom as u32;
            next[home] += 1;
        }
        Self { counts, starts, atoms, positions, lattice, cutoff }
    }

    fn bin(&self, [i, j, k]: [usize; 3]) -> &[u32] {
        let bin = (i * self.counts[1] + j) * self.counts[2] + k;
        &self.atoms[self.starts[bin] as usize..self.starts[bin + 1] as usize]
    }

    fn all(&self) -> impl Iterator<Item = [usize; 3]> + use<> {
        let [a, b, c] = self.counts;
        (0..a).flat_map(move |i| (0..b).flat_map(move |j| (0..c).map(move |k| [i, j, k])))
    }

    /// About how many directed pairs lie within the cutoff, and an atom in the fullest bin, so that a heap of
    /// atoms in a large cell is seen.
    pub(crate) fn estimate(&self) -> (f64, usize) {
        let bins = (self.starts.len() - 1) as f64;
        let bin_volume = self.lattice.volume() / bins;
        let sphere = 4.0 / 3.0 * std::f64::consts::PI * self.cutoff.powi(3);
        let sizes = || self.starts.windows(2).map(|w| f64::from(w[1] - w[0]));
        let squares: f64 = sizes().map(|n| n * n).sum();
        // All atoms of a bin that is no larger than the sphere are pairs; of a larger one they may be.
        let pairs = squares * (sphere / bin_volume).max(1.0);
        let fullest = self.starts.windows(2).max_by_key(|w| w[1] - w[0]);
        let busiest = fullest.and_then(|w| self.atoms.get(w[0] as usize));
        (pairs, busiest.map_or(0, |atom| *atom as usize))
    }

    /// The atoms that have another one closer than `limit(i, j)`, which is at most the cutoff. In cells with fewer
    /// than three bins along an axis a bin is its own neighbour: there every atom may be close.
    pub(crate) fn suspects(&self, limit: impl Fn(usize, usize) -> f64) -> Vec<usize> {
        if self.counts.iter().any(|n| *n < 3) {
            return (0..self.positions.len()).collect();
        }
        let mut suspect = vec![false; self.positions.len()];
        for home in self.all() {
            let here = self.bin(home);
            if here.is_empty() {
                continue;
            }
            for around in HALF {
                let (there, shift) = self.beside(home, around);
                for (n, i) in here.iter().enumerate() {
                    // Within one bin every pair is met once.
                    let rest = if around == [0; 3] { &here[n + 1..] } else { there };
                    for j in rest {
                        let (i, j) = (*i as usize, *j as usize);
                        let apart = self.positions[j] + shift - self.positions[i];
                        let squared = apart.norm_squared();
                        if squared <= self.cutoff * self.cutoff {
                            let close = squared <= (limit(i, j) + 1e-6).powi(2);
                            suspect[i] |= close;
                            suspect[j] |= close;
                        }
                    }
                }
            }
        }
        suspect.iter().enumerate().filter(|(_, close)| **close).map(|(i, _)| i).collect()
    }

    /// The bin a step away, and the lattice translation (Å) that brings its atoms there.
    fn beside(&self, home: [usize; 3], step: [i32; 3]) -> (&[u32], Vector3<f64>) {
        let mut at = home;
        let mut cell = Vector3::zeros();
        for k in 0..3 {
            let last = self.counts[k] - 1;
            (at[k], cell[k]) = match (home[k], step[k]) {
                (0, -1) => (last, -1.0),
                (n, 1) if n == last => (0, 1.0),
                (n, step) => (n.saturating_add_signed(step as isize), 0.0),
            };
        }
        (self.bin(at), self.lattice.to_cartesian(&cell))
    }
}

/// A bin itself and one of each two opposite neighbours.
const HALF: [[i32; 3]; 14] = [
    [0, 0, 0],
    [0, 0, 1],
    [0, 1, -1],
    [0, 1, 0],
    [0, 1, 1],
    [1, -1, -1],
    [1, -1, 0],
    [1, -1, 1],
    [1, 0, -1],
    [1, 0, 0],
    [1, 0, 1],
    [1, 1, -1],
    [1, 1, 0],
    [1, 1, 1],
];

#[cfg(test)]
mod tests {
    use cellwright_crystal::neighbors::neighbors;
    use cellwright_crystal::{Element, Site};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whoever has a neighbour in the exact list is a suspect, in any cell.
        #[test]
        fn nobody_with_a_neighbour_is_missed(
            lengths in prop::array::uniform3(3.0..15.0_f64),
            angles in prop::array::uniform3(55.0..115.0_f64),
            atoms in prop::collection::vec(prop::array::uniform3(-1.5..1.5_f64), 1..60),
            cutoff in 0.5..3.0_f64,
        ) {
            let Ok(lattice) = Lattice::from_parameters(lengths, angles) else { return Ok(()) };
            let carbon = Element::from_symbol("C").unwrap();
            let sites = atoms.into_iter().map(|f| Site::new(carbon, f.into())).collect();
            let structure = Structure { lattice, sites };
            let bins = Bins::new(&structure, cutoff);
            let suspects = bins.suspects(|_, _| cutoff);
            let list = neighbors(&lattice, &structure.fractional(), cutoff).unwrap();
            for i in 0..structure.len() {
                let close = !list.of(i).is_empty();
                prop_assert!(!close || suspects.contains(&i));
                // Where there are bins enough, nobody else is.
                prop_assert!(close || bins.counts.iter().any(|n| *n < 3) || !suspects.contains(&i));
            }
        }
    }
}
