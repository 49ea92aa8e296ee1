//! Symmetry: operations, space-group tables and symmetry detection (on moyo).

mod detect;
mod group;
mod hall;
mod hm;
mod idealise;
mod kind;
mod operation;
mod permutation;
mod places;
mod point_group;
mod spacegroup;
mod xyz;

pub use detect::{Detected, SymmetryError, detect};
pub(crate) use detect::{operations, search};
pub use group::generate;
pub(crate) use group::same_set;
pub use hall::hall_operations;
pub use idealise::{IdealiseError, idealise, symmetric_lattice};
pub use operation::Operation;
pub use permutation::{PermutationError, SitePermutation, site_permutations};
pub use point_group::PointGroup;
pub use spacegroup::{CrystalSystem, Setting, metric_misfit};
pub use xyz::OperationError;
