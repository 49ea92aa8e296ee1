//! Edits bring a changed structure into the text and nothing else: re-reading the edited text gives the new structure
//! to the written precision, an unchanged structure gives no edit, and every other byte stays.

mod common;

use cellwright_crystal::structure::wrap_half;
use cellwright_crystal::{Lattice, Structure};
use cellwright_syntax::edit::{EditError, Update, update, update_as_p1};
use cellwright_syntax::text::apply_edits;
use cellwright_syntax::{Language, Parsed};
use nalgebra::{Matrix3, Vector3};
use proptest::prelude::*;

/// P 1 with columns in line, standard uncertainties, comments and items that follow from the cell.
const TRICLINIC: &str = "\
# made by hand
data_x
_cell_length_a     5.1234(5)
_cell_length_b     6.2
_cell_length_c     7.3345(12)   # a comment
_cell_angle_alpha  81.2
_cell_angle_beta   95.33(2)
_cell_angle_gamma  102.007
_cell_volume       224.01(3)
_exptl_crystal_density_diffrn 2.385
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_U_iso_or_equiv
 Fe1  Fe3+   0.12340(12)  -0.0123(4)   1.25000(5)   0.012(3)
 O1   O2-   -0.35120(9)    0.4311(10)  0.20010(8)   0.020    # and here
 O2   O2-    0.5           0.25        0            0.021
_refine_ls_R_factor_gt 0.03
";

/// Rutile with its operations, three of its atoms' coordinates fixed by symmetry.
const RUTILE: &str = "\
data_rutile
_cell_length_a 4.5937(1)
_cell_length_b 4.5937(1)
_cell_length_c 2.9587(1)
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_cell_setting tetragonal
_symmetry_space_group_name_H-M 'P 42/m n m'
_symmetry_Int_Tables_number 136
loop_
_symmetry_equiv_pos_site_id
_symmetry_equiv_pos_as_xyz
1 x,y,z
2 -x,-y,z
3 -y+1/2,x+1/2,z+1/2
4 y+1/2,-x+1/2,z+1/2
5 -x+1/2,y+1/2,-z+1/2
6 x+1/2,-y+1/2,-z+1/2
7 y,x,-z
8 -y,-x,-z
9 -x,-y,-z
10 x,y,-z
11 y+1/2,-x+1/2,-z+1/2
12 -y+1/2,x+1/2,-z+1/2
13 x+1/2,-y+1/2,z+1/2
14 -x+1/2,y+1/2,z+1/2
15 -y,-x,z
16 y,x,z
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_symmetry_multiplicity
_atom_site_Wyckoff_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Ti1 Ti 2 a 0.00000 0.00000 0.00000 1
O1  O  4 f 0.30530(10) 0.30530(10) 0.00000 1
loop_
_geom_bond_atom_site_label_1
_geom_bond_atom_site_label_2
_geom_bond_distance
Ti1 O1 1.98
";

/// Cartesian, scaled, with selective dynamics and velocities.
const SLAB: &str = "\
slab
  1.10
    4.0000000000    0.1000000000    0.0000000000
    0.0000000000    4.2000000000    0.3000000000
   -0.2000000000    0.0000000000   12.0000000000
  Ti  O
  1  2
Selective dynamics
Cartesian
    0.0000000000    0.1000000000    0.2000000000  T T F
    1.5000000000    1.5000000000   -1.5000000000  T T T   O
    3.1000000000    0.2000000000    4.4000000000  F F F

  0.001 0.002 0.003
  0 0 0
  -0.001 -0.002 -0.003
";

/// Negative scale: a volume; no column is in line.
const VOLUME: &str =
    "CsCl\n-70.0\n4 0 0.1\n0 4. 0\n0.0 0 4\nCs Cl\n1 1\nDirect\n0 0 0\n.5 0.5 5.0E-1\n";

/// Three factors.
const FACTORS: &str =
    "CsCl\n1.0 1.1 1.2\n4 0 0.1\n0 4. 0\n0.0 0 4\nCs Cl\n1 1\nCart\n0 0 0\n2.0 2.0 2.5D0\n";

