//! How large a cell becomes when its elements are replaced.
//!
//! Every element has a volume as the most electronegative one of a compound and another as any other. The cell of a
//! crystal is κ times the sum over its atoms; κ belongs to the structure (packing) and is taken from known crystals of
//! the same class, so only ratios of the elements' volumes matter. They are fitted to all classes of a library at once
//! by least squares of relative errors, κ and volumes in turns.

use cellwright_crystal::Element;
use nalgebra::{DMatrix, DVector};

use super::library::Class;

/// Rounds of the fit: κ of every class, then the volumes.
const ROUNDS: usize = 6;

/// Pulls volumes of rare elements to the estimate from their radius: as much as so many crystals.
const PULL: f64 = 0.5;

/// Volumes of the elements (Å³).
#[derive(Debug, Clone, PartialEq)]
pub struct Volumes {
    /// By atomic number − 1: first as any element, then as the most electronegative one.
    pub(super) of: Vec<f32>,
}

impl Default for Volumes {
    /// The sphere of the covalent radius, twice that for what takes electrons.
    fn default() -> Self {
        let sphere = |e: Element| 4.19 * e.data().covalent_radius.unwrap_or(1.6).powi(3);
        let of = Element::all().map(sphere).chain(Element::all().map(|e| 5.0 + 2.0 * sphere(e)));
        Self { of: of.map(|v| v as f32).collect() }
    }
}

/// Index into the volumes for each slot.
fn indices(elements: &[Element]) -> impl Iterator<Item = usize> + '_ {
    let last = elements.iter().max_by(|a, b| {
        let chi = |e: &Element| e.data().electronegativity.unwrap_or(0.0);
        chi(a).total_cmp(&chi(b)).then(a.cmp(b))
    });
    elements.iter().map(move |e| {
        let most = elements.len() > 1 && Some(e) == last;
        usize::from(e.z()) - 1 + if most { Element::COUNT } else { 0 }
    })
}

impl Volumes {
    /// Fits the volumes to the members of classes.
    pub(super) fn fit(classes: &[Class]) -> Self {
        let mut volumes = Self::default();
        let start = volumes.of.clone();
        let size = start.len();
        for _ in 0..ROUNDS {
            let mut square = DMatrix::<f64>::zeros(size, size);
            let mut right = DVector::<f64>::zeros(size);
            for (i, v) in start.iter().enumerate() {
                let v = f64::from(*v);
                square[(i, i)] += PULL / (v * v);
                right[i] += PULL / v;
            }
            for class in classes.iter().filter(|class| class.members.len() > 1) {
                let ratio = |(volume, elements): (f64, &[Element])| {
                    (volume / volumes.sum(&class.counts, elements)).ln()
                };
                let known: Vec<(f64, &[Element])> =
                    class.members.iter().map(|m| (m.volume(), m.elements.as_slice())).collect();
                let kappa =
                    (known.iter().map(|k| ratio(*k)).sum::<f64>() / known.len() as f64).exp();
                for (volume, elements) in known {
                    let row: Vec<(usize, f64)> = indices(elements)
                        .zip(&class.counts)
                        .map(|(i, n)| (i, *n as f64 * kappa / volume))
                        .collect();
                    for (i, x) in &row {
                        right[*i] += x;
                        for (j, y) in &row {
                            square[(*i, *j)] += x * y;
                        }
                    }
                }
            }
            let Some(solution) = square.cholesky().map(|c| c.solve(&right)) else { break };
            // A fit may not make an atom vanish.
            volumes.of = solution
                .iter()
                .zip(&start)
                .map(|(v, s)| v.max(0.1 * f64::from(*s)) as f32)
                .collect();
        }
        volumes
    }

    /// Sum of the volumes of a cell's atoms (Å³), before packing.
    #[must_use]
    pub fn sum(&self, counts: &[usize], elements: &[Element]) -> f64 {
        indices(elements).zip(counts).map(|(i, n)| f64::from(self.of[i]) * *n as f64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prototypes::library::Member;

    fn member(elements: &[&str], edge: f64) -> Member {
        let a = (edge * 1e3).round() as u32;
        Member {
            id: "x-1".into(),
            elements: elements.iter().map(|s| s.parse().unwrap()).collect(),
            hull: None,
            space_group: 221,
            cell: [a, a, a, 9000, 9000, 9000],
            frac: vec![[0; 3], [30720; 3]],
        }
    }

    #[test]
    fn sizes_of_ions_are_learned_from_known_salts() {
        let salts = [
            ("Na", "Cl", 5.64),
            ("K", "Cl", 6.29),
            ("Rb", "Cl", 6.58),
            ("Na", "Br", 5.97),
            ("K", "Br", 6.60),
        ];
        let members = salts.iter().map(|(a, b, x)| member(&[a, b], *x)).collect();
        let class = Class { counts: vec![4, 4], automorphisms: vec![vec![0, 1]], members };
        let volumes = Volumes::fit(std::slice::from_ref(&class));
        let of = |a: &str, b: &str| volumes.sum(&[4, 4], &[a.parse().unwrap(), b.parse().unwrap()]);
        // Rubidium bromide was never seen.
        let predicted = class.members[2].volume() * of("Rb", "Br") / of("Rb", "Cl");
        assert!((predicted.cbrt() - 6.89).abs() < 0.08, "{}", predicted.cbrt());
    }
}
