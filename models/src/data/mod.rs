//! Training data: crystals read from compressed JSON Lines, and mini-batches of crystals of equal size.

mod batches;
mod read;
mod sets;
#[cfg(test)]
pub(crate) mod testing;

pub use batches::{Batch, batches};
pub use read::{Crystal, Entry, Label, entries, labels, read, sha256};
pub use sets::{Seen, Sets, Split};
