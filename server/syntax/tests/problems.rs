//! One problem per cause, at the cause, with the mend where there is one.

use cellwright_syntax::text::apply_edits;
use cellwright_syntax::{Language, Parsed, Problem};

/// Each problem as `Kind «text under the span» message`.
fn shown(source: &str, problems: &[Problem]) -> Vec<String> {
    let visible = |text: &str| text.replace('\n', "\\n").replace('\u{7}', "\\u{7}");
    let show =
        |p: &Problem| format!("{:?} «{}» {}", p.kind, visible(p.span.text(source)), p.message);
    problems.iter().map(show).collect()
}

/// The problems of a text. Whatever mend they offer must leave fewer of them.
#[track_caller]
fn check(language: Language, source: &str, expected: &[&str]) -> Vec<Problem> {
    let problems = Parsed::new(language, source).problems;
    assert_eq!(shown(source, &problems), expected);
    for problem in &problems {
        let Some((title, edits)) = &problem.fix else { continue };
        let mended = apply_edits(source, edits);
        let left = Parsed::new(language, &mended).problems;
        assert!(left.len() < problems.len(), "`{title}` gives {mended:?} with {left:#?}");
    }
    problems
}

#[track_caller]
fn cif(source: &str, expected: &[&str]) -> Vec<Problem> {
    check(Language::Cif, source, expected)
}

#[track_caller]
fn poscar(source: &str, expected: &[&str]) -> Vec<Problem> {
    check(Language::Poscar, source, expected)
}

/// The text after the only problem is mended.
#[track_caller]
fn mended(source: &str, problems: &[Problem]) -> String {
    assert_eq!(problems.len(), 1, "{problems:#?}");
    let (_, edits) = problems[0].fix.as_ref().expect("the problem has a mend");
    apply_edits(source, edits)
}

#[test]
fn files_without_a_block() {
    let none = "no data block: a CIF begins with `data_` and a name";
    cif("", &[&format!("NoBlock «» {none}")]);
    cif("# only this\n", &[&format!("NoBlock «» {none}")]);
    // A request for a structure is all that a file needs to say; other text beside it is not.
    cif("# a salt\n# predict: NaCl\n", &[]);
    cif("# predict: NaCl\nNaCl\n", &[&format!("NoBlock «NaCl» {none}")]);
    cif("NaCl\n1.0\n\0'open", &[&format!("NoBlock «NaCl» {none}")]);
    let source = "# x\n_cell_length_a 4\n_cell_length_b 4\n";
    let problems = cif(
        source,
        &["NoBlock «_cell_length_a 4» text before the first data block: `data_` and a name must \
           precede"],
    );
    assert_eq!(
        mended(source, &problems),
        "# x\ndata_unnamed\n_cell_length_a 4\n_cell_length_b 4\n"
    );
}

#[test]
fn values_missing_and_too_many() {
    let source = "data_a\n_a\n_b 1\n";
    let problems =
        cif(source, &["MissingValue «_a» `_a` has no value; `?` says that it is unknown"]);
    assert_eq!(mended(source, &problems), "data_a\n_a ?\n_b 1\n");

    let source = "data_a\n_space_group.name_H-M_alt P 21 21 21\n";
    let problems = cif(
        source,
        &[
            "StrayValue «21 21 21» 3 values too many: `_space_group.name_H-M_alt` takes one value; one \
           with spaces in it must be quoted",
        ],
    );
    assert_eq!(mended(source, &problems), "data_a\n_space_group.name_H-M_alt 'P 21 21 21'\n");

    cif(
        "data_a\nFe1 0 0 0\nO1 0 0 0.5\n",
        &[
            "StrayValue «Fe1 0 0 0\\nO1 0 0 0.5» 8 values without a data name: a name, or a loop with \
           names, must precede",
        ],
    );
}

