//! Random structures with symmetry and sensible distances: where a search without any template starts (random structure
//! searching, Pickard and Needs, J. Phys.: Condens. Matter 23 (2011) 053201).
//!
//! A start is drawn in five steps: a space group; a cell of its system, not too flat, scaled to a wanted volume; for each
//! element orbits of the group, general or special, until its atoms are used up exactly; and it is kept when no two
//! atoms are closer than a share of the sum of their covalent radii. Special positions need no tables: a random point is moved
//! to what randomly chosen operations leave in place.

mod cell;
mod orbit;
mod start;

pub use start::{Settings, random_structure};
