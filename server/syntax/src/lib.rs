//! Text ⇄ crystal. Any bytes give a tree, a list of problems and as much structure as is really
//! there; every fact is tied to a byte range; every change is the smallest text edit that does it.
//!
//! This crate knows no diagnostics policy (that is `cellwright-checks`), no LSP and no models.

pub mod cif;
pub mod composition_line;
pub mod document;
pub mod edit;
mod foreign;
pub mod mistyped;
pub mod poscar;
pub mod problem;
pub mod reading;
pub mod text;
pub mod value;
pub mod write;

pub use composition_line::{CompositionLine, composition_lines};
pub use document::{Document, File, Language, Parsed};
pub use problem::{Problem, ProblemKind};
pub use reading::{AtomSite, Reading};
pub use text::{Span, TextEdit};
