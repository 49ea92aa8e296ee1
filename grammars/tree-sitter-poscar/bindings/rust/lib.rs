//! tree-sitter grammar.
