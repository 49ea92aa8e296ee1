//! Naming masked sites changes the symbol and nothing else, whatever says that a site is masked.

mod common;

use cellwright_crystal::Element;
use cellwright_syntax::Parsed;
use cellwright_syntax::edit::{EditError, SiteGroup, name_sites, site_groups};
use cellwright_syntax::text::apply_edits;
use common::{cif, poscar};

const HEAD: &str = "\
data_x
_cell_length_a 4
_cell_length_b 4
_cell_length_c 4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
";

fn element(symbol: &str) -> Element {
    symbol.parse().unwrap()
}

fn groups(parsed: &Parsed) -> Vec<SiteGroup> {
    site_groups(parsed, &parsed.readings[0])
}

/// The text after the open groups got these elements; that it can be read again with them is checked here.
fn named(parsed: &Parsed, symbols: &[&str]) -> String {
    let groups = groups(parsed);
    let open: Vec<_> = groups.iter().filter(|g| g.open).collect();
    assert_eq!(open.len(), symbols.len(), "{groups:?}");
    let pairs: Vec<_> = open.into_iter().zip(symbols.iter().map(|s| element(s))).collect();
    let edits = name_sites(parsed, &parsed.readings[0], &pairs).unwrap();
    let text = apply_edits(&parsed.text, &edits);
    let again = Parsed::new(parsed.language(), &text);
    for (group, element) in pairs {
        for row in &group.rows {
            assert_eq!(again.readings[0].sites[*row].element, Some(element), "{text}");
        }
    }
    text
}

#[test]
fn a_symbol_is_replaced_and_the_label_stays() {
    let rows = "\
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Ti1 Ti   0.0 0.0 0.0 # titanium
X1  ?    0.5 0.5 0.0
O2  'X'  0.5 0.0 0.5
O3  .    0.0 0.5 0.5
?4  .    0.5 0.5 0.5
";
    let parsed = cif(&format!("{HEAD}{rows}"));
    let found: Vec<_> = groups(&parsed).into_iter().map(|g| (g.name, g.open)).collect();
    let want = [("Ti1", false), ("X1", true), ("O2", true), ("O3", false), ("?4", true)];
    assert_eq!(found, want.map(|(name, open)| (name.to_owned(), open)));
    let text = named(&parsed, &["O", "O", "Ba"]);
    let wanted = rows
        .replace("X1  ?    0.5", "X1  O    0.5")
        .replace("'X'  0.5", "O    0.5")
        .replace("?4  .    0.5", "?4  Ba   0.5");
    assert_eq!(text, format!("{HEAD}{wanted}"));
}

#[test]
fn a_label_without_a_symbol_is_renamed_wherever_it_stands() {
    let rows = "\
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Ti1 0.0 0.0 0.0
O1 0.5 0.5 0.0
X1 0.5 0.0 0.5
loop_
_atom_site_aniso_label
_atom_site_aniso_U_11
X1 0.01
O1 0.01
loop_
_geom_bond_atom_site_label_1
_geom_bond_atom_site_label_2
_geom_bond_distance
Ti1 X1 2.0
";
    let parsed = cif(&format!("{HEAD}{rows}"));
    assert_eq!(named(&parsed, &["F"]), format!("{HEAD}{}", rows.replace("X1", "F1")));
    assert_eq!(named(&parsed, &["O"]), format!("{HEAD}{}", rows.replace("X1", "O1A")));
}

#[test]
fn any_row_can_take_another_element() {
    let rows = "\
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Ti1 Ti4+ 0.0 0.0 0.0
O1  O2-  0.5 0.5 0.0
";
    let parsed = cif(&format!("{HEAD}{rows}"));
    let groups = groups(&parsed);
    let edits = name_sites(&parsed, &parsed.readings[0], &[(&groups[0], element("Zr"))]).unwrap();
    let text = apply_edits(&parsed.text, &edits);
    assert_eq!(text, format!("{HEAD}{}", rows.replace("Ti4+ 0.0", "Zr   0.0")));
}

#[test]
fn all_atoms_of_one_row_are_one_group() {
    let symmetric = HEAD.replace("loop_", "_space_group_name_H-M_alt 'P m -3 m'\nloop_");
    let rows = "_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n\
                Sr1 Sr .5 .5 .5\nTi1 Ti 0 0 0\nX1 ? .5 0 0\n";
    let parsed = cif(&format!("{symmetric}{rows}"));
    let found = groups(&parsed);
    assert_eq!(found[2].atoms(&parsed.readings[0]), [2, 3, 4]);
}

#[test]
fn a_poscar_names_its_groups_on_line_six() {
    let text = "x\n1\n4 0 0\n0 4 0\n0 0 4\nCs  X   ?\n1   2   1\nDirect\n\
                0 0 0\n.5 .5 .5 X\n.5 0 .5   X1\n.5 .5 0\n";
    let parsed = poscar(text);
    let found = groups(&parsed);
    let names: Vec<_> = found.iter().map(|g| g.name.as_str()).collect();
    assert_eq!(names, ["Cs", "X (2 atoms)", "?"]);
    assert_eq!(
        (found[1].rows.as_slice(), found[2].atoms(&parsed.readings[0])),
        (&[1, 2][..], vec![3])
    );
    let wanted = text.replace("Cs  X   ?", "Cs  Cl  O").replace(".5 .5 .5 X\n", ".5 .5 .5 Cl\n");
    assert_eq!(named(&parsed, &["Cl", "O"]), wanted);
}

#[test]
fn a_poscar_without_names_gets_the_line() {
    let text = "a test\r\n1\r\n4 0 0\r\n0 4 0\r\n0 0 4\r\n 1 1\r\nDirect\r\n0 0 0\r\n.5 .5 .5\r\n";
    let parsed = poscar(text);
    let wanted = text.replace(" 1 1\r\n", " Cs Cl\r\n 1 1\r\n");
    assert_eq!(named(&parsed, &["Cs", "Cl"]), wanted);
    let first = &groups(&parsed)[0];
    let edits = name_sites(&parsed, &parsed.readings[0], &[(first, element("Cs"))]).unwrap();
    let text = apply_edits(&parsed.text, &edits);
    assert!(text.contains("\r\n Cs X\r\n 1 1\r\n"), "{text}");
    assert!(poscar(&text).readings[0].sites[1].masked);
}

#[test]
fn where_nothing_names_a_site_there_is_no_place() {
    let text = HEAD.replace(
        "_atom_site_label\n",
        "_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n0 0 0\n",
    );
    let parsed = cif(&text);
    let groups = groups(&parsed);
    let result = name_sites(&parsed, &parsed.readings[0], &[(&groups[0], element("O"))]);
    assert_eq!(result, Err(EditError::NoSpecies));
}