#[test]
fn a_forgotten_loop_is_one_problem() {
    let source = "data_a\n_l\n_x\n_y\nFe 0 0.5\nO 0.5 0\n";
    let problems = cif(
        source,
        &[
            "StrayValue «_l\\n_x\\n_y» 3 data names followed by 6 values: `loop_` must stand in front \
           of the names of a table",
        ],
    );
    assert_eq!(mended(source, &problems), source.replace("_l", "loop_\n_l"));
}

#[test]
fn the_row_that_breaks() {
    // One value too few in a row of its own.
    let problems = cif(
        "data_a\nloop_\n_l\n_x\n_y\nFe 0 0\nO 0.5\nC 1 1\n",
        &["LoopArity «O 0.5» row 2 has 2 values where the loop has 3 names"],
    );
    assert_eq!(problems[0].related[0].1, "3 names, 8 values in all");
    // One too many.
    cif(
        "data_a\nloop_\n_l\n_x\nFe 0\nO 0.5 1\nC 1\nN 1\n",
        &["LoopArity «O 0.5 1» row 2 has 3 values where the loop has 2 names"],
    );
    // Rows that are wrapped, and a text field in a row, are whole.
    cif(
        "data_a\nloop_\n_l\n_x\n_y\nFe 0 0\nO\n0.5 1\nC\n;text\n;\n1\nN 1\nB 1 1\n",
        &["LoopArity «N 1» row 4 has 2 values where the loop has 3 names"],
    );
    // The last row.
    cif(
        "data_a\nloop_\n_l\n_x\nFe 0\nO\n",
        &["LoopArity «O» row 2 has 1 value where the loop has 2 names"],
    );
    // A name too many, not a row.
    cif(
        "data_a\nloop_\n_l\n_x\n_y\nFe 0\nO 1\n",
        &["LoopArity «_l\\n_x\\n_y» the loop has 3 names, but every row has 2 values"],
    );
    // No lines to go by: types tell.
    cif(
        "data_a\nloop_ _l _x _y Fe 0 0 O 0.5 C 1 1 N 0 0",
        &[
            "LoopArity «O 0.5 C» the loop has 3 names and 11 values; from row 2 on they do not fit their \
           columns, so one is missing or too many here or in the row before",
        ],
    );
}

#[test]
fn empty_loops() {
    cif("data_a\nloop_\n_a\n_b\n", &["EmptyLoop «loop_» the loop has 2 names but no values"]);
    cif(
        "data_a\nloop_\n1 2\n",
        &[
            "EmptyLoop «loop_» the loop has values but no data names: they must stand between `loop_` \
           and the values",
        ],
    );
    cif(
        "data_a\nloop_\n",
        &["EmptyLoop «loop_» `loop_` is followed by data names and their values; here are none"],
    );
}

#[test]
fn names_that_stand_twice() {
    let second = "stands a second time in this block (names are the same in upper and lower case)";
    let source = "data_a\n_cell_length_a 4.0\n_x 1\n_Cell_Length_A '4.0'\n_y 2\n";
    let problems = cif(source, &[&format!("Duplicate «_Cell_Length_A» `_Cell_Length_A` {second}")]);
    assert_eq!(mended(source, &problems), "data_a\n_cell_length_a 4.0\n_x 1\n_y 2\n");
    assert_eq!(problems[0].related[0].0.text(source), "_cell_length_a");
    // Which of two values is right nobody knows.
    let problems = cif("data_a\n_a 1\n_A 2\n", &[&format!("Duplicate «_A» `_A` {second}")]);
    assert_eq!(problems[0].fix, None);
    cif("data_a\nloop_\n_a\n_a\n1 2\n", &[&format!("Duplicate «_a» `_a` {second}")]);
    cif("data_a\n_a 1\nloop_\n_a\n1\n", &[&format!("Duplicate «_a» `_a` {second}")]);
    cif("data_a\n_a 1\ndata_b\n_a 1\nsave_f\n_a 1\nsave_\nsave_g\n_a 1\nsave_\n", &[]);
    cif(
        "data_a\n_a 1\ndata_A\n_a 1\n",
        &["Duplicate «data_A» a second data block with the name `A`"],
    );
}