fn all() -> Vec<(Language, &'static str)> {
    vec![
        (Language::Cif, TRICLINIC),
        (Language::Cif, RUTILE),
        (Language::Poscar, SLAB),
        (Language::Poscar, VOLUME),
        (Language::Poscar, FACTORS),
    ]
}

fn structure(parsed: &Parsed) -> Structure {
    parsed.readings[0].structure.clone().expect("a structure")
}

fn edited(parsed: &Parsed, new: &Structure) -> String {
    let edits = update(parsed, &parsed.readings[0], new).expect("edits").edits;
    apply_edits(&parsed.text, &edits)
}

/// Largest distance (Å) between the atoms of two structures, and largest difference of the cell.
fn difference(a: &Structure, b: &Structure) -> (f64, f64) {
    assert_eq!(a.len(), b.len());
    let apart = a.sites.iter().zip(&b.sites).map(|(x, y)| {
        assert_eq!(x.element, y.element);
        a.lattice.to_cartesian(&(x.frac - y.frac).map(wrap_half)).norm()
    });
    let parameters = |l: &Lattice| [l.lengths(), l.angles()].concat();
    let cell = parameters(&a.lattice).into_iter().zip(parameters(&b.lattice));
    (apart.fold(0.0, f64::max), cell.map(|(x, y)| (x - y).abs()).fold(0.0, f64::max))
}

#[test]
fn an_unchanged_structure_gives_no_edit() {
    for (language, text) in all() {
        let parsed = Parsed::new(language, text);
        let edits = update(&parsed, &parsed.readings[0], &structure(&parsed)).unwrap();
        assert_eq!(edits, Update::default(), "{text}");
        let crlf = Parsed::new(language, &text.replace('\n', "\r\n"));
        assert_eq!(update(&crlf, &crlf.readings[0], &structure(&crlf)).unwrap(), Update::default());
    }
}

#[test]
fn a_moved_atom_changes_its_numbers_only() {
    let parsed = common::cif(TRICLINIC);
    let mut new = structure(&parsed);
    new.sites[1].frac.x += 0.4;
    new.sites[1].frac.z = 1.2001;
    let want = TRICLINIC.replace("-0.35120(9)    0.4311", " 0.04880       0.4311");
    assert_eq!(edited(&parsed, &new), want);
    // In the cell that the atom is written in: 1.2001 stands for 0.2001, which did not change.
    new.sites[0].frac.y = 0.98;
    let want = want.replace("-0.0123(4) ", "-0.0200    ");
    assert_eq!(edited(&parsed, &new), want);
}

#[test]
fn the_cell_takes_volume_and_density_along() {
    let parsed = common::cif(TRICLINIC);
    let mut new = structure(&parsed);
    new.lattice = Lattice::from_parameters([5.2, 6.2, 7.3345], [81.2, 95.33, 102.0]).unwrap();
    let volume = new.lattice.volume();
    let density = 2.385 * structure(&parsed).lattice.volume() / volume;
    let want = TRICLINIC
        .replace("5.1234(5)", "5.2000")
        .replace("102.007", "102.0000")
        .replace("224.01(3)", &format!("{volume:.2}"))
        .replace("2.385", &format!("{density:.3}"));
    assert_eq!(edited(&parsed, &new), want);
}

#[test]
fn an_angle_that_was_left_out_is_written_when_it_is_no_longer_right() {
    let text = "data_x\n_cell.length_a 4\n_cell.length_b 5\n_cell.length_c 6\n_atom_site.label A\n\
                _atom_site.type_symbol Fe\n_atom_site.fract_x 0\n_atom_site.fract_y 0\n_atom_site.fract_z 0\n";
    let parsed = common::cif(text);
    let mut new = structure(&parsed);
    new.lattice = Lattice::from_parameters([4.0, 5.0, 6.0], [90.0, 91.5, 90.0]).unwrap();
    let want = text.replace("_c 6\n", "_c 6\n_cell.angle_beta 91.5000\n");
    assert_eq!(edited(&parsed, &new), want);
}

