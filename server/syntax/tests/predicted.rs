//! Predicted structures in the text that asked for them.

use cellwright_crystal::matching::Matcher;
use cellwright_crystal::{Element, Lattice, Site, Structure};
use cellwright_syntax::edit::{EditError, fill};
use cellwright_syntax::text::apply_edits;
use cellwright_syntax::{Language, Parsed, composition_lines};
use nalgebra::Vector3;

/// Where the structure comes from, as the editor says it.
const ORIGIN: &str = "predicted by Cellwright 0.1.0 from KCl (mp-23193),\n chance 62 %";
const LINE: &str = "predicted by Cellwright 0.1.0 from KCl (mp-23193), chance 62 %";

fn site(symbol: &str, frac: [f64; 3]) -> Site {
    Site::new(Element::from_symbol(symbol).unwrap(), Vector3::from(frac))
}

/// Rock salt, sites in an order that no file has.
fn salt() -> Structure {
    let corners = [[0.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]];
    let mixed = corners.iter().flat_map(|c| [site("Cl", [c[0] + 0.5, c[1], c[2]]), site("Na", *c)]);
    let lattice = Lattice::from_parameters([5.64; 3], [90.0; 3]).unwrap();
    Structure { lattice, sites: mixed.collect() }
}

/// The text after the prediction, which must hold the crystal and ask no more.
fn filled(language: Language, text: &str) -> String {
    let parsed = Parsed::new(language, text);
    let lines = composition_lines(&parsed);
    let edits = fill(&parsed, &lines[0], &salt(), 0.01, ORIGIN).unwrap();
    let new = apply_edits(text, &edits);
    let again = Parsed::new(language, &new);
    assert!(again.problems.is_empty(), "{:?} in {new}", again.problems);
    let structure = again.readings.iter().find_map(|r| r.structure.as_ref());
    let structure = structure.unwrap_or_else(|| panic!("no structure in {new}"));
    let matcher = Matcher::default();
    let (a, b) = (matcher.prepare(structure).unwrap(), matcher.prepare(&salt()).unwrap());
    assert!(matcher.rms(&a, &b).unwrap().rms < 1e-6, "{new}");
    assert_eq!(composition_lines(&again), [], "{new}");
    new
}

#[test]
fn a_block_gets_cell_symmetry_and_asymmetric_unit_and_keeps_the_rest() {
    let text = "# mine\ndata_salt # salt\n_cell_length_a 5 # guess\n_chemical_formula_sum 'Cl Na'\n\
                _publ_section_comment\n;\nsome text\n;\n# about b\ndata_b\n_cell_length_a 3\n";
    let new = filled(Language::Cif, text);
    assert!(
        new.starts_with("# mine\ndata_salt # salt\n # guess\n_chemical_formula_sum 'Cl Na'\n"),
        "{new}"
    );
    assert!(
        new.contains(";\nsome text\n;\n") && new.ends_with("# about b\ndata_b\n_cell_length_a 3\n"),
        "{new}"
    );
    assert_eq!(new.matches("_chemical_formula_sum").count(), 1, "{new}");
    assert!(new.contains("'F m -3 m'") && new.contains("_cell_formula_units_Z         4"), "{new}");
    let parsed = Parsed::new(Language::Cif, &new);
    assert_eq!(parsed.readings[0].sites.len(), 2, "{new}");
}

#[test]
fn what_the_block_said_of_cell_and_symmetry_is_replaced() {
    let text = "data_salt\r\n_chemical_formula_sum NaCl\r\n_symmetry_Int_Tables_number 225\r\nloop_\r\n\
                _symmetry_equiv_pos_as_xyz\r\nx,y,z\r\n";
    let new = filled(Language::Cif, text);
    assert!(!new.contains("_symmetry_"), "{new}");
    assert_eq!(new.matches('\n').count(), new.matches("\r\n").count(), "{new:?}");
}

#[test]
fn a_comment_gets_a_block_of_its_own_or_the_one_it_stands_in() {
    let new = filled(Language::Cif, "# predict: Na Cl, Z=4");
    let head = format!("# predict: Na Cl, Z=4\n\ndata_NaCl\n# {LINE}\n_");
    assert!(new.starts_with(&head), "{new}");
    let new = filled(Language::Cif, "data_mine\n# predict: NaCl\n\n");
    let head = format!("data_mine\n# predict: NaCl\n# {LINE}\n_chemical_formula_sum");
    assert!(new.starts_with(&head), "{new}");
    assert_eq!(new.matches("data_").count(), 1, "{new}");
}

#[test]
fn the_cell_is_written_as_it_is_where_the_conventional_one_has_another_z() {
    // The primitive cell of rock salt, asked for as such.
    let rows = nalgebra::Matrix3::new(0.0, 0.5, 0.5, 0.5, 0.0, 0.5, 0.5, 0.5, 0.0) * 5.64;
    let sites = vec![site("Na", [0.0; 3]), site("Cl", [0.5; 3])];
    let primitive = Structure { lattice: Lattice::from_rows(rows).unwrap(), sites };
    let atoms = |text: &str| {
        let parsed = Parsed::new(Language::Cif, text);
        let edits = fill(&parsed, &composition_lines(&parsed)[0], &primitive, 0.01, "").unwrap();
        let again = Parsed::new(Language::Cif, &apply_edits(text, &edits));
        assert_eq!(composition_lines(&again), []);
        again.readings[0].structure.as_ref().unwrap().len()
    };
    assert_eq!(atoms("# predict: NaCl, Z=1"), 2);
    assert_eq!(atoms("# predict: NaCl"), 8);
}

#[test]
fn a_poscar_keeps_its_species_and_counts() {
    let head = "my salt\n2.0\n 1 0 0\n 0 1 0\n 0 0 1\n";
    let new = filled(Language::Poscar, &format!("{head}Na_pv Cl Na\n  1 4 3\n\n"));
    assert!(
        new.starts_with(&format!("my salt ! {LINE}\n1.0\n"))
            && new.contains("\nNa_pv Cl Na\n  1 4 3\nDirect\n"),
        "{new}"
    );
    let new = filled(Language::Poscar, "# predict: NaCl Z=4\n");
    assert!(new.starts_with(&format!("# predict: NaCl Z=4 ! {LINE}\n1.0\n")), "{new}");
    // Who takes the atoms away again asks anew.
    let first = new.lines().next().unwrap();
    let again = Parsed::new(Language::Poscar, first);
    assert!(composition_lines(&again)[0].wanted.is_ok(), "{first}");
    let other = Parsed::new(Language::Poscar, &format!("{head}Na Cl\n1 1\n"));
    let line = &composition_lines(&other)[0];
    assert_eq!(fill(&other, line, &salt(), 0.01, ORIGIN), Err(EditError::OtherAtoms));
}
