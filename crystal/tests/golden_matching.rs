//! Structure matching against pymatgen, over a data pack that is not part of the repository: where it is
//! absent these tests say so and check nothing.

use std::path::PathBuf;

use cellwright_crystal::matching::Matcher;
use cellwright_crystal::{Element, Lattice, Site, Structure};
use serde_json::Value;

/// The pairs, beside the folder that `CELLWRIGHT_DATA` names (default `../shared/data`, seen from the root
/// of the repository).
#[allow(clippy::print_stderr)]
fn pairs() -> Option<Vec<Value>> {
    let default = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let data = std::env::var_os("CELLWRIGHT_DATA").map_or(default, PathBuf::from);
    let path = data.join("../golden/crystal/structure_matcher.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED, nothing was checked: {} is absent (set CELLWRIGHT_DATA)", path.display());
        return None;
    };
    let whole: Value = serde_json::from_str(&text).expect("the file is JSON");
    Some(whole["pairs"].as_array().expect("the file lists pairs").clone())
}

fn structure(case: &Value) -> Structure {
    let numbers = |value: &Value| -> Vec<f64> {
        value.as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number")).collect()
    };
    let cell = numbers(&case["lattice"]);
    let lattice =
        Lattice::from_parameters([cell[0], cell[1], cell[2]], [cell[3], cell[4], cell[5]]);
    let species = case["species"].as_array().expect("species");
    let frac = case["frac"].as_array().expect("positions");
    let site = |(symbol, frac): (&Value, &Value)| {
        let element = symbol.as_str().and_then(Element::from_symbol).expect("an element");
        let f = numbers(frac);
        Site::new(element, [f[0], f[1], f[2]].into())
    };
    Structure {
        lattice: lattice.expect("a cell"),
        sites: species.iter().zip(frac).map(site).collect(),
    }
}

#[test]
fn every_robust_pair_agrees_with_pymatgen() {
    let Some(pairs) = pairs() else { return };
    let settings = [
        ("loose", Matcher { ltol: 0.3, stol: 0.5, angle_tol: 10.0, ..Matcher::default() }),
        ("default", Matcher::default()),
    ];
    let mut differences = Vec::new();
    let mut compared = 0;
    for pair in &pairs {
        let [a, b] = ["a", "b"].map(|side| structure(&pair[side]));
        for (name, matcher) in &settings {
            let want = &pair["results"][name];
            if want["robust"] != Value::Bool(true) {
                continue;
            }
            compared += 1;
            let [first, second] = [&a, &b].map(|s| matcher.prepare(s).expect("a sane structure"));
            let found = matcher.rms(&first, &second);
            let close = |got: Option<f64>, want: &Value| match (got, want.as_f64()) {
                (None, None) => true,
                (Some(got), Some(want)) => (got - want).abs() < 1e-4,
                _ => false,
            };
            let fit = matcher.fit(&first, &second);
            let agrees = close(found.as_ref().map(|m| m.rms), &want["rms"])
                && close(found.as_ref().map(|m| m.max), &want["max_dist"])
                && Value::Bool(fit) == want["fit"];
            if !agrees {
                let got = found.map(|m| (m.rms, m.max));
                let want = (&want["rms"], &want["max_dist"], &want["fit"]);
                let sizes = (first.len(), second.len(), &pair["reduced_nsites"]);
                differences.push(format!(
                    "pair {} ({}) {name}: {got:?} {fit}, not {want:?} {sizes:?}",
                    pair["id"], pair["category"]
                ));
            }
        }
    }
    assert!(compared > 1300 || pairs.len() < 680, "only {compared} were compared");
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}
