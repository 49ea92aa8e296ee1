//! The walls of the house, as sentences that can fail. CONTRIBUTING.md says why they stand there.

mod arrows;
mod sources;
