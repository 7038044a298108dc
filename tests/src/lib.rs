//! The world that CloudCam is tested in: cameras, servers and their faults, as real processes.

pub mod footage;
pub mod sim;
pub mod wait;
pub mod world;
