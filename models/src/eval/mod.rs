//! How good models are, measured as the field measures it.

pub mod calibration;
pub mod chemistry;
mod choice;
pub mod csp;
pub mod finish;
pub mod generation;
pub mod prototypes;
mod rate;
pub mod search;
pub mod selfsup;
mod validity;

pub use rate::Rate;
pub use validity::{Validity, validity};