#[test]
fn strings_without_an_end() {
    let source = "data_a\n_a 'P 21/c\n_b 1\n";
    let problems =
        cif(source, &["Unterminated «'P 21/c» the string has no closing `'` on its line"]);
    assert_eq!(mended(source, &problems), "data_a\n_a 'P 21/c'\n_b 1\n");
    // In a loop it may have taken any number of values: the row is not blamed as well.
    let problems = cif(
        "data_a\nloop_\n_a\n_b\n'x, y 1\n'z' 2\n",
        &["Unterminated «'x, y 1» the string has no closing `'` on its line"],
    );
    assert_eq!(problems[0].fix, None);
    cif(
        "#\\#CIF_2.0\ndata_a\n_a '''x\n_b 1\n",
        &["Unterminated «'''» the string that begins here has no closing `'''`"],
    );
}

const NEVER_ENDS: &str = "Unterminated «;» the text field that begins here never ends: a `;` at the \
                          beginning of a line must close it";

#[test]
fn a_text_field_without_an_end_is_one_problem() {
    // To the end of the file.
    let source = "data_a\n_t\n;\ntext";
    let problems = cif(source, &[NEVER_ENDS]);
    assert_eq!(mended(source, &problems), "data_a\n_t\n;\ntext\n;\n");
    // Before the next item.
    let source = "data_a\n_t\n;\ntext\n_b 1\nloop_\n_c\n1\n";
    let problems = cif(source, &[NEVER_ENDS]);
    assert_eq!(mended(source, &problems), source.replace("_b", ";\n_b"));
    // The next field turns everything inside out; the first is to blame.
    for next in [";\nmore text\n;", ";more text\n;", ";\n;"] {
        let source = format!("data_a\n_t\n;\ntext\n_b 1\n_u\n{next}\n_c 1\nloop_\n_d\n_e\n1 2\n");
        let problems = cif(&source, &[NEVER_ENDS]);
        assert_eq!(mended(&source, &problems), source.replace("_b", ";\n_b"));
        assert_eq!(problems[0].span.start, source.find(';').expect("it is there"));
    }
    // Data names in a field that does end are text.
    cif("data_a\n_t\n;\n_b 1\nloop_\n;\n_c 1\n", &[]);
}

#[test]
fn words_and_brackets_out_of_place() {
    let source = "data_a\nloop_\n_a\n1\nstop_\n_b 1\n";
    let problems = cif(
        source,
        &[
            "Unexpected «stop_» `stop_` is reserved and ends nothing in a CIF: loops end by themselves",
        ],
    );
    assert_eq!(mended(source, &problems), "data_a\nloop_\n_a\n1\n\n_b 1\n");
    cif(
        "data_a\nsave_x\n_a 1\ndata_b\n_a 1\n",
        &["Unexpected «save_x» the save frame never ends: a line with `save_` must close it"],
    );
    cif("data_a\n_a [x]\n", &["Unexpected «[x]» a value that begins with `[` must be quoted"]);
    cif(
        "#\\#CIF_2.0\ndata_a\n_a [1 [2]\n_b 1\n",
        &["Unexpected «[» this `[` is never closed by `]`"],
    );
    cif("#\\#CIF_2.0\ndata_a\n_a 1 }\n", &["Unexpected «}» this `}` closes nothing"]);
    cif(
        "#\\#CIF_2.0\ndata_a\n_a {'k':1 2 'l':}\n",
        &[
            "Unexpected «2» a table entry begins with a quoted key and a colon",
            "MissingValue «'l':» this key has no value; `?` says that it is unknown",
        ],
    );
    let source = "#\\#CIF_2.0\ndata_a\nloop_\n_a\n'x''y'\n";
    cif(source, &["Unexpected «» white space must stand between two values"]);
}

