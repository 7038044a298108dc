//! Starting and measuring processes, databases and the machine they run on, for the benches.
//!
//! Reads `/proc` and computes; knows nothing of what is measured.

pub mod bus;
pub mod children;
pub mod database;
pub mod machine;
pub mod process;
pub mod stats;
