//! The physics decides: another cell is the same crystal, an edit does what it says and no more.

use nalgebra::{Matrix3, Vector3};
use proptest::prelude::*;

use super::*;
use crate::arbitrary::{any_cell, any_matrix, any_unimodular};
use crate::invariance::assert_same_distances;
use crate::reduction::niggli;
use crate::structure::wrap_half;
use crate::symmetry::{Setting, SymmetryError, detect, site_permutations};
use crate::{Element, Lattice, Site};

fn site(symbol: &str, frac: [f64; 3]) -> Site {
    Site::new(symbol.parse().unwrap(), Vector3::from(frac))
}

fn cube(a: f64) -> Lattice {
    Lattice::from_parameters([a; 3], [90.0; 3]).unwrap()
}

/// CsCl-like: primitive, two species.
fn caesium_chloride() -> Structure {
    Structure { lattice: cube(4.12), sites: vec![site("Cs", [0.0; 3]), site("Cl", [0.5; 3])] }
}

/// Corundum-like oxide in its rhombohedral cell: R-3c.
fn hematite() -> Structure {
    let lattice = Lattice::from_parameters([5.03, 5.03, 13.75], [90.0, 90.0, 120.0]).unwrap();
    let shifts =
        [[0.0, 0.0, 0.0], [2.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0], [1.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0]];
    let (z, x) = (0.355, 0.306);
    let iron = [z, 0.5 - z, -z, 0.5 + z].map(|z| [0.0, 0.0, z]);
    let oxygen = [
        [x, 0.0, 0.25],
        [0.0, x, 0.25],
        [-x, -x, 0.25],
        [-x, 0.0, 0.75],
        [0.0, -x, 0.75],
        [x, x, 0.75],
    ];
    let place = |symbol, at: [f64; 3], by: [f64; 3]| site(symbol, [0, 1, 2].map(|k| at[k] + by[k]));
    let mut sites = Vec::new();
    for by in shifts {
        sites.extend(iron.iter().map(|at| place("Fe", *at, by)));
        sites.extend(oxygen.iter().map(|at| place("O", *at, by)));
    }
    Structure { lattice, sites }
}

fn any_structure() -> impl Strategy<Value = Structure> {
    let species = ["Na", "Cl", "O"].map(|s| s.parse::<Element>().unwrap());
    any_cell().prop_map(move |(lattice, frac)| Structure {
        lattice,
        sites: frac.into_iter().enumerate().map(|(i, f)| Site::new(species[i % 3], f)).collect(),
    })
}

