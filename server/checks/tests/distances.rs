//! Laws of the search for short distances, against counting by hand.

use cellwright_checks::{Tolerances, check};
use cellwright_crystal::Lattice;
use cellwright_syntax::{Language, Parsed};
use nalgebra::Vector3;
use proptest::prelude::*;

/// 0.6 of twice the covalent radius of oxygen (0.66 Å).
const LIMIT: f64 = 0.6 * 2.0 * 0.66;

fn poscar(lattice: &Lattice, atoms: &[[f64; 3]]) -> String {
    let mut text = String::from("law\n1.0\n");
    for i in 0..3 {
        let v = lattice.vector(i);
        text += &format!("{:.12} {:.12} {:.12}\n", v.x, v.y, v.z);
    }
    text += &format!("O\n{}\nDirect\n", atoms.len());
    for [x, y, z] in atoms {
        text += &format!("{x:.12} {y:.12} {z:.12}\n");
    }
    text
}

/// Whether the rows have a short distance, and the lines that findings and their links name.
fn named_lines(text: &str) -> Vec<usize> {
    let findings = check(&Parsed::new(Language::Poscar, text), &Tolerances::default());
    let line = |at: usize| text[..at].matches('\n').count();
    findings
        .iter()
        .filter(|f| f.code == "short-distance")
        .flat_map(|f| std::iter::once(f.span).chain(f.related.iter().map(|r| r.span)))
        .map(|span| line(span.start))
        .collect()
}

/// Pairs of rows (or a row with itself) that have images closer than the limit.
fn by_hand(lattice: &Lattice, atoms: &[[f64; 3]]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for i in 0..atoms.len() {
        for j in i..atoms.len() {
            let apart = Vector3::from(atoms[j]) - Vector3::from(atoms[i]);
            let apart = apart.map(|x| x - x.round());
            let close = (-3..=3).any(|a| {
                (-3..=3).any(|b| {
                    (-3..=3).any(|c| {
                        let image = Vector3::new(f64::from(a), f64::from(b), f64::from(c));
                        let itself = i == j && image == Vector3::zeros();
                        !itself && lattice.to_cartesian(&(apart + image)).norm() < LIMIT
                    })
                })
            });
            if close {
                pairs.push((i, j));
            }
        }
    }
    pairs
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_short_distance_is_found_and_nothing_else(
        lengths in prop::array::uniform3(2.5..9.0_f64),
        angles in prop::array::uniform3(60.0..110.0_f64),
        atoms in prop::collection::vec(prop::array::uniform3(-1.0..2.0_f64), 1..14),
    ) {
        let Ok(lattice) = Lattice::from_parameters(lengths, angles) else { return Ok(()) };
        prop_assume!((atoms.len() as f64) < lattice.volume());
        let pairs = by_hand(&lattice, &atoms);
        let text = poscar(&lattice, &atoms);
        let lines = named_lines(&text);
        prop_assert_eq!(lines.is_empty(), pairs.is_empty());
        // Unless most atoms are too close, when one pair stands for all, each pair has a row that is named.
        let involved: std::collections::BTreeSet<_> =
            pairs.iter().flat_map(|(i, j)| [*i, *j]).collect();
        if involved.len() < 8 || 2 * involved.len() <= atoms.len() {
            for (i, j) in pairs {
                prop_assert!(lines.contains(&(8 + i)) && lines.contains(&(8 + j)));
            }
        }
    }

    #[test]
    fn whole_cells_make_no_difference(
        atoms in prop::collection::vec(prop::array::uniform3(0.0..1.0_f64), 2..12),
        cells in prop::collection::vec(prop::array::uniform3(-3..=3_i32), 12),
    ) {
        let lattice = Lattice::from_parameters([4.0, 4.5, 5.0], [80.0, 95.0, 105.0]).unwrap();
        let moved: Vec<[f64; 3]> = atoms
            .iter()
            .zip(&cells)
            .map(|(atom, cell)| [0, 1, 2].map(|k| atom[k] + f64::from(cell[k])))
            .collect();
        prop_assert_eq!(
            named_lines(&poscar(&lattice, &atoms)),
            named_lines(&poscar(&lattice, &moved))
        );
    }
}
