//! The primitive cell by averaging: atoms that a shorter translation maps onto each other within a
//! tolerance become one, at their mean position.
//!
//! The translations come from the rarest kind of site; the candidate cells are those whose inverse
//! Hermite normal form consists of them (as in pymatgen's `Structure.get_primitive_structure`).

use std::ops::Range;

use nalgebra::{Matrix3, Vector3};

use crate::structure::wrap_unit;

use super::periodic::{short, within};

/// A cell as the reduction sees it.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    /// Lattice vectors as rows (Å).
    pub(super) rows: Matrix3<f64>,
    /// Fractional coordinates, grouped by kind.
    pub(super) frac: Vec<Vector3<f64>>,
    /// The sites of each kind, as a range of `frac`.
    pub(super) groups: Vec<Range<usize>>,
    /// What was averaged into each site: indices of the original positions.
    pub(super) members: Vec<Vec<usize>>,
}

/// Per Cartesian-like axis, how far two atoms may be apart to count as one (Å).
const TOLERANCE: f64 = 0.25;

/// The smallest cell there is, or `None` where the cell is primitive already.
pub(super) fn primitive(cell: &Cell) -> Option<Cell> {
    let mut found = smaller(cell)?;
    while let Some(next) = smaller(&found) {
        found = next;
    }
    Some(found)
}

fn closer(difference: Vector3<f64>, tolerance: &Vector3<f64>) -> bool {
    let way = short(difference);
    (0..3).all(|i| way[i].abs() < tolerance[i])
}

/// The tolerance as a fraction of each lattice vector.
fn fractional_tolerance(rows: &Matrix3<f64>) -> Vector3<f64> {
    Vector3::from_fn(|i, _| TOLERANCE / rows.row(i).norm())
}

/// A cell that is a whole number of times smaller, the least reduction first.
fn smaller(cell: &Cell) -> Option<Cell> {
    let units = cell.groups.iter().fold(0, |acc, group| gcd(acc, group.len()));
    if units < 2 {
        return None;
    }
    let tolerance = fractional_tolerance(&cell.rows);
    let translations = translations(cell, &tolerance);
    for size in (2..=units).filter(|n| units.is_multiple_of(*n)) {
        for a in divisors(size) {
            for e in divisors(size / a) {
                let g = size / a / e;
                for candidate in hermite(a, e, g, &translations, &tolerance) {
                    if let Some(found) = fold(cell, &candidate, size, &tolerance) {
                        return Some(found);
                    }
                }
            }
        }
    }
    None
}

fn divisors(n: usize) -> impl Iterator<Item = usize> {
    (1..=n).filter(move |d| n.is_multiple_of(*d))
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Vectors between sites of the rarest kind that lead from every site to one of its own kind, or nearly:
/// a coarse sieve, since cells made of them are tested in full.
fn translations(cell: &Cell, tolerance: &Vector3<f64>) -> Vec<Vector3<f64>> {
    let mut groups: Vec<_> = cell.groups.iter().map(|group| &cell.frac[group.clone()]).collect();
    groups.sort_by_key(|group| group.len());
    let origin = groups[0][0];
    let mut vectors: Vec<_> = groups[0].iter().map(|x| x - origin).collect();
    for group in &groups {
        for from in *group {
            vectors.retain(|vector| {
                group.iter().any(|to| {
                    // One-sided, as the reference has it.
                    let miss = short(vector - (to - from));
                    (0..3).all(|i| miss[i] < 2.0 * tolerance[i])
                })
            });
        }
    }
    vectors
}

/// Upper triangular matrices with the diagonal (a, e, g) whose inverse has rows that are translations.
fn hermite<'a>(
    a: usize,
    e: usize,
    g: usize,
    translations: &'a [Vector3<f64>],
    tolerance: &'a Vector3<f64>,
) -> impl Iterator<Item = Matrix3<f64>> + use<'a> {
    let known = move |row: Vector3<f64>| {
        translations.iter().any(|translation| closer(row - translation, tolerance))
    };
    let [af, ef, gf] = [a, e, g].map(|n| n as f64);
    // The last row of the inverse is the same for all, the middle one depends on f alone.
    let last = known(Vector3::new(0.0, 0.0, 1.0 / gf));
    let seconds: Vec<f64> = (0..if last { e } else { 0 })
        .map(|f| f as f64)
        .filter(|f| known(Vector3::new(0.0, 1.0 / ef, -f / (ef * gf))))
        .collect();
    let some = !seconds.is_empty();
    let pairs = (0..if some { a } else { 0 }).flat_map(move |b| (0..a).map(move |c| (b, c)));
    pairs.flat_map(move |(b, c)| {
        let (b, c) = (b as f64, c as f64);
        let fits: Vec<_> = seconds
            .iter()
            .copied()
            .filter(|f| {
                let third = (b * f - c * ef) / (af * ef * gf);
                known(Vector3::new(1.0 / af, -b / (af * ef), third))
            })
            .collect();
        fits.into_iter().map(move |f| Matrix3::new(af, b, c, 0.0, ef, f, 0.0, 0.0, gf))
    })
}

