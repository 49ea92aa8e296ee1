//! tree-sitter grammar of the Crystallographic Information File, versions 1.1 and 2.0.
//!
//! ```
//! let mut parser = tree_sitter::Parser::new();
//! parser.set_language(&tree_sitter_cif::LANGUAGE.into())?;
//! let tree = parser.parse("data_x\n_cell_length_a 4.2\n", None).unwrap();
//! assert_eq!(tree.root_node().kind(), "source_file");
//! # Ok::<(), tree_sitter::LanguageError>(())
//! ```

use tree_sitter_language::LanguageFn;

unsafe extern "C" {
    fn tree_sitter_cif() -> *const ();
}

/// The grammar.
///
/// It is total: no text gives an ERROR or MISSING node. Mistakes are the nodes `stray_values`,
/// `unexpected`, `unterminated_string`, `unterminated_triple` and `unterminated_text`.
// SAFETY: the generated function takes nothing and returns a pointer to a static language.
pub const LANGUAGE: LanguageFn = unsafe { LanguageFn::from_raw(tree_sitter_cif) };

/// Highlight query with the capture names editors share.
pub const HIGHLIGHTS_QUERY: &str = include_str!("../../queries/highlights.scm");

/// Node types, as JSON.
pub const NODE_TYPES: &str = include_str!("../../src/node-types.json");