#[test]
fn uncertainties_with_names_of_their_own_are_taken_back() {
    let text = "data_x\n_cell_length_a 4\n_cell_length_a_su 0.1\n_cell_length_b 5\n_cell_length_c 6\nloop_\n\
                _atom_site_label\n_atom_site_fract_x\n_atom_site_fract_x_su\n_atom_site_fract_y\n_atom_site_fract_z\n\
                Fe1 0.1 0.002 0 0\nFe2 0.2 0.003 0.5 0.5\n";
    let parsed = common::cif(text);
    let mut new = structure(&parsed);
    new.sites[1].frac.x = 0.25;
    new.lattice = Lattice::from_parameters([4.5, 5.0, 6.0], [90.0; 3]).unwrap();
    let want = text
        .replace("_a 4\n", "_a 4.5000\n")
        .replace("_su 0.1\n", "_su .\n")
        .replace("0.2 0.003", "0.2500 .");
    assert_eq!(edited(&parsed, &new), want);
}

#[test]
fn symmetry_carries_the_change_to_the_rows() {
    let parsed = common::cif(RUTILE);
    let reading = &parsed.readings[0];
    let old = structure(&parsed);
    assert_eq!(old.len(), 6);
    // A breathing of the oxygens that obeys the operations.
    let mut new = old.clone();
    for (site, origin) in new.sites.iter_mut().zip(&reading.origins) {
        if origin.site == 1 {
            let op = reading.symmetry.operations[origin.operation];
            site.frac = op.apply(&Vector3::new(0.31, 0.31, 0.0));
        }
    }
    // Noise in the cell must not make a and b differ.
    new.lattice =
        Lattice::from_parameters([4.60001, 4.60002, 2.95], [90.0, 90.00001, 90.0]).unwrap();
    let want = RUTILE
        .replace("4.5937(1)", "4.6000")
        .replace("2.9587(1)", "2.9500")
        .replace("0.30530(10)", "0.31000");
    assert_eq!(edited(&parsed, &new), want);
}

#[test]
fn broken_symmetry_is_refused() {
    let parsed = common::cif(RUTILE);
    let reading = &parsed.readings[0];
    let mut new = structure(&parsed);
    let last = new.len() - 1;
    new.sites[last].frac.x += 0.02;
    match update(&parsed, reading, &new) {
        Err(EditError::BreaksSymmetry(far)) => assert!((far - 0.02 * 4.5937).abs() < 1e-9, "{far}"),
        other => panic!("{other:?}"),
    }
    // An atom that leaves its special position although all its images follow.
    let mut new = structure(&parsed);
    for site in &mut new.sites[..2] {
        site.frac.x += 0.02;
    }
    assert!(matches!(update(&parsed, reading, &new), Err(EditError::BreaksSymmetry(_))));
    // A cell that is no longer tetragonal.
    let mut new = structure(&parsed);
    new.lattice = Lattice::from_parameters([4.6, 4.7, 2.95], [90.0; 3]).unwrap();
    assert!(matches!(update(&parsed, reading, &new), Err(EditError::BreaksSymmetry(_))));
}

#[test]
fn other_atoms_are_refused() {
    for (language, text) in all() {
        let parsed = Parsed::new(language, text);
        let reading = &parsed.readings[0];
        let mut fewer = structure(&parsed);
        fewer.sites.pop();
        let mut other = structure(&parsed);
        other.sites[0].element = "U".parse().ok();
        let mut nowhere = structure(&parsed);
        nowhere.sites[0].frac.x = f64::NAN;
        for new in [fewer, other, nowhere] {
            assert_eq!(update(&parsed, reading, &new), Err(EditError::OtherAtoms));
            assert_eq!(update_as_p1(&parsed, reading, &new), Err(EditError::OtherAtoms));
        }
    }
}

