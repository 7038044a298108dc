//! Reads cameras, keeps their clock, cuts and muxes footage.
//!
//! A media library of its own: it knows no tenant, no NATS, no S3, no SQL and no HTTP, and it opens no
//! file. Bytes and facts are handed outward through [`facts`].
//!
//! [`Engine`] is the door: one for a process, whatever the number of cameras.

pub mod clock;
pub mod cut;
pub mod element;
mod engine;
mod errors;
pub mod facts;
pub mod fanout;
pub mod fmp4;
pub mod gate;
mod memory;
mod parts;
pub mod pictures;
mod plugins;
mod probe;
mod reading;
pub mod record;
pub mod snapshot;
mod source;
mod states;

pub use engine::{Engine, EngineConfig, MediaError, gstreamer_version, init};
pub use fanout::{AccessUnit, CodecParams, Gop, Subscription};
pub use parts::Parts;
pub use plugins::MissingPlugin;
pub use record::Attempt;