#[test]
fn characters_and_lines() {
    cif(
        "data_a\n_a x\u{7}y\n_b \u{1}\u{1}\n",
        &[
            "Unexpected «\\u{7}» control character U+0007, which no CIF may hold (2 more further on)",
        ],
    );
    let source = "data_a\n_a\u{a0}1\n_b 2\u{a0}\n_c 'x\u{a0}y'\n";
    let problems = Parsed::new(Language::Cif, source).problems;
    let space = problems.iter().find(|p| p.message.contains("U+00A0")).expect("it is reported");
    let (_, edits) = space.fix.as_ref().expect("it has a mend");
    assert_eq!(apply_edits(source, edits), "data_a\n_a 1\n_b 2 \n_c 'x\u{a0}y'\n");
    let long = "é".repeat(2048);
    cif(
        &format!("data_a\n# {long}\n"),
        &["TooLong «éé» the line is longer than the 2048 characters a CIF allows"],
    );
    let name = format!("_{}", "x".repeat(75));
    cif(
        &format!("data_a\n{name} 1\n"),
        &[&format!("TooLong «{name}» a data name of 76 characters; CIF 1.1 allows 75")],
    );
    cif(&format!("#\\#CIF_2.0\ndata_a\n{name} 1\n"), &[]);
}

#[test]
fn lines_of_a_poscar() {
    let vectors = "3 0 0\n0 3 0\n0 0 3\n";
    let atoms = "Fe\n1\nDirect\n0 0 0\n";
    poscar(&format!("c\n1.0\n{vectors}{atoms}"), &[]);
    poscar(
        "",
        &["MissingLine «» the file is empty: a POSCAR begins with a comment line, the scale \
                  and three lattice vectors"],
    );
    poscar(
        "c\n1\n3 0 0\n",
        &["MissingLine «» the file ends where the second lattice vector (three \
                               numbers) should follow"],
    );
    poscar(
        &format!("c\n\n1.0\n{vectors}{atoms}"),
        &["BadLine «» an empty line where the scale (one \
        number, or three) should stand: VASP counts lines"],
    );
    poscar(
        &format!("\n\nc\n1.0\n{vectors}{atoms}"),
        &["BadLine «» 2 empty lines before the comment \
        line: VASP counts lines"],
    );
    poscar(&format!("\n1.0\n{vectors}{atoms}"), &[]);
    poscar(&format!("c\n0.0\n{vectors}{atoms}"), &["BadNumber «0.0» the scale must not be zero"]);
    poscar(
        &format!("c\n1 1\n{vectors}{atoms}"),
        &["BadLine «1 1» the scale is one number, or three: \
        here are two"],
    );
    poscar(
        &format!("c\n1 -1 1\n{vectors}{atoms}"),
        &["BadNumber «-1» three scales must all be \
        positive"],
    );
    poscar(
        &format!("c\n1\n3 0\n0 3 0\n0 0 3\n{atoms}"),
        &["BadLine «3 0» the first lattice vector \
        takes three numbers; here are 2"],
    );
    poscar(
        &format!("c\n1\n3 0 nan\n0 3 0\n0 0 3\n{atoms}"),
        &["BadNumber «nan» `nan` is no number \
        that VASP can read; the first lattice vector takes three"],
    );
    poscar(
        &format!("c\n1\n{vectors}Fe O\n1\nDirect\n0 0 0\n"),
        &["BadLine «1» 2 species, but 1 \
        number of atoms"],
    );
    poscar(
        &format!("c\n1\n{vectors}Fe\n1.5\nDirect\n0 0 0\n"),
        &["BadNumber «1.5» `1.5` is no number \
        of atoms"],
    );
    poscar(
        &format!("c\n1\n{vectors}Fe\n1\n0 0 0\n"),
        &["BadLine «0 0 0» `Direct` or `Cartesian` \
        should stand before the first atom; the rows are read as direct coordinates"],
    );
    poscar(
        &format!("c\n1\n{vectors}Fe\n2\n0 0 0\n1.5 2.5 0\n"),
        &["BadLine «0 0 0» `Direct` or `Cartesian` \
        should stand before the first atom; these are no fractions, so the atoms have no positions"],
    );
}

