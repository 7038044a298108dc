//! Timeline, calendar and playback for the browser; the panel uses them too.
//!
//! All HTTP goes through [`api`]. Pure arithmetic (geometry, calendar, positions) is apart from components,
//! so that it is tested natively.

pub mod api;
pub mod calendar;
pub mod civil;
pub mod hls;
pub mod page;
pub mod playback;
pub mod position;
pub mod session;
pub mod sse;
pub mod state;
pub mod timeline;
mod token;
