//! Editor features as plain functions over a [`cellwright_syntax::Parsed`]: plain structs with byte offsets, one
//! module per feature. Knows no LSP and runs no models: what a model said comes in as numbers.

pub mod complete;
pub mod denoise;
pub mod energy;
pub mod facts;
#[cfg(test)]
mod fixtures;
pub mod force_check;
pub mod hints;
pub mod lens;
pub mod measured;
pub mod predict;
pub mod relax;

pub use energy::{Energy, EnergyState};
pub use facts::Facts;
