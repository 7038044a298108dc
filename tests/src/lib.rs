//! The world that CloudCam is tested in: cameras, servers and their faults, as real processes.

pub mod sim;
