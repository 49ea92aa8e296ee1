//! The inference protocol (typed JSON lines), the worker's main loop, and the supervisor that keeps a
//! worker alive. Knows no text files, no LSP.

pub mod protocol;
pub mod serve;
pub mod supervisor;
