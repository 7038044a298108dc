//! Starting and measuring processes and the machine they run on, for the benches.
//!
//! Reads `/proc` and computes; knows nothing of what is measured.

pub mod bus;
pub mod children;
pub mod machine;
pub mod process;
pub mod stats;
