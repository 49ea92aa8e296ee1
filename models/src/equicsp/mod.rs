//! EquiCSP: structure prediction by equivariant diffusion of lattice and coordinates.
//!
//! Lin, P., Chen, P., Jiao, R., Mo, Q., Cen, J., Huang, W., Liu, Y., Huang, D. and Lu, Y., *Equivariant Diffusion for
//! Crystal Structure Prediction*, ICML 2024. Given the species of a cell, a lattice (six unbounded numbers,
//! [`lattice`]) and fractional coordinates start as noise and are cleaned in T steps ([`schedule`]). The noise of the
//! coordinates is taught without its circular mean ([`noise`], [`tables`]), so that the answer cannot depend on where
//! the origin is, and the loss asks that exchanging lattice axes exchanges the answer's. DiffCSP (Jiao et al. 2023) is
//! [`config::Config::diffcsp`].

pub mod config;
mod fourier;
pub mod lattice;
pub mod loss;
mod messages;
pub mod model;
pub mod network;
pub mod noise;
pub mod sampler;
pub mod schedule;
pub mod tables;
pub mod task;
pub mod wrapped;

pub use config::Config;
pub use model::Model;
