//! Building blocks that several models share.
//!
//! Element-wise work is where candle on a CPU is slow, so the inner loops of message passing are operations of our own
//! with their own derivative: [`gather::gather_sum`], [`gated::GatedMlp`], [`linear::Linear`]. Each has the same
//! function written with ordinary candle operations beside it. That one runs on other devices, and the tests hold the
//! two together, values and gradients. The parameters inside [`gated`], [`gather`] and [`linear`] are frozen,
//! gradients flow to the inputs only; those of [`activation`] and [`norm`] are trainable.
//!
//! Training is the rest: named [`parameters`], [`adam`], the [`plateau`] schedule, a running [`average`] of the
//! weights, [`checkpoint`]s and the loop, [`train`]. It knows no model.

pub mod activation;
pub mod adam;
pub mod average;
pub mod checkpoint;
pub mod gated;
pub mod gather;
pub mod index;
pub(crate) mod kernels;
pub mod linear;
pub mod norm;
pub mod parameters;
pub mod plateau;
pub(crate) mod product;
pub mod random;
pub mod so3;
pub mod softmax;
pub(crate) mod storage;
#[cfg(test)]
pub(crate) mod testing;
pub mod train;
