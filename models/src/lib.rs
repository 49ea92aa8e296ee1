//! Everything learned: networks, the tasks the outside calls, training and evaluation.
//!
//! Knows the crystal and tensors; knows no text, no LSP and no processes.

pub mod chgnet;
pub mod data;
pub mod device;
pub mod equicsp;
pub mod error;
pub mod eval;
pub mod hull;
pub mod nn;
pub mod potential;
pub mod prototypes;
pub mod search;
pub mod selfsup;
pub mod sevennet;
pub mod tasks;
pub mod weights;

pub use error::ModelError;
pub use potential::{Evaluation, Potential, Provenance};
