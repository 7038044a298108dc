//! Live pictures of a camera: one JPEG after the other, on demand, from the access units that are recorded.
//!
//! Who asks for the same size, rate and quality shares one decode and one encode. The first picture comes from
//! the last GOP in memory. A slow consumer gets the newest picture and holds up nobody; the recording never
//! waits. Nothing here knows HTTP: how pictures are sent is the application's.

mod backlog;
mod chain;
mod hub;
mod line;
mod pace;
mod workers;

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;

pub(crate) use backlog::{Backlog, Wanted};
pub(crate) use chain::Chain;
pub(crate) use hub::Hub;
pub(crate) use workers::{Workers, give_way};

/// Widest and highest picture that is made, in pixels.
pub const MAX_SIDE: u32 = 3840;
/// Narrowest and lowest box, in pixels.
pub const MIN_SIDE: u32 = 16;
/// Most pictures a second.
pub const MAX_RATE: u16 = 60;
/// Largest picture that is decoded, in pixels: beyond 8K a decoder's memory would hurt the recording.
pub(crate) const MAX_PIXELS: u64 = 40_000_000;

/// How often there is a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rate {
    /// Of keyframes alone: nothing else is decoded. For thumbnails.
    Keyframes,
    /// No more than so many a second, by capture time; at most [`MAX_RATE`]. None is made up.
    PerSecond(u16),
}

/// What pictures are wanted. Values out of bounds are taken into them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PictureFormat {
    /// Pixels, [`MIN_SIDE`] to [`MAX_SIDE`]. The picture fits into the box, keeps its shape and is never larger
    /// than it was sent.
    pub width: u32,
    /// The same.
    pub height: u32,
    /// How often.
    pub rate: Rate,
    /// Of the JPEG, 1 to 100; 85 is good.
    pub quality: u8,
}

impl PictureFormat {
    fn bounded(self) -> Self {
        Self {
            width: self.width.clamp(MIN_SIDE, MAX_SIDE),
            height: self.height.clamp(MIN_SIDE, MAX_SIDE),
            rate: match self.rate {
                Rate::Keyframes => Rate::Keyframes,
                Rate::PerSecond(rate) => Rate::PerSecond(rate.clamp(1, MAX_RATE)),
            },
            quality: self.quality.clamp(1, 100),
        }
    }
}

/// A picture.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The file.
    pub jpeg: Bytes,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Capture time, milliseconds since 1970 UTC.
    pub captured_ms: i64,
}

/// Why there are no pictures.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// The stream gives no picture. The next keyframe is tried; go on waiting, or give up.
    #[error("the camera's stream cannot be decoded: {0}")]
    Undecodable(String),
    /// The camera's pictures are larger than is decoded.
    #[error("the camera's pictures are too large")]
    TooLarge,
    /// Too many different formats of this camera are wanted at once: ask for one that others watch.
    #[error("too many kinds of pictures are made of this camera")]
    Busy,
    /// GStreamer or the system lacks a part; [`Engine::check`](crate::Engine::check) says which.
    #[error("pictures cannot be made on this machine: {0}")]
    Unsupported(String),
    /// The attempt is over. Ask the next one.
    #[error("the camera's stream has ended")]
    Ended,
}

/// A consumer of pictures. When the last one of a format is dropped, its decoder goes seconds later.
#[derive(Debug)]
pub struct Pictures(watch::Receiver<line::Newest>);

impl Pictures {
    /// The next picture that this consumer has not seen, and always the newest: who is slow misses some.
    /// Cancel safe.
    ///
    /// # Errors
    /// [`PictureError`]. After all but `Ended` more pictures may come.
    pub async fn next(&mut self) -> Result<Arc<Picture>, PictureError> {
        loop {
            self.0.changed().await.map_err(|_| PictureError::Ended)?;
            if let Some(newest) = &*self.0.borrow_and_update() {
                return newest.clone();
            }
        }
    }
}

/// The picture's size in the box, in even numbers, since colour has half the resolution.
pub(crate) fn fitted((width, height): (u32, u32), (most_width, most_height): (u32, u32)) -> (u32, u32) {
    let even = |pixels: u64| u32::try_from(pixels & !1).unwrap_or(u32::MAX).max(2);
    let (wide, high) = (u64::from(width.max(1)), u64::from(height.max(1)));
    let by_height = wide * u64::from(most_height) / high;
    let fits = wide.min(u64::from(most_width)).min(by_height);
    (even(fits), even(high * fits / wide))
}

#[cfg(test)]
mod tests;
