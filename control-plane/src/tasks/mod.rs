//! Work that nobody asks for: it looks at the present state and puts right what differs.

pub mod completeness;
pub mod eraser;
pub mod keys;
pub mod lease;
pub mod planner;
pub mod presence;
pub mod upkeep;
