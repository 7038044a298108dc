//! Footage through the public door: playlists, bytes, uploads, calendar and ledger.

#[cfg(test)]
#[expect(dead_code, reason = "shared with the other tests")]
#[path = "../support/mod.rs"]
mod support;

#[cfg(test)]
mod api;
#[cfg(test)]
mod copy;
#[cfg(test)]
mod ffmpeg;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod playlist;
#[cfg(test)]
mod relay;
