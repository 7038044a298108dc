//! Use cases: each one checks, decides through `domain`, and changes through `store` and `bus`.
//!
//! Nothing here knows HTTP or SQL.

pub mod session;
pub mod token;
