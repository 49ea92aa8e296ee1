use serde_json::{Value, json};

use crate::support::{Run, cellwright, file, run};

/// Answers to pairs, one a line, each checked against the schema.
fn answers(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| run.with_stdout(line).json("match")).collect()
}

fn near(value: &Value, want: f64) {
    let got = value.as_f64().expect("a number");
    assert!((got - want).abs() < 1e-6, "{got}, not {want}");
}

fn salt(a: f64, [m, x]: [&str; 2]) -> Value {
    let rows = [[0.0, a, a], [a, 0.0, a], [a, a, 0.0]];
    json!({"lattice": rows, "species": [m, x], "frac": [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]]})
}

#[test]
fn a_structure_matches_its_conversion() {
    let rutile = file("rutile.cif");
    let rutile = rutile.to_str().expect("UTF-8");
    let poscar = cellwright(&["convert", rutile]).stdout;
    let same = run(&["match", rutile, "-", "--format", "json"], poscar.as_bytes());
    assert_eq!(same.code, 0, "{}", same.stderr);
    let answer = same.json("match");
    near(&answer["rms"], 0.0);
    assert_eq!((&answer["fit"], &answer["line"]), (&json!(true), &json!(null)));
    let mapping = answer["mapping"].as_array().expect("a list");
    // Titanium on titanium: the first two sites of either file.
    assert_eq!(mapping.len(), 6);
    for partners in &mapping[..2] {
        assert!(partners["b"][0].as_u64() < Some(2), "{partners}");
    }
    let text = run(&["match", rutile, "-"], poscar.as_bytes());
    assert!(
        text.stdout.contains("fit       yes") && text.stdout.contains("rms"),
        "{}",
        text.stdout
    );
    // Sites have their names in either file.
    assert!(text.stdout.contains("sites     Ti1 (1) → Ti"), "{}", text.stdout);
}

/// Two data blocks of one crystal, one of them with declared charges.
const BLOCKS: &str = "data_plain\n_cell_length_a 4\n_cell_length_b 4\n_cell_length_c 4\n\
    _cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\n\
    loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n\
    _atom_site_fract_z\nCs1 Cs 0 0 0\nCl1 Cl 0.5 0.5 0.5\n\
    data_charged\n_cell_length_a 4\n_cell_length_b 4\n_cell_length_c 4\n\
    _cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\n\
    loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n\
    _atom_site_fract_z\nX Cl1- 0 0 0\nM Cs1+ 0.5 0.5 0.5\n";

#[test]
fn a_block_is_chosen_and_charges_are_shown_but_do_not_count() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("two.cif");
    std::fs::write(&path, BLOCKS).expect("a file");
    let path = path.to_str().expect("UTF-8");
    let several = cellwright(&["match", path, path]);
    assert_eq!(several.code, 2);
    assert!(several.stderr.contains("data blocks: plain, charged"), "{}", several.stderr);
    let args = ["match", path, path, "--block-a", "plain", "--block-b", "charged"];
    let found = cellwright(&args);
    assert_eq!(found.code, 0, "{}", found.stderr);
    let want = "  sites     Cs1 → M +1\n            Cl1 → X -1\n";
    assert!(found.stdout.ends_with(want), "{}", found.stdout);
}

#[test]
fn different_structures_give_nulls_and_exit_1() {
    let (rutile, poscar) = (file("rutile.cif"), file("POSCAR"));
    let args = ["match".as_ref(), rutile.as_os_str(), poscar.as_os_str()];
    let different = cellwright(&[&args[..], &["--format".as_ref(), "json".as_ref()]].concat());
    assert_eq!(different.code, 1, "{}", different.stderr);
    let answer = different.json("match");
    for key in ["rms", "max", "mapping"] {
        assert_eq!(answer[key], json!(null));
    }
    assert_eq!(answer["fit"], false);
    assert_eq!(cellwright(&args).stdout, "  fit       no\n");
    let missing = cellwright(&["match", "missing.cif", "missing.cif"]);
    assert_eq!((missing.code, missing.stdout.as_str()), (2, ""));
}

