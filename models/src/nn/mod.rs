//! Building blocks that several models share.
//!
//! Element-wise work is where candle on a CPU is slow, so the inner loops of message passing are operations of our own with
//! their own derivative: [`gather::gather_sum`], [`gated::GatedMlp`], [`linear::Linear`]. Each has the same function written
//! with ordinary candle operations beside it. That one runs on other devices, and the tests hold the two together, values and
//! gradients. The parameters inside our operations are frozen: gradients flow to the inputs only.

pub mod gated;
pub mod gather;
pub mod index;
mod kernels;
pub mod linear;
pub mod norm;
mod storage;
