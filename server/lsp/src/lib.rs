//! The language server: the only crate that names `tower_lsp`.
mod config;
mod guard;
mod position;
mod transport;
pub use config::settings;
