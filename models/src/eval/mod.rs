//! How good models are, measured as the field measures it.

pub mod csp;
pub mod finish;
pub mod prototypes;
