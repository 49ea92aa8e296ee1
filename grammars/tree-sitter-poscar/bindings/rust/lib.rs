//! tree-sitter grammar of VASP structure files (POSCAR and CONTCAR of VASP 4, 5 and 6).
//!
//! ```
//! let mut parser = tree_sitter::Parser::new();
//! parser.set_language(&tree_sitter_poscar::LANGUAGE.into())?;
//! let tree = parser.parse("cubic\n1.0\n3 0 0\n0 3 0\n0 0 3\nPo\n1\nDirect\n0 0 0\n", None).unwrap();
//! assert_eq!(tree.root_node().kind(), "source_file");
//! # Ok::<(), tree_sitter::LanguageError>(())
//! ```

use tree_sitter_language::LanguageFn;

unsafe extern "C" {
    fn tree_sitter_poscar() -> *const ();
}

/// The grammar.
///
/// It is total: no text gives an ERROR or MISSING node. It knows the order of the lines only; which
/// rows are atoms follows from the counts.
// SAFETY: the generated function takes nothing and returns a pointer to a static language.
pub const LANGUAGE: LanguageFn = unsafe { LanguageFn::from_raw(tree_sitter_poscar) };

/// Highlight query with the capture names editors share.
pub const HIGHLIGHTS_QUERY: &str = include_str!("../../queries/highlights.scm");

/// Node types, as JSON.
pub const NODE_TYPES: &str = include_str!("../../src/node-types.json");
