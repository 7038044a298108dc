//! Footage through the public door: playlists, bytes, uploads, calendar and ledger.

#[expect(dead_code, reason = "shared with the other tests")]
#[path = "../support/mod.rs"]
mod support;

mod api;
mod ffmpeg;
mod fixture;
mod objects;
mod playlist;
mod relay;
