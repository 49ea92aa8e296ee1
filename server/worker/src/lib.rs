//! The inference protocol (typed JSON lines), the worker's main loop, and the supervisor that keeps a
//! worker alive. Knows no text files, no LSP.

#![expect(
    clippy::large_enum_variant,
    reason = "messages are few and moved a handful of times; boxes would only hide the protocol"
)]

pub mod protocol;
pub mod serve;
pub mod supervisor;
