//! The recorder node: plan → supervised attempts → sealed objects → outbox → upload.
//!
//! The binary is thin; everything is here so that tests reach it. Nothing here knows a tenant or holds a
//! credential of the object store, and recording never waits for the bus.

pub mod app;
pub mod bus;
pub mod check;
pub mod config;
pub mod db;
pub mod enrol;
pub mod erasure;
pub mod https;
pub mod identity;
pub mod ledger;
pub mod machine;
pub mod media;
pub mod session;
pub mod spool;
pub mod supervisor;
pub mod upload;
