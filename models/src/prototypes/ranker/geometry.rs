//! How the atoms of a proposed structure stand to each other: what the ranker sees of its geometry.

use cellwright_crystal::neighbors::neighbors;
use cellwright_crystal::{Element, Structure};

/// Distances over the sum of both covalent radii at which neighbours are counted.
pub(super) const CENTRES: [f64; BINS] = [0.7, 0.85, 1.0, 1.12, 1.25, 1.4, 1.6, 1.8];
/// Number of these distances.
pub(super) const BINS: usize = 8;
/// Width of a count, as a share of its distance.
const WIDTH: f64 = 0.08;
/// No pair is looked at beyond this (Å).
const CUTOFF: f64 = 5.0;
/// Counts are brought near to one: neighbours of an atom.
const USUAL: f64 = 4.0;

/// Covalent radius (Å), with what stands in where none is tabulated.
pub(super) fn radius(e: Element) -> f64 {
    e.data().covalent_radius.unwrap_or(1.6)
}

/// For each pair of elements, in order of `elements`, how many neighbours of the second one an atom of the first one has
/// about each of the [`CENTRES`] (Gaussian counts, over four); and the least distance over the sum of radii.
pub(super) fn counts(structure: &Structure, elements: &[Element]) -> (Vec<f32>, f64) {
    let size = elements.len();
    let mut sums = vec![0.0_f64; size * size * BINS];
    let of: Vec<usize> = structure
        .sites
        .iter()
        .map(|site| elements.iter().position(|e| Some(*e) == site.element).unwrap_or(0))
        .collect();
    let frac: Vec<_> = structure.sites.iter().map(|site| site.frac).collect();
    let largest = elements.iter().map(|e| radius(*e)).fold(0.0, f64::max);
    let last = CENTRES[BINS - 1] * (1.0 + WIDTH);
    let mut least = last;
    // A geometry without neighbours is described by zeros: nothing is near.
    if let Ok(list) = neighbors(&structure.lattice, &frac, CUTOFF.min(2.0 * largest * last)) {
        for (i, neighbor) in list.iter() {
            let (a, b) = (of[i], of[neighbor.index as usize]);
            let x = neighbor.distance / (radius(elements[a]) + radius(elements[b]));
            least = least.min(x);
            let row = &mut sums[(a * size + b) * BINS..][..BINS];
            for (sum, centre) in row.iter_mut().zip(CENTRES) {
                let apart = (x - centre) / (centre * WIDTH);
                if apart.abs() < 4.0 {
                    *sum += (-0.5 * apart * apart).exp();
                }
            }
        }
    }
    let mut atoms = vec![0.0; size];
    of.iter().for_each(|a| atoms[*a] += 1.0);
    let per_atom = |(i, sum): (usize, &f64)| (sum / (atoms[i / (size * BINS)] * USUAL)) as f32;
    (sums.iter().enumerate().map(per_atom).collect(), least)
}

#[cfg(test)]
mod tests {
    use cellwright_crystal::{Lattice, Site};
    use nalgebra::Vector3;

    use super::*;

    #[test]
    fn salt_has_six_neighbours_of_the_other_kind() {
        let [na, cl] = ["Na", "Cl"].map(|s| s.parse::<Element>().unwrap());
        // At the sum of the radii.
        let edge = 2.0 * (radius(na) + radius(cl));
        let lattice = Lattice::from_parameters([edge / 2.0_f64.sqrt(); 3], [60.0; 3]).unwrap();
        let sites =
            vec![Site::new(na, Vector3::zeros()), Site::new(cl, Vector3::new(0.5, 0.5, 0.5))];
        let (counts, least) = counts(&Structure { lattice, sites }, &[na, cl]);
        assert!((least - 1.0).abs() < 1e-9);
        assert!((counts[BINS + 2] - 6.0 / 4.0).abs() < 1e-3, "{counts:?}");
        assert!(counts[2] < 0.1, "{counts:?}");
    }
}
