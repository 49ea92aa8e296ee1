//! Structure matching against pymatgen, over a data pack that is not part of the repository: where it is
//! absent these tests say so and check nothing.

mod support;

use cellwright_crystal::matching::Matcher;
use serde_json::Value;
use support::{entries, structure};

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
    assert!(compared > 1300 || pairs.len() < 680, "only {compared} were compared");
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}