#[test]
fn atoms_of_a_poscar() {
    let head = "c\n1\n3 0 0\n0 3 0\n0 0 3\n";
    let source = format!("{head}Fe\n3\nDirect\n0 0 0\n.5 .5 .5\n");
    let problems = poscar(
        &source,
        &["CountMismatch «.5 .5 .5» 2 rows of atoms where the counts add \
        up to 3"],
    );
    assert_eq!(mended(&source, &problems), source.replace("\n3\nD", "\n2\nD"));
    poscar(
        &format!("{head}Fe O\n1 1\nDirect\n0 0 0\n.5 .5 .5\n.7 .7 .7\n"),
        &["CountMismatch «.7 .7 \
        .7» 3 rows of atoms where the counts add up to 2"],
    );
    poscar(
        &format!("{head}Fe\n1\nDirect\n0 zero 0\n"),
        &["BadNumber «zero» `zero` is no number that \
        VASP can read; a row of an atom takes three"],
    );
    poscar(
        &format!("{head}Fe\n1\nDirect\n0 ******** 0\n"),
        &["BadNumber «********» `********` stands \
        for a number that did not fit its columns"],
    );
    poscar(
        &format!("{head}Fe\n2\nS\nDirect\n0 0 0\n0 0 .5\n"),
        &["BadLine «0 0 0» selective dynamics \
        needs three flags, T or F, behind the coordinates of every atom"],
    );
    poscar(
        &format!("{head}Fe\n2\nDirect\n0 0 0\n0 0 .5\n\n0 0 1\n"),
        &["CountMismatch «0 0 1» 1 row of \
        velocities for 2 atoms"],
    );
    poscar(&format!("{head}Fe\n2\nDirect\n0 0 0\n0 0 .5\n\n0 0 1\n1 1 1\n"), &[]);
}

#[test]
fn a_file_that_is_wrong_throughout_gets_no_more_problems_than_anybody_reads() {
    let rows = "0 x 0\n".repeat(5000);
    let poscar = format!("c\n1\n3 0 0\n0 3 0\n0 0 3\nFe\n5000\nDirect\n{rows}");
    let cif = format!("data_a\n{}", "_a\n".repeat(5000));
    for (language, source) in [(Language::Poscar, poscar), (Language::Cif, cif)] {
        let problems = Parsed::new(language, &source).problems;
        assert_eq!(problems.len(), 1000);
        let last = problems.last().expect("there are some");
        assert!(last.message.ends_with("more problems are not listed)"), "{}", last.message);
    }
}

