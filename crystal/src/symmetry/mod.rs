//! Symmetry: operations, space-group tables and symmetry detection (on moyo).

mod detect;
mod operation;
mod spacegroup;
mod xyz;

pub use detect::{Detected, SymmetryError, detect};
pub use operation::Operation;
pub use spacegroup::{CrystalSystem, Setting, metric_misfit};
pub use xyz::OperationError;
