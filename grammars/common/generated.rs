//! Generates a parser anew and compares it with the committed one.

use std::fs;
use std::path::{Path, PathBuf};

/// Runs the generator over `grammar.js` (which takes `node`) and panics with the files of `src/` that are
/// not what it writes.
pub fn compare(grammar: &Path) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().to_str().expect("its path is UTF-8");
    tree_sitter_generate::generate_parser_in_directory(
        grammar,
        Some(out),
        None,
        tree_sitter::LANGUAGE_VERSION,
        None,
        None,
    )
    .expect("the generator runs; it needs `node` on the PATH");
    let written = files(folder.path());
    let names: Vec<_> = written.iter().filter_map(|f| f.file_name()?.to_str()).collect();
    for name in ["grammar.json", "node-types.json", "parser.c", "parser.h"] {
        assert!(names.contains(&name), "the generator wrote only {names:?}");
    }
    let stale: Vec<_> = written
        .iter()
        .map(|file| file.strip_prefix(folder.path()).expect("it is in the folder"))
        .filter(|name| !same(&folder.path().join(name), &grammar.join("src").join(name)))
        .collect();
    assert!(
        stale.is_empty(),
        "{stale:?} in {}/src are not what grammar.js gives: see grammars/README.md",
        grammar.display()
    );
}

/// Whether two files hold the same lines.
fn same(a: &Path, b: &Path) -> bool {
    let text = |path| fs::read_to_string(path).unwrap_or_default();
    text(a).lines().eq(text(b).lines())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be listed");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
