//! What the sources themselves must hold to.

use std::path::PathBuf;

use cellwright_tests::root;

/// Folders that hold nothing of ours.
const SKIPPED: &[&str] = &["target", "node_modules", ".git", "out", "bin"];

/// Every Rust source of the project, with its path from the root.
fn rust_sources() -> Vec<(PathBuf, String)> {
    let kept = |entry: &walkdir::DirEntry| {
        !SKIPPED.iter().any(|skipped| entry.file_name().to_str() == Some(*skipped))
    };
    let sources: Vec<_> = walkdir::WalkDir::new(root())
        .into_iter()
        .filter_entry(kept)
        .map(|entry| entry.expect("the checkout can be read"))
        .filter(|entry| entry.path().extension().is_some_and(|e| e == "rs"))
        .map(|entry| {
            let text = std::fs::read_to_string(entry.path()).expect("sources are UTF-8");
            let path = entry.path().strip_prefix(root()).expect("below the root").to_owned();
            (path, text)
        })
        .collect();
    assert!(sources.len() > 50, "the walk found only {} sources", sources.len());
    sources
}

#[test]
fn only_the_lsp_crate_names_tower_lsp() {
    let named: Vec<_> = rust_sources()
        .into_iter()
        .filter(|(path, _)| {
            !path.starts_with("server/lsp") && !path.starts_with("tests/architecture")
        })
        .filter(|(_, text)| text.contains("tower_lsp") || text.contains("lsp_types"))
        .map(|(path, _)| path)
        .collect();
    assert!(named.is_empty(), "LSP is named outside server/lsp: {named:?}");
}

#[test]
fn unsafe_code_stands_in_grammar_bindings_only() {
    let unsafe_code: Vec<_> = rust_sources()
        .into_iter()
        .filter(|(path, _)| {
            !path.starts_with("grammars") && !path.starts_with("tests/architecture")
        })
        .filter(|(_, text)| {
            text.lines().any(|line| {
                let code = line.split("//").next().unwrap_or("");
                code.contains("unsafe {")
                    || code.contains("unsafe fn")
                    || code.contains("unsafe impl")
            })
        })
        .map(|(path, _)| path)
        .collect();
    assert!(unsafe_code.is_empty(), "{unsafe_code:?}");
}

#[test]
fn every_crate_takes_the_common_lints() {
    for manifest in ["crystal", "models", "tests", "server/syntax", "server/checks"]
        .into_iter()
        .chain(["server/features", "server/worker", "server/lsp", "server/cli"])
    {
        let path = root().join(manifest).join("Cargo.toml");
        let text = std::fs::read_to_string(&path).expect("a manifest");
        assert!(text.contains("[lints]\nworkspace = true"), "{manifest} has lints of its own");
    }
}

#[test]
fn no_test_is_switched_off() {
    let ignored: Vec<_> = rust_sources()
        .into_iter()
        .filter(|(path, _)| !path.starts_with("tests/architecture"))
        .filter(|(_, text)| text.lines().any(|line| line.trim_start().starts_with("#[ignore")))
        .map(|(path, _)| path)
        .collect();
    assert!(ignored.is_empty(), "{ignored:?}");
}
