//! What the outside calls.

pub mod relax;
