//! The committed parser is the one that `grammar.js` gives.

#[path = "../../common/generated.rs"]
mod generated;

#[test]
fn the_committed_parser_is_that_of_the_grammar() {
    generated::compare(std::path::Path::new(env!("CARGO_MANIFEST_DIR")));
}
