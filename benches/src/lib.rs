//! Measuring processes and the machine they run on, for the benches.
//!
//! Reads `/proc` and computes; starts nothing and prints nothing.

pub mod machine;
pub mod process;
pub mod stats;
