//! What edits do to the parts of a file that depend on the atoms, and what they say about the rest.

mod common;

use cellwright_syntax::edit::{Update, update, update_as_p1};
use cellwright_syntax::text::apply_edits;
use cellwright_syntax::{Language, Parsed};

/// A threefold axis, an atom beside it with displacements, and what a refinement lists.
fn trigonal(displacements: &str) -> String {
    format!(
        "data_x\n_cell_length_a 5\n_cell_length_b 5\n_cell_length_c 7\n_cell_angle_gamma 120\n\
         _space_group_name_H-M_alt 'P 3'\nloop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n\
         _atom_site_fract_y\n_atom_site_fract_z\nFe1 Fe 0.1 0.2 0.3\nloop_\n_atom_site_aniso_label\n\
         _atom_site_aniso_U_11\n_atom_site_aniso_U_22\n_atom_site_aniso_U_33\n_atom_site_aniso_U_12\n\
         _atom_site_aniso_U_13\n_atom_site_aniso_U_23\nFe1 {displacements}\n# the end\n"
    )
}

/// The text in P 1, with an atom moved, and the notes.
fn as_p1(text: &str) -> (String, Vec<String>) {
    let parsed = Parsed::new(Language::Cif, text);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    let mut new = parsed.readings[0].structure.clone().unwrap();
    new.sites[0].frac.x += 0.01;
    let Update { edits, notes } = update_as_p1(&parsed, &parsed.readings[0], &new).unwrap();
    let after = apply_edits(text, &edits);
    assert!(common::cif(&after).problems.is_empty(), "{after}");
    (after, notes)
}

#[test]
fn displacements_are_turned_with_their_atoms() {
    // A sphere, which looks the same from all sides; in hexagonal axes its U_12 is half its U_11.
    let (text, notes) = as_p1(&trigonal("0.0100 0.0100 0.0100 0.0050 0 0"));
    let sphere = "0.0100 0.0100 0.0100 0.0050 0.0000 0.0000";
    let copies = format!("\nFe1_2 {sphere}\nFe1_3 {sphere}\n# the end\n");
    assert!(text.ends_with(&copies), "{text}");
    assert_eq!(notes, Vec::<String>::new());
    // x' = -y, y' = x - y: what was along b is along -a - b then; by hand from U' = W U W^T, as a* = b*.
    let (text, _) = as_p1(&trigonal("0.0200 0.0100 0.0300 0.0040(2) 0.0010 0.0020"));
    assert!(text.contains("\nFe1_2 0.0100 0.0220 0.0300 0.0060    -0.0020 -0.0010\n"), "{text}");
}

#[test]
fn displacements_in_the_row_of_the_atom_are_turned_too() {
    let text = "data_x\n_cell_length_a 4\n_cell_length_b 4\n_cell_length_c 6\nloop_\n_symmetry_equiv_pos_as_xyz\n\
                x,y,z\n-y,x,z+1/2\n-x,-y,z\ny,-x,z+1/2\nloop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n\
                _atom_site_fract_z\n_atom_site_aniso_B_11\n_atom_site_aniso_B_22\n_atom_site_aniso_B_33\n\
                _atom_site_aniso_B_12\n_atom_site_aniso_B_13\n_atom_site_aniso_B_23\nFe1 .1 .2 .3 .5 .6 .7 .1 .2 .3\n";
    let (after, _) = as_p1(text);
    assert!(after.contains("0.6000 0.5000 0.7000 -0.1000 -0.3000 0.2000\n"), "{after}");
}

#[test]
fn displacements_that_cannot_be_turned_are_told() {
    let (text, notes) = as_p1(&trigonal("0.0200 ? 0.0300 0.0040(2) 0.0010 0.0020"));
    assert!(text.ends_with("0.0020\n# the end\n") && !text.contains("Fe1_2 0.02"), "{text}");
    assert_eq!(notes.len(), 1);
    assert!(notes[0].contains("displacements of 2 new atoms are not given"), "{notes:?}");
}

#[test]
fn what_stays_from_before_is_told() {
    let more = "loop_\n_geom_bond_atom_site_label_1\n_geom_bond_distance\nFe1 2\n_geom_angle 100\nloop_\n\
                _atom_site_moment_label\n_atom_site_moment_crystalaxis_x\nFe1 2.1\n";
    let text = trigonal("0.01 0.01 0.01 0.005 0 0") + more;
    let (after, notes) = as_p1(&text);
    assert!(after.ends_with(more), "nothing is lost");
    let moments = "_atom_site_moment has no rows for the 2 new atoms: add their moments";
    let geometry =
        "the distances and angles that the file lists (_geom_…) are still those from before";
    assert_eq!(notes, [moments, geometry]);
    // With the symmetry kept no atom is new.
    let parsed = Parsed::new(Language::Cif, &text);
    let reading = &parsed.readings[0];
    let mut new = reading.structure.clone().unwrap();
    new.sites.iter_mut().for_each(|site| site.frac.z += 0.01);
    assert_eq!(update(&parsed, reading, &new).unwrap().notes, [geometry]);

    let poscar = "c\n1\n4 0 0\n0 4 0\n0 0 4\nH\n1\nDirect\n0 0 0\n\n0.1 0 0\n";
    let parsed = Parsed::new(Language::Poscar, poscar);
    let reading = &parsed.readings[0];
    let mut new = reading.structure.clone().unwrap();
    assert_eq!(update(&parsed, reading, &new).unwrap(), Update::default(), "nothing changes");
    new.sites[0].frac.x = 0.1;
    let Update { notes, .. } = update(&parsed, reading, &new).unwrap();
    assert_eq!(notes, ["the velocities behind the atoms are still those from before"]);
}
