//! The example files show what they say they show: the clean ones are clean, the broken one has its mistakes.

use std::path::Path;

use cellwright_checks::{Severity, Tolerances, check};
use cellwright_syntax::{Language, Parsed};

/// Codes of what is found in an example, hints left out, in order of place.
fn found(name: &str) -> Vec<(Severity, &'static str)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
    let text = std::fs::read_to_string(&path).expect("an example");
    let language = Language::from_path(&path).expect("a file name that says its language");
    let findings = check(&Parsed::new(language, &text), &Tolerances::default());
    findings.iter().filter(|f| f.severity < Severity::Hint).map(|f| (f.severity, f.code)).collect()
}

#[test]
fn the_good_examples_are_good() {
    for name in [
        "silicon.cif",
        "rutile.cif",
        "lanthanum-manganite.cif",
        "perovskite-perturbed.cif",
        "POSCAR_MgO_slab",
        "POSCAR_BaTiO3",
        "rock-salt.vasp",
    ] {
        assert_eq!(found(name), [], "{name}");
    }
}

#[test]
fn the_masked_example_asks_for_two_species() {
    assert_eq!(found("masked.cif"), [(Severity::Information, "masked-species"); 2]);
}

#[test]
fn the_broken_example_has_its_four_mistakes() {
    assert_eq!(
        found("perovskite-broken.cif"),
        [
            (Severity::Warning, "charge-imbalance"),
            (Severity::Warning, "cell-volume"),
            (Severity::Error, "duplicate-name"),
            (Severity::Error, "short-distance"),
        ]
    );
}
