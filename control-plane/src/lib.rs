//! The server: cameras, plans, the index of footage, playlists and the web interface.
//!
//! `http` and `bus` take requests, `app` holds the use cases, `domain` the pure rules, `store` the SQL,
//! `objects` the bytes, `tasks` what runs on its own. `domain` reads no clock and imports no I/O crate;
//! nothing outside `store` knows SQL.

pub mod app;
pub mod bus;
pub mod cli;
pub mod config;
pub mod domain;
pub mod error;
pub mod http;
pub mod objects;
pub mod secrets;
pub mod server;
pub mod state;
pub mod store;
pub mod tasks;

pub use error::Error;
pub use state::AppState;
