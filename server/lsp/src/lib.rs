//! The language server: the only crate that names `tower_lsp`.
mod position;
