//! Random structures with symmetry and sensible distances: where a search without any template starts (random structure
//! searching, Pickard and Needs, J. Phys.: Condens. Matter 23 (2011) 053201).
//!
//! A start is drawn in five steps: a space group; a cell of its system, not too flat, scaled to a wanted volume; for each
//! element orbits of the group, general or special, until its atoms are used up exactly; and it is kept when no two
//! atoms are closer than a share of the sum of their covalent radii. Special positions need no tables: a random point is moved
//! to what randomly chosen operations leave in place.
//!
//! What comes after the start is a [`Strategy`]: more starts ([`RandomSearch`]), a swarm ([`ParticleSwarm`]) or two densities
//! ([`BayesianSearch`]), the predict-and-optimise baselines of the field (Cheng, Gong and Yin, Nat. Commun. 13 (2022) 1492).

mod bayes;
mod cell;
mod genome;
mod orbit;
mod start;
mod strategy;
mod swarm;

pub use bayes::BayesianSearch;
pub use start::{Settings, random_structure};
pub use strategy::{Problem, RandomSearch, Strategy, search};
pub use swarm::ParticleSwarm;
