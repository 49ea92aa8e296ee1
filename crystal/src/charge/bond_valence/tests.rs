use nalgebra::Vector3;

use super::*;
use crate::{Lattice, Site};

fn crystal(lattice: ([f64; 3], [f64; 3]), atoms: &[(&str, [f64; 3])]) -> Structure {
    let site =
        |(symbol, at): &(&str, [f64; 3])| Site::new(symbol.parse().unwrap(), Vector3::from(*at));
    Structure {
        lattice: Lattice::from_parameters(lattice.0, lattice.1).unwrap(),
        sites: atoms.iter().map(site).collect(),
    }
}

fn rutile() -> Structure {
    let x = 0.3053;
    let cell = ([4.5937, 4.5937, 2.9587], [90.0; 3]);
    let atoms = [
        ("Ti", [0.0; 3]),
        ("Ti", [0.5; 3]),
        ("O", [x, x, 0.0]),
        ("O", [-x, -x, 0.0]),
        ("O", [0.5 + x, 0.5 - x, 0.5]),
        ("O", [0.5 - x, 0.5 + x, 0.5]),
    ];
    crystal(cell, &atoms)
}

/// The primitive cell of rock salt (`[½ ½ ½]`) or sphalerite (`[¼ ¼ ¼]`) with this cubic edge (Å).
fn cubic(edge: f64, cation: &str, anion: &str, at: f64) -> Structure {
    let a = edge * 0.5_f64.sqrt();
    crystal(([a; 3], [60.0; 3]), &[(cation, [0.0; 3]), (anion, [at; 3])])
}

#[test]
fn sums_agree_with_pymatgen() {
    // calculate_bv_sum of pymatgen 2025.10.7 with neighbours within 4 Å; its b is 0.31 Å.
    let bonds = Bonds { decay: 0.31, cutoff: 4.0 };
    let compare = |crystal: &Structure, states: &[f64], expected: &[f64]| {
        let sums = bond_valence_sums(crystal, states, bonds).unwrap();
        for (sum, expected) in sums.iter().zip(expected) {
            assert!((sum.unwrap() - expected).abs() < 2e-6, "{sum:?} {expected}");
        }
    };
    compare(&cubic(5.6402, "Na", "Cl", 0.5), &[1.0, -1.0], &[0.840_136, -0.840_136]);
    compare(&cubic(5.4093, "Zn", "S", 0.25), &[2.0, -2.0], &[1.740_25, -1.740_25]);
    let states = [4.0, 4.0, -2.0, -2.0, -2.0, -2.0];
    let (ti, o) = (3.805_027, -1.902_513);
    compare(&rutile(), &states, &[ti, ti, o, o, o, o]);
}

#[test]
fn well_known_structures_have_their_states() {
    let states = [4.0, 4.0, -2.0, -2.0, -2.0, -2.0];
    let sums = bond_valence_sums(&rutile(), &states, Bonds::default()).unwrap();
    let sums: Vec<f64> = sums.into_iter().map(Option::unwrap).collect();
    assert!((sums[0] - 4.0).abs() < 0.3 && (sums[2] + 2.0).abs() < 0.2, "{sums:?}");
    // What the cations give the anions take.
    assert!(sums.iter().sum::<f64>().abs() < 1e-9);
    // Sums do not depend on how the cell is chosen: two cells side by side.
    let mut double = rutile();
    let cell = double.lattice.matrix();
    let mut vectors = *cell;
    vectors.set_row(2, &(cell.row(2) * 2.0));
    double.lattice = Lattice::from_rows(vectors).unwrap();
    let half = |shift: f64| {
        let moved = rutile().sites.into_iter();
        moved.map(move |s| Site {
            frac: Vector3::new(s.frac.x, s.frac.y, (s.frac.z + shift) / 2.0),
            ..s
        })
    };
    double.sites = half(0.0).chain(half(1.0)).collect();
    let twice = bond_valence_sums(&double, &[states, states].concat(), Bonds::default()).unwrap();
    for (i, sum) in twice.iter().enumerate() {
        assert!((sum.unwrap() - sums[i % 6]).abs() < 1e-9);
    }
}

#[test]
fn what_has_no_valence_has_no_sum() {
    let salt = cubic(5.6402, "Na", "Cl", 0.5);
    let sums = |states: &[f64]| bond_valence_sums(&salt, states, Bonds::default()).unwrap();
    assert_eq!(sums(&[1.0, 1.0]), [None, None]);
    assert_eq!(sums(&[0.0, -1.0]), [None, None]);
    // Two metals, or an element that the paper lacks.
    let aurides = cubic(4.26, "Cs", "Au", 0.5);
    assert_eq!(bond_valence_sums(&aurides, &[1.0, -1.0], Bonds::default()).unwrap(), [None, None]);
    let mut masked = salt.clone();
    masked.sites[0].element = None;
    assert_eq!(bond_valence_sums(&masked, &[1.0, -1.0], Bonds::default()).unwrap(), [None, None]);
    let far = Bonds { cutoff: f64::NAN, ..Bonds::default() };
    assert!(bond_valence_sums(&salt, &[1.0, -1.0], far).is_err());
    let few = BondValenceError::States { states: 1, sites: 2 };
    assert_eq!(bond_valence_sums(&salt, &[1.0], Bonds::default()), Err(few));
}
