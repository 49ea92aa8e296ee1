//! Structure matching against pymatgen: over structures of our own, and over a data pack that is not part
//! of the repository; where that is absent its test says so and checks nothing.

mod support;

use cellwright_crystal::matching::Matcher;
use cellwright_crystal::{Lattice, Site, Structure};
use serde_json::Value;
use support::{entries, list, number, structure, vector};

#[test]
fn every_robust_pair_agrees_with_pymatgen() {
    let Some(pairs) = entries("structure_matcher.json", "pairs") else { return };
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
    assert!(compared > 650, "only {compared} were compared");
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

/// A structure whose sites are lists of species with occupancies.
fn mixed(case: &Value) -> Structure {
    let cell = list(&case["lattice"], number);
    let lattice =
        Lattice::from_parameters([cell[0], cell[1], cell[2]], [cell[3], cell[4], cell[5]]);
    let species = case["species"].as_array().expect("species");
    let rows = species.iter().zip(list(&case["frac"], vector)).flat_map(|(species, frac)| {
        species.as_object().expect("species").iter().map(move |(symbol, occupancy)| Site {
            occupancy: number(occupancy),
            ..Site::new(symbol.parse().expect("an element"), frac)
        })
    });
    Structure { lattice: lattice.expect("a cell"), sites: rows.collect() }
}

#[test]
fn structures_of_our_own_agree_with_pymatgen() {
    let whole: Value = serde_json::from_str(include_str!("data/matching.json")).expect("JSON");
    let pairs = whole["pairs"].as_array().expect("a list");
    assert!(pairs.len() > 25);
    let matcher = Matcher::default();
    for pair in pairs {
        let name = &pair["name"];
        let [a, b] = ["a", "b"].map(|side| matcher.prepare(&mixed(&pair[side])).expect("sane"));
        let found = matcher.rms(&a, &b);
        assert_close(found.as_ref().map(|m| m.rms), &pair["rms"], name);
        assert_close(found.map(|m| m.max), &pair["max"], name);
        assert_eq!(matcher.fit(&a, &b), pair["fit"] == true, "{name}");
        let anonymous = matcher.rms_anonymous(&a, &b);
        assert_close(anonymous.map(|m| m.found.rms), &pair["rms_anonymous"], name);
        let fit = matcher.fit_anonymous(&a, &b);
        assert_eq!(fit.is_some(), pair["fit_anonymous"] == true, "{name}");
        let got = matcher.substitution(&a, &b).map(|m| {
            let mut named: Vec<_> =
                m.elements.iter().map(|(a, b)| [a.symbol(), b.symbol()]).collect();
            named.sort_unstable();
            named
        });
        assert_eq!(serde_json::json!(got), pair["substitution"], "{name}");
    }
}

fn assert_close(got: Option<f64>, want: &Value, name: &Value) {
    assert_eq!(got.is_some(), want.is_number(), "{name}: {got:?} {want}");
    if let (Some(got), Some(want)) = (got, want.as_f64()) {
        assert!((got - want).abs() < 1e-6, "{name}: {got} {want}");
    }
}
