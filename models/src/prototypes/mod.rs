//! Structures by substitution: known crystals whose elements are replaced.
//!
//! A [`Library`] holds known crystals in classes: crystals that are the same when their elements are renamed (matching
//! without elements in the sense of pymatgen's `StructureMatcher`, at its default tolerances). For a composition every
//! class with the same counts is tried with every assignment of elements to its slots that is not the same by a symmetry
//! of the class ([`Library::query`]); the members nearest in chemistry lend their geometry, a fitted [`volume`] model
//! its size. A small network, the [`ranker`], says how likely each is.
//!
//! Nearest neighbours of this kind, without anything learned, find more crystals of MP-20 and MPTS-52 from their first
//! guess than the published diffusion models.

mod build;
mod format;
mod geometry;
mod library;
mod mendeleev;
mod orbits;
mod partial;
mod permutations;
mod query;
mod question;
pub mod ranker;
pub mod volume;

pub use build::{Foreign, Known, build, read};
pub use library::{Class, Library, Member, Provenance};
pub(crate) use mendeleev::mendeleev;
pub use query::{Block, Hit, Kind, Near};
pub use question::Question;
