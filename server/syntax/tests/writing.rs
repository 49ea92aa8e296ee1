//! What is written is read as what it was.

mod common;

use cellwright_crystal::structure::wrap_half;
use cellwright_crystal::symmetry::Setting;
use cellwright_crystal::{Element, Lattice, Site, Structure};
use cellwright_syntax::poscar::Mode;
use cellwright_syntax::write::{self, PoscarError};
use cellwright_syntax::{Language, Parsed};
use nalgebra::{Matrix3, Vector3};
use proptest::prelude::*;

fn salt() -> Structure {
    let lattice = Lattice::from_parameters([5.6402; 3], [90.0; 3]).unwrap();
    let site = |s: &str, f: [f64; 3]| Site::new(s.parse().unwrap(), Vector3::from(f));
    Structure { lattice, sites: vec![site("Na", [0.0; 3]), site("Cl", [0.5; 3])] }
}

fn read(language: Language, text: &str) -> Structure {
    let parsed = Parsed::new(language, text);
    assert!(parsed.problems.is_empty(), "{:?}\n{text}", parsed.problems);
    assert!(parsed.readings[0].obstacles.is_empty(), "{:?}\n{text}", parsed.readings[0].obstacles);
    parsed.readings[0].structure.clone().expect("a structure")
}

#[test]
fn a_cif_in_p1() {
    let want = "\
data_rock_salt
_chemical_formula_sum         'Cl Na'
_chemical_formula_weight      58.443
_cell_formula_units_Z         1
_cell_length_a                5.6402
_cell_length_b                5.6402
_cell_length_c                5.6402
_cell_angle_alpha             90.00
_cell_angle_beta              90.00
_cell_angle_gamma             90.00
_cell_volume                  179.4252
_space_group_name_H-M_alt     'P 1'
_space_group_name_Hall        'P 1'
_space_group_IT_number        1
loop_
  _space_group_symop_operation_xyz
  'x,y,z'
loop_
  _atom_site_label
  _atom_site_type_symbol
  _atom_site_fract_x
  _atom_site_fract_y
  _atom_site_fract_z
  _atom_site_occupancy
  Na1 Na  0.0000  0.0000  0.0000 1
  Cl1 Cl  0.5000  0.5000  0.5000 1
";
    assert_eq!(write::cif(&salt(), "rock salt"), want);
}

#[test]
fn a_cif_with_symmetry() {
    let setting = Setting::from_hm("F m -3 m").unwrap();
    let labels = ["Na1".to_owned(), "Cl_X".to_owned()];
    let text = write::cif_symmetric(&salt(), &labels, setting, "NaCl");
    let parsed = common::cif(&text);
    let reading = &parsed.readings[0];
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    assert_eq!(reading.symmetry.setting, Some(setting));
    assert_eq!(reading.structure.as_ref().unwrap().composition().to_string(), "Na4 Cl4");
    let rows: Vec<_> = reading.sites.iter().map(|s| (s.label.as_str(), s.multiplicity)).collect();
    assert_eq!(rows, [("Na1", 4), ("Cl_X", 4)]);
    assert!(text.contains("_chemical_formula_sum         'Cl Na'\n"), "{text}");
    assert!(text.contains("_cell_formula_units_Z         4\n"), "{text}");
    assert!(text.contains("_space_group_name_H-M_alt     'F m -3 m'\n"), "{text}");
}

#[test]
fn charges_masks_occupancies_and_names() {
    let mut structure = salt();
    structure.sites[0].oxidation = Some(1.0);
    structure.sites[0].occupancy = 0.75;
    structure.sites[1].element = None;
    let text = write::cif(&structure, "d\u{e9}j\u{e0} vu\n'x'");
    assert!(text.starts_with("data_d_j__vu_'x'\n_cell_length_a"), "{text}");
    assert!(text.contains("  Na1+  1\n"), "{text}");
    assert!(text.contains("  X1  ?    "), "{text}");
    assert_eq!(read(Language::Cif, &text), structure);
    assert!(write::cif(&salt(), "").starts_with("data_structure\n"));
    let empty = Structure { lattice: salt().lattice, sites: vec![] };
    assert!(Parsed::new(Language::Cif, &write::cif(&empty, "x")).problems.is_empty());
    assert!(write::cif(&structure, &"x".repeat(500)).lines().all(|l| l.len() <= 80));
}

#[test]
fn a_poscar() {
    let mut structure = salt();
    structure.sites.push(Site::new("Na".parse().unwrap(), Vector3::new(0.25, 0.0, -0.5)));
    let want = "\
rock salt
1.0
    5.6402000000    0.0000000000    0.0000000000
    0.0000000000    5.6402000000    0.0000000000
    0.0000000000    0.0000000000    5.6402000000
   Na   Cl
    2    1
Direct
    0.0000000000    0.0000000000    0.0000000000
    0.2500000000    0.0000000000   -0.5000000000
    0.5000000000    0.5000000000    0.5000000000
";
    assert_eq!(write::poscar(&structure, "rock\nsalt", Mode::Direct).as_deref(), Ok(want));
    structure.sites[1].occupancy = 0.5;
    assert_eq!(write::poscar(&structure, "", Mode::Direct), Err(PoscarError::Disordered(1)));
    structure.sites.clear();
    assert_eq!(write::poscar(&structure, "", Mode::Direct), Err(PoscarError::Empty));
}

fn structures() -> impl Strategy<Value = Structure> {
    let cell =
        (3.0..12.0f64, 3.0..12.0f64, 3.0..12.0f64, 70.0..110.0f64, 70.0..110.0f64, 70.0..110.0f64);
    let site = (1..=103u8, prop::array::uniform3(-1.5..1.5f64));
    (cell, prop::collection::vec(site, 1..30)).prop_map(|((a, b, c, al, be, ga), sites)| {
        let lattice = Lattice::from_parameters([a, b, c], [al, be, ga]).unwrap();
        let site =
            |(z, f): (u8, [f64; 3])| Site::new(Element::from_z(z).unwrap(), Vector3::from(f));
        Structure { lattice, sites: sites.into_iter().map(site).collect() }
    })
}

proptest! {
    #[test]
    fn a_cif_is_read_as_it_was_written(structure in structures()) {
        let got = read(Language::Cif, &write::cif(&structure, "x"));
        prop_assert_eq!(got.len(), structure.len());
        let metric = got.lattice.metric() - structure.lattice.metric();
        prop_assert!(metric.amax() < 1e-6, "{metric}");
        for (a, b) in got.sites.iter().zip(&structure.sites) {
            prop_assert_eq!(a.element, b.element);
            prop_assert!((a.frac - b.frac).amax() <= 1e-8);
        }
    }

    #[test]
    fn a_poscar_is_read_as_it_was_written(structure in structures(), cartesian: bool) {
        let mode = if cartesian { Mode::Cartesian } else { Mode::Direct };
        let got = read(Language::Poscar, &write::poscar(&structure, "x", mode).unwrap());
        let difference: Matrix3<f64> = got.lattice.matrix() - structure.lattice.matrix();
        prop_assert!(difference.amax() <= 1e-8);
        // The order is by species, so each atom is looked for.
        prop_assert_eq!(got.len(), structure.len());
        for b in &structure.sites {
            let here = |a: &&Site| a.element == b.element && (a.frac - b.frac).map(wrap_half).amax() < 1e-8;
            prop_assert!(got.sites.iter().any(|a| here(&a)));
        }
    }
}
