//! The server through its public doors: HTTP, the bus, the configuration file.

#[path = "../support/mod.rs"]
mod support;

mod binary;
mod bus;
mod cameras;
mod configuration;
mod pages;
mod session;
mod store;
mod tenants;
