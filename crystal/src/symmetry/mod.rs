//! Symmetry: operations, space-group tables and symmetry detection (on moyo).

mod detect;
mod operation;
mod spacegroup;

pub use detect::{Detected, SymmetryError, detect};
pub use operation::{Operation, OperationError};
pub use spacegroup::{CrystalSystem, Setting};