/// What a [`Recast`] promises about lattice, coordinates and origin of its sites. They are those of the given
/// ones up to translations of the crystal: `whole` has the given lattice vectors in terms of those.
fn assert_follows(given: &Structure, new: &Recast, whole: &Matrix3<i32>) {
    let rows = new.transform * given.lattice.matrix();
    assert!((rows - new.structure.lattice.matrix()).amax() < 1e-9);
    assert_eq!(new.sites.len(), new.structure.len());
    for (site, &from) in new.structure.sites.iter().zip(&new.sites) {
        let back = new.transform.tr_mul(&site.frac) + new.origin;
        let apart = whole.cast().tr_mul(&(back - given.sites[from].frac)).map(wrap_half);
        assert!(apart.amax() < 1e-9, "site {from}: {apart}");
        let same = Site { frac: given.sites[from].frac, ..site.clone() };
        assert_eq!(same, given.sites[from]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_supercell_is_the_same_crystal(structure in any_structure(), m in any_matrix()) {
        let times = hermite::determinant(&m).unsigned_abs() as usize;
        let new = supercell(&structure, &m).unwrap();
        prop_assert_eq!(new.structure.len(), times * structure.len());
        let volume = structure.lattice.volume() * times as f64;
        prop_assert!((new.structure.lattice.volume() - volume).abs() < 1e-9 * volume);
        assert_follows(&structure, &new, &Matrix3::identity());
        for i in 0..structure.len() {
            prop_assert_eq!(new.sites.iter().filter(|&&j| j == i).count(), times);
        }
        assert_same_distances(&structure, &new.structure, times);
    }

    #[test]
    fn another_basis_is_the_same_crystal(structure in any_structure(), u in any_unimodular()) {
        let skewed = supercell(&structure, &u.map(|x| x as i32)).unwrap();
        assert_follows(&structure, &skewed, &Matrix3::identity());
        assert_same_distances(&structure, &skewed.structure, 1);
        let reduced = niggli(&skewed.structure.lattice, 1e-5).unwrap();
        let back = supercell(&skewed.structure, &reduced.transform).unwrap();
        prop_assert!((back.structure.lattice.matrix() - reduced.lattice.matrix()).amax() < 1e-9);
        assert_same_distances(&structure, &back.structure, 1);
    }

    #[test]
    fn a_cell_of_points_holds_each_class_once(m in any_matrix()) {
        let points = hermite::points(&m);
        prop_assert_eq!(points.len() as i128, hermite::determinant(&m).abs());
        prop_assert_eq!(points[0], Vector3::zeros());
        let inverse = m.cast::<f64>().try_inverse().unwrap();
        for (i, p) in points.iter().enumerate() {
            prop_assert!(inverse.tr_mul(p).iter().all(|x| (-1e-9..1.0 - 1e-9).contains(x)));
            prop_assert!(points[..i].iter().all(|q| (p - q).amax() > 0.5));
        }
    }

    #[test]
    fn the_cell_a_crystal_is_given_in_does_not_matter(m in any_matrix()) {
        // Whatever the supercell, the standard cell is the one there is.
        for (given, atoms, number) in [(caesium_chloride(), 2, 221), (hematite(), 10, 167)] {
            let larger = supercell(&given, &m).unwrap().structure;
            let found = standard(&larger, 0.01).unwrap();
            prop_assert_eq!((found.number, found.primitive.structure.len()), (number, atoms));
        }
    }

    #[test]
    fn sorting_wrapping_and_moving_keep_the_crystal(
        structure in any_structure(),
        by in proptest::array::uniform3(-2.0..2.0_f64),
    ) {
        let mut other = structure.clone();
        translate(&mut other, &Vector3::from(by));
        wrap(&mut other);
        for order in [Order::Electronegativity, Order::AtomicNumber, Order::Symbol, Order::Position] {
            let before = other.clone();
            let places = sort(&mut other, order);
            for (site, place) in other.sites.iter().zip(places) {
                prop_assert_eq!(site, &before.sites[place]);
            }
        }
        prop_assert!(other.sites.iter().all(|s| s.frac.iter().all(|x| (0.0..1.0).contains(x))));
        assert_same_distances(&structure, &other, 1);
    }

    #[test]
    fn what_is_listed_twice_is_removed(structure in any_structure(), cells in -3..3_i32) {
        prop_assume!(structure.closest_pair().unwrap().unwrap().distance > 0.2);
        let mut twice = structure.clone();
        twice.sites.extend(structure.sites.iter().map(|s| {
            Site { frac: s.frac.add_scalar(f64::from(cells)), ..s.clone() }
        }));
        let removed = remove_duplicates(&mut twice, 0.1).unwrap();
        prop_assert_eq!(&twice, &structure);
        for (i, gone) in removed.iter().enumerate() {
            prop_assert_eq!((gone.site, gone.of), (structure.len() + i, i));
            prop_assert!(gone.distance < 1e-9);
        }
    }
}

#[test]
fn standard_cells_of_a_centred_group() {
    let given = hematite();
    let found = standard(&given, 0.01).unwrap();
    assert_eq!((found.number, found.hall_number), (167, 460));
    assert_eq!((found.primitive.structure.len(), found.conventional.structure.len()), (10, 30));
    assert_eq!(hermite::determinant(&found.centring), 3);
    assert_eq!(hermite::determinant(&found.whole), 3);
    assert_follows(&given, &found.primitive, &found.whole);
    assert_follows(&given, &found.conventional, &found.whole);
    let conventional = found.centring.cast::<f64>() * found.primitive.structure.lattice.matrix();
    assert!((conventional - found.conventional.structure.lattice.matrix()).amax() < 1e-9);
    for (i, &to) in found.merged.iter().enumerate() {
        assert_eq!(found.merged[found.primitive.sites[to]], to);
        assert_eq!(given.sites[i].element, found.primitive.structure.sites[to].element);
    }
    // The conventional cell has the operations that the tables give for it.
    let operations = Setting::from_hall_number(found.hall_number).unwrap().operations();
    assert!(site_permutations(&found.conventional.structure, &operations, 1e-6).is_ok());
    assert_same_distances(&given, &found.conventional.structure, 1);
}

#[test]
fn a_conventional_cell_stays_as_it_is() {
    for given in [caesium_chloride(), hematite()] {
        let found = standard(&given, 0.01).unwrap();
        assert_eq!((found.conventional.origin, found.whole), (Vector3::zeros(), found.centring));
        assert!((found.conventional.transform - Matrix3::identity()).amax() < 1e-12);
        assert_same_distances(&given, &found.conventional.structure, 1);
    }
}

#[test]
fn standard_cells_are_made_ideal_where_asked() {
    // Atoms a little off, in a cell that is a little off and no standard one.
    let mut given = hematite();
    for (i, site) in given.sites.iter_mut().enumerate() {
        let way = Vector3::new(1.0, 2.0, 3.0).map(|k| (k * (i + 1) as f64).sin());
        site.frac += given.lattice.to_fractional(&(way * 0.002));
    }
    strain(&mut given, &voigt([1e-4, -1e-4, 0.0, 2e-4, 0.0, 1e-4])).unwrap();
    let given = supercell(&given, &Matrix3::new(1, 1, 0, -1, 0, 0, 0, 1, 1)).unwrap().structure;
    let mut found = standard(&given, 0.02).unwrap();
    assert_eq!((found.number, detect(&given, 1e-5).unwrap().number), (167, 1));
    let plain = found.clone();
    found.idealise(0.05).unwrap();
    for (cell, atoms) in [(&found.conventional.structure, 30), (&found.primitive.structure, 10)] {
        assert_eq!((cell.len(), detect(cell, 1e-7).unwrap().number), (atoms, 167));
    }
    // The same crystal in both, and nearly the one that was given.
    assert_same_distances(&found.primitive.structure, &found.conventional.structure, 3);
    let difference =
        found.primitive.structure.lattice.matrix() - plain.primitive.structure.lattice.matrix();
    assert!(difference.amax() < 0.005, "{difference}");
    for (is, was) in found.primitive.structure.sites.iter().zip(&plain.primitive.structure.sites) {
        assert!((is.frac - was.frac).map(wrap_half).amax() < 0.005);
    }
    assert!(plain.clone().idealise(f64::NAN).is_err());
}

#[test]
fn standard_cells_keep_what_shares_a_position() {
    let mut alloy = caesium_chloride();
    alloy.sites[0].occupancy = 0.25;
    alloy.sites.push(Site { occupancy: 0.75, oxidation: Some(1.0), ..site("Rb", [0.0; 3]) });
    let doubled = supercell(&alloy, &Matrix3::new(1, 1, 0, 1, -1, 0, 0, 0, 1)).unwrap().structure;
    let found = standard(&doubled, 0.01).unwrap();
    assert_eq!((found.number, found.primitive.structure.len()), (221, 3));
    assert_follows(&doubled, &found.primitive, &found.whole);
    assert_eq!(found.primitive.structure.composition(), alloy.composition());
    assert_eq!(found.merged.len(), 6);
}

#[test]
fn sites_that_become_one_are_averaged() {
    let mut doubled =
        supercell(&caesium_chloride(), &Matrix3::new(2, 0, 0, 0, 1, 0, 0, 0, 1)).unwrap().structure;
    doubled.sites[0].frac.y += 0.004;
    let found = standard(&doubled, 0.1).unwrap();
    assert_eq!((found.number, found.primitive.structure.len()), (221, 2));
    let (cs, cl) = (&found.primitive.structure.sites[0], &found.primitive.structure.sites[1]);
    let back = |s: &Site| found.primitive.transform.tr_mul(&s.frac) + found.primitive.origin;
    let apart = (back(cl) - back(cs) - Vector3::new(0.25, 0.498, 0.5))
        .component_mul(&Vector3::new(2.0, 1.0, 1.0));
    assert!(apart.map(wrap_half).amax() < 1e-9, "{apart}");
}

#[test]
fn strain_is_what_voigt_says() {
    let mut cell = caesium_chloride();
    strain(&mut cell, &voigt([0.01, 0.0, -0.02, 0.0, 0.0, 0.0])).unwrap();
    let lengths = cell.lattice.lengths();
    assert!((lengths[0] - 4.12 * 1.01).abs() < 1e-12 && (lengths[2] - 4.12 * 0.98).abs() < 1e-12);
    // An engineering shear closes the right angle by so many radians.
    let mut sheared = caesium_chloride();
    strain(&mut sheared, &voigt([0.0, 0.0, 0.0, 0.0, 0.0, 1e-4])).unwrap();
    let [alpha, beta, gamma] = sheared.lattice.angles();
    assert!((90.0_f64.to_radians() - gamma.to_radians() - 1e-4).abs() < 1e-9);
    assert!((alpha - 90.0).abs() < 1e-9 && (beta - 90.0).abs() < 1e-9);
    // A turn is no strain, whatever the cell.
    let turn = Matrix3::new(0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0) - Matrix3::identity();
    let mut turned = hematite();
    strain(&mut turned, &turn).unwrap();
    assert_same_distances(&hematite(), &turned, 1);
    // Flat is no cell, and nothing has changed.
    let mut flat = caesium_chloride();
    assert!(strain(&mut flat, &voigt([-1.0, 0.0, 0.0, 0.0, 0.0, 0.0])).is_err());
    assert_eq!(flat, caesium_chloride());
}

#[test]
fn species_are_exchanged_at_once() {
    let mut cell = caesium_chloride();
    cell.sites[0].oxidation = Some(1.0);
    let [cs, cl] = [cell.sites[0].element, cell.sites[1].element];
    let swap = |from, to| Substitution { from, to, oxidation: None };
    assert_eq!(substitute(&mut cell, &[swap(cs, cl), swap(cl, cs)]), Ok(vec![0, 1]));
    assert_eq!((cell.sites[0].element, cell.sites[1].element), (cl, cs));
    assert_eq!(cell.sites[0].oxidation, None);
    // Masked, and filled again on one site.
    assert_eq!(substitute(&mut cell, &[swap(cl, None)]), Ok(vec![0]));
    substitute_sites(&mut cell, &[0], cs, Some(1.0)).unwrap();
    assert_eq!((cell.sites[0].element, cell.sites[0].oxidation), (cs, Some(1.0)));
    let twice = substitute(&mut cell, &[swap(cs, cl), swap(cs, None)]).unwrap_err();
    assert_eq!(twice.to_string(), "Cs is to be replaced by two species");
    let missing = substitute_sites(&mut cell, &[0, 7], None, None).unwrap_err();
    assert_eq!(missing.to_string(), "site 8 is not there: the cell has 2");
    assert_eq!(cell.sites[0].element, cs);
}

#[test]
fn a_split_position_is_no_duplicate() {
    let half = |symbol, x| Site { occupancy: 0.5, ..site(symbol, [x, 0.0, 0.0]) };
    let sites = vec![
        half("O", 0.0),
        half("O", 0.01),
        half("F", 0.0),
        site("Cs", [0.5; 3]),
        site("Cs", [0.51, 0.5, 0.5]),
    ];
    let mut cell = Structure { lattice: cube(4.0), sites };
    let removed = remove_duplicates(&mut cell, 0.1).unwrap();
    assert_eq!((removed.len(), removed[0].site, removed[0].of, cell.len()), (1, 4, 3, 4));
    assert!((removed[0].distance - 0.04).abs() < 1e-9);
    // A chain of atoms each near the next is not one atom.
    let chain = (0..5).map(|i| site("Cs", [f64::from(i) * 0.02, 0.0, 0.0])).collect();
    let mut chain = Structure { lattice: cube(4.0), sites: chain };
    let removed = remove_duplicates(&mut chain, 0.1).unwrap();
    assert_eq!(removed.iter().map(|d| (d.site, d.of)).collect::<Vec<_>>(), [(1, 0), (3, 2)]);
}

#[test]
fn masked_sites_come_last() {
    let mut cell = caesium_chloride();
    cell.sites.insert(0, Site { element: None, ..site("O", [0.25; 3]) });
    cell.sites.swap(1, 2);
    assert_eq!(sort(&mut cell, Order::Electronegativity), [2, 1, 0]);
    assert_eq!(sort(&mut cell, Order::AtomicNumber), [1, 0, 2]);
    assert_eq!(sort(&mut cell, Order::Symbol), [0, 1, 2]);
    assert_eq!(sort(&mut cell, Order::Position), [1, 2, 0]);
}

#[test]
fn degenerate_input_is_an_error_value() {
    let cell = caesium_chloride();
    assert_eq!(
        supercell(&cell, &Matrix3::new(1, 2, 3, 2, 4, 6, 0, 0, 1)),
        Err(CellError::Singular)
    );
    let huge = Matrix3::from_diagonal(&Vector3::repeat(i32::MAX));
    assert!(matches!(supercell(&cell, &huge), Err(CellError::TooMany(_))));
    // So sheared that no digits are left.
    let sheared = Matrix3::new(1, 0, 0, i32::MAX, 1, 0, i32::MAX, 0, 1);
    assert!(matches!(supercell(&cell, &sheared), Err(CellError::Lattice(_))));
    let empty = Structure { sites: Vec::new(), ..cell.clone() };
    assert_eq!(supercell(&empty, &Matrix3::identity()).unwrap().structure, empty);
    assert_eq!(standard(&empty, 0.01), Err(SymmetryError::Empty));
    let mut infinite = cell;
    infinite.sites[0].frac.x = f64::NAN;
    assert!(standard(&infinite, 0.01).is_err() && detect(&infinite, 0.01).is_err());
    assert!(remove_duplicates(&mut infinite, 0.1).is_err());
    assert_eq!(infinite.len(), 2);
}
