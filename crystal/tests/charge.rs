//! Parity of the charge rules with SMACT, over a data pack that is not part of the repository: where it
//! is absent these tests say so and check nothing.

mod support;

use cellwright_crystal::charge::cdvae::{Verdict, verdict};
use cellwright_crystal::charge::{Balance, balance};
use cellwright_crystal::{Composition, Element};
use serde_json::Value;
use support::{cases, list, number, text};

/// The composition of a case; none where an element has no row in the table (beyond lawrencium).
fn composition(case: &Value) -> Option<Composition> {
    let elements = list(&case["elements"], |s| s.as_str().and_then(Element::from_symbol));
    let elements = elements.into_iter().collect::<Option<Vec<_>>>()?;
    Some(elements.into_iter().zip(list(&case["counts"], number)).collect())
}

#[test]
fn the_rule_of_cdvae_agrees_in_every_case() {
    let Some(cases) = cases("validity.json") else { return };
    let mut differences = Vec::new();
    for case in &cases {
        let reason = text(&case["cdvae_reason"]);
        let Some(composition) = composition(case) else {
            // The reference does not know such elements either.
            assert_eq!(reason, "error");
            continue;
        };
        let found = verdict(&composition).expect("a whole, small composition");
        let (name, states) = match &found {
            Verdict::Element => ("element", None),
            Verdict::Alloy => ("alloy", None),
            Verdict::Balanced(states) => ("charge+electronegativity", Some(states)),
            Verdict::Unordered => ("electronegativity_test_failed", None),
            Verdict::Charged => ("no_charge_neutral_combination", None),
        };
        let states = states.map(|s| s.iter().map(|(_, q)| f64::from(*q)).collect::<Vec<_>>());
        let first = &case["first_valid_assignment"];
        let first = (!first.is_null()).then(|| list(first, number));
        let valid = Value::Bool(found.is_valid());
        if name != reason || valid != case["cdvae_smact14_valid"] || states != first {
            differences.push(format!("{}: {found:?}, not {reason}", case["formula"]));
        }
    }
    assert!(cases.len() > 1500);
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn charges_agree_with_smact_where_both_know_the_rule() {
    let Some(cases) = cases("validity.json") else { return };
    let (mut accepted, mut valid, mut refused_valid) = (0, 0, Vec::new());
    for case in cases.iter().filter(|c| c["smact4_default_valid"] == Value::Bool(true)) {
        let Some(composition) = composition(case) else { continue };
        valid += 1;
        match balance(&composition, 0.01) {
            Balance::Charged { .. } => refused_valid.push(composition.formula()),
            _ => accepted += 1,
        }
    }
    // What the reference calls valid gets no warning, but for peroxides of cations that have another way
    // out, cerium 6 and rare monovalent zinc.
    assert!(valid > 1300, "only {valid}");
    assert!(accepted * 100 >= valid * 99, "{refused_valid:?}");
}