#[test]
fn p1_lists_every_atom_and_keeps_the_rest() {
    let parsed = common::cif(RUTILE);
    let mut new = structure(&parsed);
    new.sites[5].frac.x += 0.02;
    let edits = update_as_p1(&parsed, &parsed.readings[0], &new).unwrap().edits;
    let text = apply_edits(&parsed.text, &edits);
    let got = common::cif(&text);
    assert!(got.problems.is_empty(), "{:?}\n{text}", got.problems);
    assert_eq!(got.readings[0].symmetry.operations.len(), 1);
    let (apart, cell) = difference(&structure(&got), &new);
    assert!(apart < 1e-5 && cell == 0.0, "{apart} {cell}\n{text}");
    let want = "\
_symmetry_cell_setting triclinic
_symmetry_space_group_name_H-M 'P 1'
_symmetry_Int_Tables_number 1
loop_
_symmetry_equiv_pos_site_id
_symmetry_equiv_pos_as_xyz
1 x,y,z
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_symmetry_multiplicity
_atom_site_Wyckoff_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Ti1 Ti 1 a 0.00000 0.00000 0.00000 1
Ti1_2 Ti 1 a 0.500000 0.500000 0.500000 1
O1  O  1 a 0.30530(10) 0.30530(10) 0.00000 1
";
    assert!(text.contains(want), "{text}");
    assert!(text.ends_with("Ti1 O1 1.98\n"), "{text}");
    let labels: Vec<_> = got.readings[0].sites.iter().map(|s| s.label.as_str()).collect();
    assert_eq!(labels, ["Ti1", "Ti1_2", "O1", "O1_2", "O1_3", "O1_4"]);
}

#[test]
fn p1_keeps_comments_line_ends_and_rows_that_are_no_atoms() {
    let text = "data_x\n_cell_length_a 4\n_cell_length_b 5\n_cell_length_c 6\n_space_group_IT_number 2\n\
                loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n\
                _atom_site_fract_z\n  Fe1 Fe 0.1 0.2 0.3  # iron\n  Cg Va 0 0 ?\n  'O 1' O .1 .1 .1 O2 O 0 0 0\n\
                # the end\n"
        .replace('\n', "\r\n");
    let parsed = common::cif(&text);
    let mut new = structure(&parsed);
    new.sites[1].frac.x = 0.8;
    let edits = update_as_p1(&parsed, &parsed.readings[0], &new).unwrap().edits;
    let after = apply_edits(&text, &edits);
    let want = text.replace("number 2", "number 1").replace(
        "# iron\r\n  Cg Va 0 0 ?\r\n  'O 1' O .1 .1 .1 O2",
        "# iron\r\n  Fe1_2 Fe 0.800000 0.800000 0.700000\r\n  Cg Va 0 0 ?\r\n  'O 1' O .1 .1 .1\r\n  \
         'O 1_2' O 0.900000 0.900000 0.900000 O2",
    );
    assert_eq!(after, want);
    assert!(difference(&structure(&common::cif(&after)), &new).0 < 1e-5);
}

#[test]
fn p1_of_an_atom_given_by_single_items_is_a_loop() {
    let text = "data_x\n_cell_length_a 4\n_cell_length_b 5\n_cell_length_c 6\nloop_\n_symmetry_equiv_pos_as_xyz\n\
                '-x,-y,-z'\n'x,y,z'\n_atom_site_label Fe1\n_atom_site_fract_x 0.1\n_atom_site_fract_y 0.2\n\
                _atom_site_fract_z 0.3\n_cell_formula_units_Z 2\n";
    let parsed = common::cif(text);
    let mut new = structure(&parsed);
    new.sites[1].frac.x = 0.7;
    let edits = update_as_p1(&parsed, &parsed.readings[0], &new).unwrap().edits;
    let got = common::cif(&apply_edits(text, &edits));
    assert!(got.problems.is_empty(), "{:?}\n{}", got.problems, got.text);
    assert!(difference(&structure(&got), &new).0 < 1e-5, "{}", got.text);
    assert!(got.text.contains("_as_xyz\n'x,y,z'\n"), "{}", got.text);
}

