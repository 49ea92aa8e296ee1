use serde_json::{Value, json};

use crate::support::{cellwright, run};

fn valid(args: &[&str]) -> (i32, Vec<Value>) {
    let run = cellwright(&[&["valid", "--format", "json"], args].concat());
    (run.code, run.json("valid").as_array().expect("a list").clone())
}

#[test]
fn formulas_are_judged_with_their_states() {
    let (code, list) = valid(&["Fe3O4", "NaCl2", "Ca(OH)2", "Fe0.5 Ni0.5"]);
    assert_eq!(code, 1);
    assert_eq!(list[0]["valid"], true);
    assert_eq!(
        list[0]["assignment"][0],
        json!({ "element": "Fe", "states": [
            { "state": 2.0, "atoms": 1.0 },
            { "state": 3.0, "atoms": 2.0 },
        ] })
    );
    assert_eq!(list[1]["valid"], false);
    assert_eq!(list[1]["assignment"], Value::Null);
    let reason = list[1]["reason"].as_str().expect("a text");
    assert!(reason.contains("nearest is Na +1, Cl −1, which leaves −1"), "{reason}");
    assert_eq!(list[2]["valid"], true);
    assert_eq!(
        (list[3]["valid"].clone(), list[3]["reason"].clone()),
        (json!(true), json!("metals only"))
    );
}

#[test]
fn the_rule_of_published_tables_knows_no_mixed_valence() {
    let (code, list) = valid(&["--rule", "cdvae", "Fe3O4", "TiB", "NaCl", "GaSb"]);
    assert_eq!(code, 1);
    let verdicts: Vec<_> = list.iter().map(|j| j["valid"].clone()).collect();
    assert_eq!(verdicts, [false, false, true, true]);
    assert_eq!(list[2]["assignment"][0]["element"], "Na");
}

#[test]
fn a_bad_formula_stops_no_other() {
    let outcome = run(&["valid"], "NaCl\n\nLiXx2\nBa Ti O3\n".as_bytes());
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("'LiXx2': 'Xx' is no element from H to Lr at character 3"));
    assert_eq!(outcome.stdout.lines().count(), 2);
    assert!(
        outcome.stdout.contains("valid    Ba Ti O3  neutral: Ba +2, Ti +4, O −2"),
        "{}",
        outcome.stdout
    );
    let (code, list) = valid(&["RfO2", "HeO", "MgO"]);
    assert_eq!(code, 2);
    let verdicts: Vec<_> = list.iter().map(|j| j["valid"].clone()).collect();
    assert_eq!(verdicts, [Value::Null, Value::Null, json!(true)]);
    let (code, list) = valid(&["--rule", "cdvae", "Fe0.5O"]);
    assert_eq!((code, list[0]["valid"].clone()), (2, Value::Null));
}
