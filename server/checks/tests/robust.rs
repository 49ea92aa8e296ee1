//! Whatever the text, checking it ends, does not panic, and every place and every edit lies in the text.

use cellwright_checks::{Finding, Severity, Tolerances, check};
use cellwright_syntax::text::apply_edits;
use cellwright_syntax::{Language, Parsed};
use proptest::prelude::*;

const CIF: &str = "data_x
_chemical_formula_sum 'Mg2 O4 Si'
_cell_formula_units_Z 4
_cell_length_a 4.75
_cell_length_b 10.19(2)
_cell_length_c 5.98
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_cell_volume 289.4
_space_group_name_H-M_alt 'P b n m'
_space_group_IT_number 62
loop_
_space_group_symop_operation_xyz
'x,y,z'
'-x,-y,z+1/2'
'-x+1/2,y+1/2,-z+1/2'
'x+1/2,-y+1/2,-z'
'-x,-y,-z'
'x,y,-z+1/2'
'x+1/2,-y+1/2,z+1/2'
'-x+1/2,y+1/2,z'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
_atom_site_disorder_group
Mg1 Mg2+ 0 0 0 0.9 .
Fe1 Fe2+ 0 0 0 0.1 .
Mg2 Mg2+ 0.9915 0.2774 0.25 1 .
Si1 Si4+ 0.4262 0.0940 0.25 1 1
O1 O2- 0.7657 0.0913 0.25 1 1
O2 O2- 0.2215 0.4474 0.25 1 -1
O3 O2- 0.2777 0.1628 0.0331(4) 1 .
";

const POSCAR: &str = "olivine
1.0
4.75 0 0
0 10.19 0
0 0 5.98D0
Mg Si O
2 1 4
Selective dynamics
Direct
0 0 0 T T T
0.9915 0.2774 0.25 T T F
0.4262 0.0940 0.25 T T T
0.7657 0.0913 0.25 T T T
0.2215 0.4474 0.25 F F F
0.2777 0.1628 0.0331 T T T O
0.2777 0.1628 0.4669 T T T O
";

/// What is put in the place of a word.
const WORDS: [&str; 30] = [
    "",
    "0",
    "-1",
    "1e308",
    "-1e308",
    "1e-308",
    "NaN",
    "inf",
    "?",
    ".",
    "'",
    "\"",
    ";",
    "\n;\n",
    "loop_",
    "data_",
    "_cell_length_a",
    "#",
    "90",
    "180",
    "1/3",
    "x,y,z",
    "-x,-y,-z",
    "O",
    "Xx",
    "é",
    "\u{feff}",
    "99999999999999999999",
    "\r",
    "4294967295",
];

fn check_text(language: Language, text: &str) -> Vec<Finding> {
    let findings = check(&Parsed::new(language, text), &Tolerances::default());
    for finding in &findings {
        let places = std::iter::once(finding.span).chain(finding.related.iter().map(|r| r.span));
        for span in places {
            assert!(text.get(span.start..span.end).is_some(), "{finding:?} in {text:?}");
        }
        assert!(!finding.message.is_empty());
        for fix in &finding.fixes {
            let applied = apply_edits(text, &fix.edits);
            assert_ne!(applied, text, "{finding:?}");
        }
    }
    assert!(findings.windows(2).all(|w| w[0].span.start <= w[1].span.start));
    findings
}

fn source() -> impl Strategy<Value = (Language, &'static str)> {
    prop_oneof![Just((Language::Cif, CIF)), Just((Language::Poscar, POSCAR))]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_text_can_be_checked(text in "\\PC*", cif in any::<bool>()) {
        check_text(if cif { Language::Cif } else { Language::Poscar }, &text);
    }

    #[test]
    fn a_cut_file_can_be_checked((language, text) in source(), at in 0.0..1.0_f64) {
        let at = (at * text.len() as f64) as usize;
        check_text(language, &text[..at]);
        check_text(language, &text[at..]);
    }

    #[test]
    fn words_may_be_anything(
        (language, text) in source(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..WORDS.len()), 1..5),
    ) {
        let mut words: Vec<&str> = text.split_inclusive([' ', '\n']).collect();
        for (place, word) in changes {
            let place = place.index(words.len());
            words[place] = WORDS[word];
            words.insert(place + 1, " ");
        }
        check_text(language, &words.concat());
    }
}

#[test]
fn the_files_that_are_broken_here_are_whole() {
    let found = |language, text| {
        let findings = check_text(language, text);
        let bad = findings.into_iter().filter(|f| f.severity <= Severity::Warning);
        bad.map(|f| (f.code, f.message)).collect::<Vec<_>>()
    };
    // The formula is that of the end member: iron is really too much.
    assert_eq!(found(Language::Cif, CIF).iter().map(|f| f.0).collect::<Vec<_>>(), ["formula-sum"]);
    assert_eq!(found(Language::Poscar, POSCAR), []);
}

#[test]
fn a_hundred_thousand_atoms_end() {
    let mut text = String::from("big\n1.0\n110 0 0\n0 110 0\n0 0 110\nFe\n100000\nDirect\n");
    for i in 0..100_000_u32 {
        // A cubic grid of 47 × 47 × 47 places, 2.3 Å apart.
        let [x, y, z] = [i % 47, i / 47 % 47, i / 47 / 47].map(|n| f64::from(n) / 47.0);
        text += &format!("{x:.6} {y:.6} {z:.6}\n");
    }
    assert_eq!(check_text(Language::Poscar, &text), []);
    // The same atoms in a cell of 11 Å, and all at one place.
    let small = text.replacen("110", "11", 6);
    assert_eq!(check_text(Language::Poscar, &small)[0].code, "overfull-cell");
    let heap =
        format!("{}{}", &text[..text.find("0.000000").unwrap()], "0.5 0.5 0.5\n".repeat(100_000));
    assert_eq!(check_text(Language::Poscar, &heap)[0].code, "short-distance");
}
