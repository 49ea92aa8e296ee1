use super::*;
use crate::Language;

fn lines(language: Language, text: &str) -> Vec<CompositionLine> {
    composition_lines(&Parsed::new(language, text))
}

/// The only line of a file, as text.
fn only(language: Language, text: &str) -> String {
    let lines = lines(language, text);
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    match &line.wanted {
        Ok(wanted) => {
            let counts: Vec<String> =
                wanted.composition.iter().map(|(e, n)| format!("{e}{n}")).collect();
            let Wanted { units, space_group, answers, .. } = wanted;
            format!(
                "{} {units:?} {space_group:?} {answers:?} {:?} {}",
                counts.join(" "),
                line.target,
                line.span.text(text)
            )
        }
        Err(complaint) => format!("{}: {}", complaint.span.text(text), complaint.message),
    }
}

fn cif(text: &str) -> String {
    only(Language::Cif, text)
}

fn poscar(text: &str) -> String {
    only(Language::Poscar, text)
}

#[test]
fn a_formula_without_atoms_asks_for_them() {
    assert_eq!(
        cif("data_lfp\n_chemical_formula_sum 'Li Fe P O4'\n_cell_formula_units_Z 4\n"),
        "Li1 Fe1 P1 O4 Some(4) None None Block(0) 'Li Fe P O4'"
    );
    assert_eq!(
        cif("data_a\n_chemical_formula_sum NaCl\n_space_group_name_H-M_alt 'F m -3 m'\n"),
        "Na1 Cl1 None Some(225) None Block(0) NaCl"
    );
    let atoms = "data_a\n_chemical_formula_sum NaCl\nloop_ _atom_site_label Na1 Cl1\n";
    assert_eq!(lines(Language::Cif, atoms), []);
    assert_eq!(lines(Language::Cif, "data_a\n_chemical_formula_sum ?\n"), []);
    assert_eq!(
        cif("data_a\n_chemical_formula_sum 'Na0.5 Cl'\n"),
        "'Na0.5 Cl': Na has the count 0.5: a structure has whole atoms, so multiply the formula until every count is whole"
    );
    assert_eq!(
        cif("data_a\n_chemical_formula_sum NaQ\n"),
        "NaQ: 'Q' is no element from H to Lr at character 3"
    );
}

#[test]
fn a_comment_asks_for_a_crystal() {
    assert_eq!(
        cif("# predict: Li Fe P O4, Z=4\n"),
        "Li1 Fe1 P1 O4 Some(4) None None NewBlock(26) # predict: Li Fe P O4, Z=4"
    );
    assert_eq!(
        cif("data_a\n#PREDICT:TiO2 n=7, spacegroup = 'P 42/m n m'\n"),
        "Ti1 O2 None Some(136) Some(7) Block(0) #PREDICT:TiO2 n=7, spacegroup = 'P 42/m n m'"
    );
    assert_eq!(
        poscar("# predict: Na Cl; Z = 4, sg=225\n\n"),
        "Na1 Cl1 Some(4) Some(225) None File # predict: Na Cl; Z = 4, sg=225"
    );
    assert_eq!(lines(Language::Cif, "# this does not predict anything: NaCl\n"), []);
}

#[test]
fn what_is_wrong_in_a_comment_is_told_at_its_place() {
    for (text, expected) in [
        (
            "# predict: NaQ2",
            "Q: 'Q' is no element from H to Lr; write, for example, `Li Fe P O4, Z=4`",
        ),
        ("# predict:", ": a formula is missing; write, for example, `Li Fe P O4, Z=4`"),
        (
            "# predict: NaCl Z=many",
            "many: Z is the number of formula units in the cell, so 'many' cannot be one",
        ),
        (
            "# predict: NaCl Z=0",
            "0: Z is the number of formula units in the cell, so '0' cannot be one",
        ),
        (
            "# predict: NaCl sg=231",
            "231: '231' is no space group: give a number from 1 to 230 or a symbol such as Pnma",
        ),
        ("# predict: NaCl colour=red", "red: 'colour' is no option; there are Z, spacegroup and n"),
        (
            "# predict: NaCl Z=4 KCl",
            "KCl: 'KCl' is not understood; options look like `Z=4`, and the formula comes first",
        ),
        ("# predict: NaCl n=0", "0: n is the number of answers, from 1 to 1000, not '0'"),
    ] {
        assert_eq!(cif(&format!("{text}\n")), expected, "{text}");
    }
}

#[test]
fn an_answered_comment_asks_no_more() {
    let salt = "data_salt\n_cell_length_a 4\n_cell_length_b 4\n_cell_length_c 4\n_cell_angle_alpha 90\n\
                _cell_angle_beta 90\n_cell_angle_gamma 90\nloop_\n_atom_site_label\n_atom_site_fract_x\n\
                _atom_site_fract_y\n_atom_site_fract_z\nNa1 0 0 0\nCl1 .5 .5 .5\n";
    assert_eq!(lines(Language::Cif, &format!("# predict: NaCl\n{salt}")), []);
    // Other formula, other Z: the request stands, and the block is full.
    let end = salt.trim_end().len() + "# predict: NaCl Z=2\n".len();
    assert!(
        cif(&format!("{salt}# predict: NaCl Z=2\n"))
            .contains(&format!("NewBlock({})", end - 1 + 1))
    );
    assert!(cif(&format!("# predict: KCl\n{salt}")).contains("NewBlock(14)"));
}

#[test]
fn species_and_counts_of_a_poscar_ask_for_positions() {
    let head = "LiFePO4\n1.0\n 10 0 0\n 0 6 0\n 0 0 5\n";
    let counts = "Li Fe_pv P O\n4 4 4 16\n";
    assert_eq!(
        poscar(&format!("{head}{counts}")),
        "Li1 Fe1 P1 O4 Some(4) None None Counts 4 4 4 16"
    );
    assert_eq!(
        poscar(&format!("{head}{counts}Direct\n")),
        "Li1 Fe1 P1 O4 Some(4) None None Counts 4 4 4 16"
    );
    assert_eq!(lines(Language::Poscar, &format!("{head}Na\n1\nDirect\n0 0 0\n")), []);
    assert_eq!(lines(Language::Poscar, &format!("{head}Na\n1\nSelective\nDirect\n")), []);
    assert!(poscar(&format!("{head}Na Cl Na\n1 4 3\n")).starts_with("Na1 Cl1 Some(4) "));
    assert_eq!(poscar(&format!("{head}Na Qq\n1 1\n")), "Qq: 'Qq' is no element");
    assert_eq!(poscar(&format!("{head}Na Cl\n1 0\n")), "0: Cl has the count 0");
}