/// The cell folded into one `size` times smaller, given the matrix that turns the small cell into this
/// one. `None` where the sites of a kind do not fall into cliques of `size`.
fn fold(cell: &Cell, matrix: &Matrix3<f64>, size: usize, tolerance: &Vector3<f64>) -> Option<Cell> {
    let rows = matrix.try_inverse()? * cell.rows;
    let close = fractional_tolerance(&rows);
    let mut small = Cell { rows, frac: Vec::new(), groups: Vec::new(), members: Vec::new() };
    let mut cliques = Vec::new();
    let mut folded = Vec::new();
    for group in &cell.groups {
        let given = &cell.frac[group.clone()];
        folded.clear();
        folded.extend(given.iter().map(|x| matrix.tr_mul(x)));
        // Images in the small cell, but not neighbours in the large one.
        let same = |i: usize, j: usize| {
            closer(folded[i] - folded[j], &close)
                && (i == j || !within(&(given[i] - given[j]), &(2.0 * tolerance)))
        };
        cliques.clear();
        for i in 0..given.len() {
            let before = cliques.len();
            cliques.extend((0..given.len()).filter(|&j| same(i, j)));
            if cliques.len() - before != size {
                return None;
            }
        }
        let clique = |i: usize| &cliques[i * size..(i + 1) * size];
        if (0..given.len()).any(|i| clique(i).iter().any(|&j| clique(j) != clique(i))) {
            return None;
        }
        let start = small.frac.len();
        for i in (0..given.len()).filter(|&i| clique(i)[0] == i) {
            let mut mean = folded[i].map(wrap_unit);
            for (averaged, &j) in clique(i).iter().enumerate().skip(1) {
                mean += short(folded[j].map(wrap_unit) - mean) / (averaged + 1) as f64;
            }
            small.frac.push(mean);
            let members = clique(i).iter().flat_map(|&j| &cell.members[group.start + j]);
            small.members.push(members.copied().collect());
        }
        small.groups.push(start..small.frac.len());
    }
    Some(small)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `n` × `m` × `p` cells of a two-atom crystal (kinds of one and one atom), atoms displaced by `noise`.
    fn supercell([n, m, p]: [usize; 3], noise: f64) -> Cell {
        let counts = Vector3::new(n, m, p).map(|k| k as f64);
        let edges = counts.component_mul(&Vector3::new(3.0, 3.5, 4.0));
        let mut frac = Vec::new();
        for base in [Vector3::zeros(), Vector3::new(0.45, 0.5, 0.55)] {
            for (i, j, k) in
                (0..n).flat_map(|i| (0..m).flat_map(move |j| (0..p).map(move |k| (i, j, k))))
            {
                let wave = Vector3::new(i + 2 * j, j + 3 * k, k + 5 * i).map(|x| (x as f64).sin());
                let at = base + Vector3::new(i, j, k).map(|x| x as f64);
                frac.push(at.component_div(&counts) + (noise * wave).component_div(&edges));
            }
        }
        let cells = n * m * p;
        Cell {
            rows: Matrix3::from_diagonal(&edges),
            members: (0..frac.len()).map(|i| vec![i]).collect(),
            frac,
            groups: vec![0..cells, cells..2 * cells],
        }
    }

    #[test]
    fn supercells_fold_back_and_every_atom_is_accounted_for() {
        for shape in [[2, 1, 1], [1, 3, 1], [2, 2, 1], [2, 2, 2], [3, 2, 1], [4, 1, 1]] {
            for noise in [0.0, 0.04] {
                let cell = supercell(shape, noise);
                let found = primitive(&cell).expect("a smaller cell");
                assert_eq!(found.groups, [0..1, 1..2], "{shape:?} {noise}");
                let volume = found.rows.determinant().abs();
                assert!((volume - 3.0 * 3.5 * 4.0).abs() < 1e-9);
                let mut members: Vec<_> = found.members.concat();
                members.sort_unstable();
                assert!(members.into_iter().eq(0..cell.frac.len()));
            }
        }
    }

    #[test]
    fn the_position_is_the_mean() {
        let mut cell = supercell([2, 1, 1], 0.0);
        // One of two copies moves by 0.1 Å along the first axis: the mean moves by half of it.
        cell.frac[0][0] += 0.1 / 6.0;
        let found = primitive(&cell).expect("a smaller cell");
        let between = short(found.frac[1] - found.frac[0]);
        let cart = found.rows.tr_mul(&between);
        assert!((cart.x.abs() - (0.45 * 3.0 - 0.05)).abs() < 1e-9, "{cart}");
    }

    #[test]
    fn what_is_too_far_from_its_image_is_a_cell_of_its_own() {
        let mut cell = supercell([2, 1, 1], 0.0);
        cell.frac[0][0] += 0.6 / 6.0;
        assert!(primitive(&cell).is_none());
        assert!(primitive(&supercell([1, 1, 1], 0.0)).is_none());
    }
}
