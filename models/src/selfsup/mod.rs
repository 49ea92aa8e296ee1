//! Self-supervised learning of crystals: masked species are named, displaced atoms put back.
//!
//! Liu, F., Chen, Z., Liu, T., Song, R., Lin, Y., Turner, J. J. and Jia, C., *Self-Supervised Generative Models for
//! Crystal Structures*, arXiv:2312.14485. The backbone ([`network`]) is EquiformerV2 (Liao, Wood, Das and Smidt, ICLR
//! 2024): attention over the nearest neighbours, messages convolved in the frame of each edge.

mod attention;
pub mod config;
pub mod corruption;
mod course;
pub mod finetune;
pub mod gan;
pub mod graph;
mod layers;
pub mod loss;
pub mod model;
pub mod network;
mod summary;
pub mod task;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use config::Network;
pub use model::{Mended, Model};
