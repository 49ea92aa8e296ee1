//! The corpus files, and the highlight query.

#[path = "../../common/corpus.rs"]
mod corpus;

use std::path::Path;

use tree_sitter::{Language, Query};

#[test]
fn every_corpus_case_has_its_tree() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("test/corpus");
    corpus::run(&tree_sitter_cif::LANGUAGE.into(), &folder);
}

#[test]
fn the_highlight_query_names_nodes_of_the_grammar() {
    let language: Language = tree_sitter_cif::LANGUAGE.into();
    let query =
        Query::new(&language, tree_sitter_cif::HIGHLIGHTS_QUERY).expect("the query compiles");
    assert!(query.capture_names().contains(&"number"));
}
