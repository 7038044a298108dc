//! Reads cameras, keeps their clock, cuts and muxes footage.
//!
//! A media library of its own: it knows no tenant, no NATS, no S3, no SQL and no HTTP, and it opens no
//! file. Bytes and facts are handed outward through [`facts`].

pub mod clock;
pub mod cut;
pub mod facts;
pub mod fmp4;
