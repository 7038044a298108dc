//! Snapshots: one keyframe of a running attempt, decoded, scaled and made a JPEG.
//!
//! On a few threads of its own and within a time limit: recording never waits for a picture. A pipeline lives
//! for one picture; nothing is kept between two.

use std::time::{Duration, Instant};

use crate::fanout::{AccessUnit, CodecParams};
use crate::pictures::{Chain, MAX_PIXELS, fitted, give_way};
use crate::states::StateThreads;

/// Widest picture that is made, in pixels.
pub const MAX_WIDTH: u32 = 3840;
/// Narrowest picture that is made, in pixels.
pub const MIN_WIDTH: u32 = 16;
/// Quality of the JPEG and share of the width, tried in turn until the picture fits.
const STEPS: [(u8, u32); 5] = [(85, 100), (65, 100), (60, 75), (50, 50), (40, 25)];

/// How large a snapshot may be.
#[derive(Debug, Clone, Copy)]
pub struct SnapshotLimits {
    /// Pixels; taken into [`MIN_WIDTH`]..=[`MAX_WIDTH`]. A picture is never made wider than it was sent.
    pub max_width: u32,
    /// Bytes of the JPEG.
    pub max_bytes: usize,
    /// From the call to the answer.
    pub time: Duration,
}

/// A picture.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The file.
    pub jpeg: Vec<u8>,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Capture time, milliseconds since 1970 UTC.
    pub captured_ms: i64,
}

/// Why there is no snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Too many at once, or the machine is too slow: try again later.
    #[error("no picture could be made in time")]
    Busy,
    /// This keyframe gives no picture; the next one may.
    #[error("the keyframe cannot be decoded: {0}")]
    Undecodable(String),
    /// No picture of this camera fits.
    #[error("the picture is too large")]
    TooLarge,
    /// GStreamer lacks a part; [`Engine::check`](crate::Engine::check) says which.
    #[error("pictures cannot be made on this machine: {0}")]
    Unsupported(String),
}

/// Makes a snapshot of a keyframe.
pub(crate) async fn make(
    threads: &StateThreads,
    unit: AccessUnit,
    limits: SnapshotLimits,
) -> Result<Snapshot, SnapshotError> {
    let deadline = Instant::now() + limits.time;
    let work = threads.run(move || fit(&unit, limits, deadline));
    match tokio::time::timeout(limits.time, work).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) | Err(_) => Err(SnapshotError::Busy),
    }
}

/// Tries sizes and qualities until one fits.
fn fit(unit: &AccessUnit, limits: SnapshotLimits, deadline: Instant) -> Result<Snapshot, SnapshotError> {
    give_way();
    let CodecParams::Video(track) = &*unit.params else {
        return Err(SnapshotError::Undecodable("it is no picture".to_owned()));
    };
    let (width, height) = track.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(SnapshotError::TooLarge);
    }
    let chain =
        Chain::start(track.codec(), None).map_err(|error| SnapshotError::Unsupported(error.to_string()))?;
    for (quality, percent) in STEPS {
        if Instant::now() >= deadline {
            return Err(SnapshotError::Busy);
        }
        let widest = limits.max_width.clamp(MIN_WIDTH, MAX_WIDTH).min(width) * percent / 100;
        let size = fitted((width, height), (widest, u32::MAX));
        chain.form((width, height), size, quality);
        let jpeg = encode(&chain, unit)?;
        if jpeg.len() <= limits.max_bytes {
            return Ok(Snapshot {
                jpeg,
                width: size.0,
                height: size.1,
                captured_ms: unit.pts_ns.div_euclid(crate::clock::MS_NS),
            });
        }
    }
    Err(SnapshotError::TooLarge)
}

/// One run: the keyframe in, a JPEG out.
fn encode(chain: &Chain, unit: &AccessUnit) -> Result<Vec<u8>, SnapshotError> {
    chain
        .push(unit, true)
        .map_err(|error| SnapshotError::Undecodable(error.to_string()))?;
    chain.drain();
    let coded = chain.coded().pop();
    let coded =
        coded.ok_or_else(|| SnapshotError::Undecodable("the decoder made no picture of it".to_owned()))?;
    Ok(coded.jpeg.to_vec())
}
