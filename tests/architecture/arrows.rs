//! Arrows between crates point one way.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Which crates of the house each crate may use. A new arrow is a decision: make it here and in
/// CONTRIBUTING.md.
const ALLOWED: &[(&str, &[&str])] = &[
    ("cellwright-crystal", &[]),
    ("tree-sitter-cif", &[]),
    ("tree-sitter-poscar", &[]),
    ("cellwright-syntax", &["cellwright-crystal", "tree-sitter-cif", "tree-sitter-poscar"]),
    ("cellwright-checks", &["cellwright-crystal", "cellwright-syntax"]),
    ("cellwright-features", &["cellwright-crystal", "cellwright-syntax", "cellwright-checks"]),
    ("cellwright-models", &["cellwright-crystal"]),
    ("cellwright-worker", &["cellwright-crystal", "cellwright-models"]),
    (
        "cellwright-lsp",
        &[
            "cellwright-crystal",
            "cellwright-syntax",
            "cellwright-checks",
            "cellwright-features",
            "cellwright-worker",
        ],
    ),
    (
        "cellwright",
        &[
            "cellwright-crystal",
            "cellwright-syntax",
            "cellwright-checks",
            "cellwright-features",
            "cellwright-models",
            "cellwright-worker",
            "cellwright-lsp",
        ],
    ),
    // Tests may look at everything.
    ("cellwright-tests", &["*"]),
];

/// Libraries that only the named crates may use: what a layer does not know.
const RESERVED: &[(&str, &[&str])] = &[
    ("tower-lsp", &["cellwright-lsp"]),
    ("candle-core", &["cellwright-models"]),
    ("tree-sitter", &["cellwright-syntax", "tree-sitter-cif", "tree-sitter-poscar"]),
    ("moyo", &["cellwright-crystal"]),
    ("clap", &["cellwright"]),
];

/// Crate name → names of its direct dependencies, development ones left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(cellwright_tests::root())
        .output()
        .expect("cargo metadata starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let text = |v: &Value| v.as_str().expect("a name").to_owned();
    let list = |v: &Value| v.as_array().expect("a list").clone();
    list(&metadata["packages"])
        .iter()
        .map(|package| {
            let direct = list(&package["dependencies"]);
            let normal = direct.iter().filter(|d| d["kind"] != "dev");
            (text(&package["name"]), normal.map(|d| text(&d["name"])).collect())
        })
        .collect()
}

#[test]
fn crates_use_only_the_crates_below_them() {
    let dependencies = dependencies();
    let ours: BTreeSet<_> = dependencies.keys().cloned().collect();
    let listed: BTreeSet<_> = ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(ours, listed, "every crate of the workspace has its line in ALLOWED");
    for (name, allowed) in ALLOWED {
        let forbidden: Vec<_> = dependencies[*name]
            .iter()
            .filter(|d| ours.contains(*d))
            .filter(|d| !allowed.contains(&"*") && !allowed.contains(&d.as_str()))
            .collect();
        assert!(forbidden.is_empty(), "{name} must not know {forbidden:?}");
    }
}

#[test]
fn libraries_stay_behind_their_walls() {
    let dependencies = dependencies();
    for (library, holders) in RESERVED {
        let users: Vec<_> = dependencies
            .iter()
            .filter(|(name, direct)| {
                direct.contains(*library) && name.as_str() != "cellwright-tests"
            })
            .map(|(name, _)| name.as_str())
            .collect();
        let strangers: Vec<_> = users.iter().filter(|u| !holders.contains(u)).collect();
        assert!(strangers.is_empty(), "{library} is for {holders:?}, but {strangers:?} use it");
        assert!(!users.is_empty(), "nobody uses {library} any more: take its line out");
    }
}
