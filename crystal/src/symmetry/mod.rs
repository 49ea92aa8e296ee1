//! Symmetry: operations, space-group tables and symmetry detection (on moyo).

mod detect;
mod group;
mod hall;
mod hm;
mod kind;
mod operation;
mod permutation;
mod spacegroup;
mod xyz;

pub use detect::{Detected, SymmetryError, detect};
pub use group::generate;
pub use hall::hall_operations;
pub use operation::Operation;
pub use permutation::{PermutationError, SitePermutation, site_permutations};
pub use spacegroup::{CrystalSystem, Setting, metric_misfit};
pub use xyz::OperationError;
