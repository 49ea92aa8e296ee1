//! The command line as its users meet it: the real binary, real files, exit codes, JSON by schema.

mod cell;
mod check;
mod convert;
mod info;
mod matching;
mod mend;
mod model;
mod predict;
mod support;
mod train;
mod valid;
