//! What a crystal is: elements, composition, lattice and its reduction, structure, other cells of it,
//! neighbours, symmetry, charge balance and matching, and how predictions are judged. This crate knows no
//! text, no files and no tensors.
//!
//! Conventions, everywhere: the lattice matrix has the lattice vectors as **rows** (Å); Cartesian
//! positions are `x = f · L` with `f` fractional row vectors; angles at the surface are in degrees. Coordinates are
//! not wrapped behind one's back. Tolerances are arguments. Input that makes no sense is an error value.
//!
//! ```
//! use cellwright_crystal::cells::{standard, supercell};
//! use cellwright_crystal::charge::{Balance, balance};
//! use cellwright_crystal::matching::Matcher;
//! use cellwright_crystal::neighbors::neighbors;
//! use cellwright_crystal::symmetry::detect;
//! use cellwright_crystal::{Lattice, Site, Structure};
//! use nalgebra::{Matrix3, Vector3};
//!
//! // The primitive cell of rock salt.
//! let salt = Structure {
//!     lattice: Lattice::from_parameters([3.988; 3], [60.0; 3])?,
//!     sites: vec![
//!         Site::new("Na".parse()?, Vector3::zeros()),
//!         Site::new("Cl".parse()?, Vector3::repeat(0.5)),
//!     ],
//! };
//! assert!((salt.density() - 2.16).abs() < 0.01);
//!
//! // Each sodium has six chlorines, and the group is F m -3 m with eight atoms in the conventional cell.
//! let near = neighbors(&salt.lattice, &salt.fractional(), 3.0)?;
//! assert_eq!(near.of(0).len(), 6);
//! assert_eq!(detect(&salt, 0.01)?.hm, "F m -3 m");
//! assert_eq!(standard(&salt, 0.01)?.conventional.structure.len(), 8);
//!
//! // In any cell, with its atoms a little moved, it is the same crystal.
//! let mut other = supercell(&salt, &Matrix3::new(1, 1, 0, -1, 1, 0, 0, 0, 1))?.structure;
//! other.sites[0].frac.x += 0.01;
//! let matcher = Matcher::default();
//! let (a, b) = (matcher.prepare(&salt)?, matcher.prepare(&other)?);
//! assert!(matcher.fit(&a, &b));
//!
//! // Its charges add up.
//! assert!(matches!(balance(&salt.composition(), 0.01), Balance::Neutral { .. }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | wanted | function | method |
//! |---|---|---|
//! | all neighbours within a distance, the closest pair | [`neighbors`] | cell lists in a reduced basis |
//! | the Niggli or Delaunay cell | [`reduction`] | Křivý & Gruber 1976, Grosse-Kunstleve et al. 2004; Delaunay 1933 |
//! | space group, Wyckoff letters, settings and their operations | [`symmetry`] | moyo; Hall 1981 |
//! | primitive and conventional cells, supercells, edits | [`cells`] | Hermite normal form |
//! | are two structures one crystal? | [`matching`] | pymatgen's StructureMatcher |
//! | a fingerprint that no description changes | [`fingerprint`] | average minimum distances, Widdowson et al. 2022 |
//! | oxidation states, charge balance, bond valences | [`charge`] | ICSD statistics; O'Keeffe & Brese 1991 |
//! | match rates, validity, earth mover's distance | [`metrics`] | CDVAE 2022, DiffCSP 2023, METRe 2025 |

#[cfg(test)]
mod arbitrary;
pub mod cells;
pub mod charge;
pub mod composition;
pub mod element;
pub mod fingerprint;
pub mod formula;
#[cfg(test)]
mod invariance;
pub mod lattice;
pub mod matching;
pub mod metrics;
pub mod neighbors;
pub mod reduction;
pub mod structure;
pub mod symmetry;

pub use composition::Composition;
pub use element::Element;
pub use formula::{FormulaError, FormulaErrorKind};
pub use lattice::{Lattice, LatticeError};
pub use structure::{Site, Structure};