#[test]
fn cartesian_coordinates_of_a_cif_follow() {
    let text = "data_x\n_cell.length_a 10\n_cell.length_b 12\n_cell.length_c 14\n_cell.angle_alpha 80\n\
                _cell.angle_beta 95\n_cell.angle_gamma 110\nloop_\n_atom_site.id\n_atom_site.type_symbol\n\
                _atom_site.label_atom_id\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n_atom_site.Cartn_z\n\
                1 C CA 1.234 5.678 9.012\n2 N N -1.000 0.000 3.500\n";
    let parsed = common::cif(text);
    let old = structure(&parsed);
    let mut new = old.clone();
    new.lattice = Lattice::from_parameters([10.5, 12.0, 14.0], [81.0, 95.0, 110.0]).unwrap();
    new.sites[1].frac.y += 0.1;
    let got = common::cif(&edited(&parsed, &new));
    let (apart, cell) = difference(&structure(&got), &new);
    assert!(apart < 2e-3 && cell < 1e-9, "{apart} {cell}\n{}", got.text);
}

/// A strain and a displacement of every atom.
fn changes() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    (prop::collection::vec(-0.02..0.02f64, 9), prop::collection::vec(-0.5..0.5f64, 18))
}

/// The structure after a change; `cell` says whether the lattice takes part.
fn changed(old: &Structure, strain: &[f64], shifts: &[f64], cell: bool) -> Structure {
    let mut new = old.clone();
    if cell {
        let strain = Matrix3::identity() + Matrix3::from_row_slice(strain);
        new.lattice = Lattice::from_rows(old.lattice.matrix() * strain).unwrap();
    }
    for (site, shift) in new.sites.iter_mut().zip(shifts.chunks(3)) {
        site.frac += Vector3::from_column_slice(shift);
    }
    new
}

/// The words of a text by line, numbers replaced by `#`.
fn skeleton(text: &str) -> Vec<Vec<String>> {
    let word = |w: &str| {
        let numeric = w.bytes().all(|b| b.is_ascii_digit() || b"+-.()eED".contains(&b));
        if numeric { "#".to_owned() } else { w.to_owned() }
    };
    text.lines().map(|l| l.split_whitespace().map(word).collect()).collect()
}

proptest! {
    /// To the digits that are written: four decimals of fractions in cells of up to 13 Å, 10⁻⁴ Å and degrees.
    #[test]
    fn edited_text_reads_as_the_new_structure((strain, shifts) in changes(), cell: bool, crlf: bool) {
        for (language, text) in all() {
            if text == RUTILE {
                continue;
            }
            let text = if crlf { text.replace('\n', "\r\n") } else { text.to_owned() };
            let parsed = Parsed::new(language, &text);
            let new = changed(&structure(&parsed), &strain, &shifts, cell);
            let after = edited(&parsed, &new);
            let got = Parsed::new(language, &after);
            let (apart, parameters) = difference(&structure(&got), &new);
            prop_assert!(apart < 1.5e-3, "{apart}\n{after}");
            prop_assert!(parameters < 1e-4, "{parameters}\n{after}");
            prop_assert_eq!(skeleton(&after), skeleton(&text));
            prop_assert_eq!(after.matches("\r\n").count(), text.matches("\r\n").count());
        }
    }

    /// Whatever obeys the operations goes into the rows.
    #[test]
    fn a_symmetric_change_reads_as_the_new_structure(u in 0.27..0.34f64, a in 4.4..4.8f64, c in 2.8..3.1f64) {
        let parsed = common::cif(RUTILE);
        let reading = &parsed.readings[0];
        let mut new = structure(&parsed);
        new.lattice = Lattice::from_parameters([a, a, c], [90.0; 3]).unwrap();
        for (site, origin) in new.sites.iter_mut().zip(&reading.origins) {
            if origin.site == 1 {
                site.frac = reading.symmetry.operations[origin.operation].apply(&Vector3::new(u, u, 0.0));
            }
        }
        let after = edited(&parsed, &new);
        let (apart, parameters) = difference(&structure(&common::cif(&after)), &new);
        prop_assert!(apart < 1e-4, "{apart}\n{after}");
        prop_assert!(parameters <= 5e-5 + 1e-12, "{parameters}\n{after}");
        prop_assert_eq!(skeleton(&after), skeleton(RUTILE));
    }

    #[test]
    fn p1_reads_as_the_new_structure((strain, shifts) in changes(), cell: bool) {
        for text in [TRICLINIC, RUTILE] {
            let parsed = common::cif(text);
            let new = changed(&structure(&parsed), &strain, &shifts, cell);
            let edits = update_as_p1(&parsed, &parsed.readings[0], &new).unwrap().edits;
            let after = apply_edits(text, &edits);
            let got = common::cif(&after);
            let (apart, parameters) = difference(&structure(&got), &new);
            prop_assert!(got.problems.is_empty());
            prop_assert!(apart < 1.5e-3, "{apart}\n{after}");
            prop_assert!(parameters < 1e-4, "{parameters}\n{after}");
        }
    }
}