#[test]
fn one_bad_line_does_not_stop_the_others() {
    let halite = salt(2.82, ["Na", "Cl"]);
    let lines = [
        json!({"a": halite, "b": salt(3.1, ["Na", "Cl"]), "id": "scaled"}).to_string(),
        "not JSON".to_owned(),
        String::new(),
        json!({"a": halite, "b": "missing.cif"}).to_string(),
        json!({"a": halite, "b": salt(2.82, ["K", "Br"]), "id": 7}).to_string(),
        json!({"a": halite, "b": {"lattice": [1, 2], "species": [], "frac": []}}).to_string(),
        json!({"a": halite, "b": salt(2.82, ["Xx", "Cl"])}).to_string(),
    ]
    .join("\n");
    let run = run(&["match", "--pairs", "-", "--format", "json"], lines.as_bytes());
    assert_eq!(run.code, 2);
    let answers = answers(&run);
    let numbers: Vec<_> = answers.iter().map(|a| a["line"].as_u64().expect("a line")).collect();
    assert_eq!(numbers, [1, 2, 4, 5, 6, 7]);
    assert_eq!((&answers[0]["fit"], &answers[0]["id"]), (&json!(true), &json!("scaled")));
    assert_eq!((&answers[3]["rms"], &answers[3]["id"]), (&json!(null), &json!(7)));
    for (i, reason) in [(1, "column"), (2, "missing.cif"), (4, "lattice"), (5, "Xx")] {
        let error = answers[i]["error"].as_str().expect("an error");
        assert!(error.contains(reason), "{error}");
        assert_eq!((&answers[i]["rms"], &answers[i]["fit"]), (&json!(null), &json!(null)));
    }
}

#[test]
fn elements_may_be_replaced_and_sites_mixed() {
    let alloy = |metal: Value| {
        let mut alloy = salt(2.1, ["Mg", "O"]);
        alloy["species"][0] = metal;
        alloy
    };
    let (mixed, other) = (json!({"Mg": 0.75, "Fe": 0.25}), json!({"Ca": 0.75, "Mn": 0.25}));
    let lines = [
        json!({"a": alloy(mixed.clone()), "b": alloy(mixed.clone())}).to_string(),
        json!({"a": alloy(mixed.clone()), "b": alloy(other)}).to_string(),
        json!({"a": alloy(mixed), "b": alloy(json!("Mg"))}).to_string(),
        json!({"a": alloy(json!("?")), "b": alloy(json!("?"))}).to_string(),
    ]
    .join("\n");
    let fits = |args: &[&str]| -> Vec<Value> {
        let args = [&["match", "--pairs", "-", "--format", "json"], args].concat();
        answers(&run(&args, lines.as_bytes()))
    };
    let strict: Vec<_> = fits(&[]).iter().map(|a| a["fit"] == true).collect();
    assert_eq!(strict, [true, false, false, true]);
    let anonymous = fits(&["--anonymous"]);
    let loose: Vec<_> = anonymous.iter().map(|a| a["fit"] == true).collect();
    assert_eq!(loose, [true, true, false, true]);
    assert_eq!(anonymous[1]["elements"], json!({"Mg": "Ca", "Fe": "Mn", "O": "O"}));
    // Both rows of the mixed site answer to both rows of the other one.
    assert_eq!(anonymous[1]["mapping"][0], json!({"a": [0, 1], "b": [0, 1]}));

    let text = run(&["match", "--pairs", "-"], lines.as_bytes());
    assert_eq!(text.code, 1);
    let shown: Vec<_> = text.stdout.lines().collect();
    assert_eq!(shown[0], "line 1: rms 0.000000, max 0.000000, fit");
    assert_eq!(shown[1], "line 2: no match");
}

#[test]
fn tolerances_are_heard() {
    let (a, b) = (salt(2.82, ["Na", "Cl"]), salt(3.1, ["Na", "Cl"]));
    let line = json!({"a": a, "b": b}).to_string();
    let code =
        |args: &[&str]| run(&[&["match", "--pairs", "-"], args].concat(), line.as_bytes()).code;
    assert_eq!(code(&[]), 0);
    assert_eq!(code(&["--no-scale"]), 0);
    assert_eq!(code(&["--no-scale", "--ltol", "0.05"]), 1);
    assert_eq!(code(&["--stol", "nan"]), 2);
    assert_eq!(cellwright(&["match", "one.cif"]).code, 2);
}