#[test]
fn what_is_no_text_is_one_problem() {
    let text =
        "NaCl by hand\n1.0\n5.64 0 0\n0 5.64 0\n0 0 5.64\nNa Cl\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let noise: Vec<u8> =
        (0..4096_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let cases = [
        ([&b"\xff\xfe"[..], &little].concat(), "UTF-16"),
        ([&b"\xfe\xff"[..], &big].concat(), "UTF-16"),
        (little, "UTF-16"),
        (big, "UTF-16"),
        (noise, "binary"),
        (vec![0; 100], "binary"),
    ];
    for (bytes, what) in cases {
        let (source, _) = cellwright_syntax::text::decode(&bytes);
        for language in [Language::Cif, Language::Poscar] {
            let problems = Parsed::new(language, &source).problems;
            let [only] = problems.as_slice() else { panic!("{what}: {problems:#?}") };
            assert!(only.message.contains(what), "{}", only.message);
        }
    }
}

/// What people do to a POSCAR: one problem each, and a mend that leaves a whole file.
#[test]
fn usual_mistakes_of_a_poscar_are_one_problem_each() {
    let lattice = "5.64 0 0\n0 5.64 0\n0 0 5.64\n";
    let atoms = "Direct\n0 0 0\n0.5 0.5 0.5\n";
    let whole = format!("x\n1.0\n{lattice}Na Cl\n1 1\n{atoms}");
    for (broken, start) in [
        (
            format!("x\n{lattice}Na Cl\n1 1\n{atoms}"),
            "the scale (one number, or three) must stand above",
        ),
        (
            format!("x\n1.0\n{lattice}1 1\nNa Cl\n{atoms}"),
            "the species must stand above the numbers",
        ),
        (
            format!("x\n1.0\n{lattice}Na Cl\n1\n1\n{atoms}"),
            "the numbers of atoms must stand on one line",
        ),
        (whole.replacen("5.64 0 0", "5,64 0 0", 1), "`5,64` is two numbers to VASP"),
        (whole.replacen("0.5 0.5 0.5", "0,5 0.5 0.5", 1), "`0,5` is two numbers to VASP"),
    ] {
        let problems = Parsed::new(Language::Poscar, &broken).problems;
        let [only] = problems.as_slice() else { panic!("{broken}: {problems:#?}") };
        assert!(only.message.starts_with(start), "{}", only.message);
        assert_eq!(mended(&broken, &problems), whole, "{broken}");
    }
    let names = whole.replace("\n0 0 0\n0.5", "\nNa 0 0 0\nCl 0.5");
    let problems = poscar(
        &names,
        &[
            "BadLine «Na 0 0 0» the coordinates must come first: VASP cannot read the names of 2 atoms in front of them",
        ],
    );
    let expected = whole.replace("\n0 0 0\n0.5 0.5 0.5", "\n0 0 0 Na\n0.5 0.5 0.5 Cl");
    assert_eq!(mended(&names, &problems), expected);
}

/// A Cartesian coordinate that overflows is no coordinate, whatever infinities and NaN compare to.
#[test]
fn coordinates_that_overflow_are_no_atoms() {
    for row in ["1e308 1e308 0", "-1e308 1e308 0", "1e308 -1e308 1e308"] {
        let source =
            format!("x\n10\n.5 .8 0\n-.5 .8 0\n0 0 1\nFe O\n1 1\nCartesian\n{row}\n0 0 0\n");
        let parsed = Parsed::new(Language::Poscar, &source);
        let structure = parsed.readings[0].structure.as_ref().expect("the second atom");
        assert_eq!(structure.len(), 1, "{row}");
        assert!(structure.sites[0].frac.iter().all(|x| x.is_finite()));
        assert_eq!(parsed.readings[0].obstacles.len(), 1);
    }
}

/// Two lines of names are no names below their counts: exchanging them would mend nothing.
#[test]
fn names_below_names_are_not_exchanged() {
    let source = "x\n1.0\n4 0 0\n0 4 0\n0 0 4\n#\nCu\nCu\nDirect\n0 0 0\n";
    for problem in Parsed::new(Language::Poscar, source).problems {
        assert!(!problem.message.contains("species must stand above"), "{}", problem.message);
    }
}

#[test]
fn an_uncertainty_with_a_space_and_quotes_of_a_word_processor() {
    let source = "data_x\n_cell_length_a 5.6402 (2)\n";
    let problems = cif(
        source,
        &[
            "StrayValue «(2)» 1 value too many: `_cell_length_a` takes one value; a standard uncertainty follows its number without a space",
        ],
    );
    assert_eq!(mended(source, &problems), "data_x\n_cell_length_a 5.6402(2)\n");
    let source = "data_x\n_chemical_formula_sum \u{2018}Cl Na\u{2019}\n";
    let problems = Parsed::new(Language::Cif, source).problems;
    assert_eq!(mended(source, &problems), "data_x\n_chemical_formula_sum 'Cl Na'\n");
}

#[test]
fn rows_that_are_not_there_make_no_whole_crystal() {
    let head = "x\n1\n5 0 0\n0 5 0\n0 0 5\nNa Cl\n1 1\nDirect\n0 0 0\n";
    for rows in ["", "0.5 0.\n", "0.5 0.5 0.5\n0.5 0 0\n"] {
        let parsed = Parsed::new(Language::Poscar, &format!("{head}{rows}"));
        let kinds: Vec<_> = parsed.readings[0].obstacles.iter().map(|o| o.kind).collect();
        assert_eq!(kinds, [cellwright_syntax::reading::ObstacleKind::Rows], "{rows}");
    }
}
