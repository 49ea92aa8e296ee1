//! What the outside calls.

pub mod predict;
pub mod relax;