#[test]
fn operations_in_the_loop_of_the_atoms_are_left_to_the_author() {
    let source = "data_x\n_cell_length_a 4\n_cell_length_b 5\n_cell_length_c 6\n_cell_angle_alpha 90\n\
                  _cell_angle_beta 90\n_cell_angle_gamma 90\nloop_\n_space_group_symop_operation_xyz\n\
                  _atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n\
                  x,y,z Fe1 0.1 0.2 0.3\n-x,-y,-z Fe2 0.4 0.1 0.3\n";
    let parsed = Parsed::new(Language::Cif, source);
    let reading = &parsed.readings[0];
    let structure = reading.structure.clone().expect("it has atoms");
    assert_eq!(update_as_p1(&parsed, reading, &structure), Err(EditError::OneLoop));
}

/// The symbol goes with the row it stands in.
#[test]
fn a_symbol_among_the_operations_is_in_nobodys_way() {
    let source = "data_x\n_cell_length_a 4\n_cell_length_b 5\n_cell_length_c 6\n_cell_angle_alpha 90\n\
                  _cell_angle_beta 90\n_cell_angle_gamma 90\nloop_\n_space_group_symop_operation_xyz\n\
                  _space_group_name_H-M_alt\n-x,-y,-z 'P -1'\nx,y,z 'P -1'\nloop_\n_atom_site_label\n\
                  _atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nFe1 0.1 0.2 0.3\n";
    let parsed = Parsed::new(Language::Cif, source);
    let reading = &parsed.readings[0];
    let structure = reading.structure.clone().expect("it has atoms");
    let after =
        apply_edits(source, &update_as_p1(&parsed, reading, &structure).expect("it can be").edits);
    assert!(after.contains("_space_group_name_H-M_alt\nx,y,z 'P 1'\nloop_"), "{after}");
    let again = Parsed::new(Language::Cif, &after);
    assert_eq!(again.readings[0].structure.as_ref().map(Structure::len), Some(2));
}

/// The last number of a row may grow where blanks follow it.
#[test]
fn blanks_behind_a_row_of_displacements_stay_there() {
    let source = "data_x\n_cell_length_a 4\n_cell_length_b 5\n_cell_length_c 6\n_cell_angle_alpha 90\n\
                  _cell_angle_beta 90\n_cell_angle_gamma 90\n_space_group_name_H-M_alt 'P -1'\nloop_\n\
                  _atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n\
                  Fe1 0.1 0.2 0.3\nloop_\n_atom_site_aniso_label\n_atom_site_aniso_U_11\n\
                  _atom_site_aniso_U_22\n_atom_site_aniso_U_33\n_atom_site_aniso_U_12\n\
                  _atom_site_aniso_U_13\n_atom_site_aniso_U_23\nFe1 .01 .01 .01 0 0 0    \n";
    let parsed = Parsed::new(Language::Cif, source);
    let reading = &parsed.readings[0];
    let structure = reading.structure.clone().expect("it has atoms");
    let after =
        apply_edits(source, &update_as_p1(&parsed, reading, &structure).expect("it can be").edits);
    let rows: Vec<_> = after.lines().filter(|l| l.starts_with("Fe1") && l.contains("01")).collect();
    assert_eq!(rows.len(), 2, "{after}");
}
