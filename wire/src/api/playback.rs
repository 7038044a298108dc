//! What there is to watch.

use serde::{Deserialize, Serialize};

use crate::coverage::Stretch;
use crate::time::UnixMs;

/// `GET /player-api/cameras/{id}/days?from=2026-01-01&to=2026-02-01&tz=Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Days {
    /// Days with footage, `2026-01-31`, in the time zone asked for.
    pub days: Vec<Day>,
}

/// One day of the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Day {
    /// `2026-01-31`.
    pub date: String,
    /// Milliseconds of footage in it.
    pub footage_ms: u64,
    /// Bit h is set when hour h of the local day has footage (bit 24 for the 25th hour of a long day).
    pub hours: u32,
}

/// `GET /player-api/cameras/{id}/coverage?from=…&to=…`: in order, no overlap, nothing left out between
/// the camera's first planned instant and now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Coverage {
    /// The stretches.
    pub stretches: Vec<Stretch>,
}

/// `GET /player-api/cameras/{id}/playback?from=…&to=…`: a signed address of the range's playlist.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Playback {
    /// Path and query of the multivariant playlist.
    pub url: String,
    /// When the address stops working.
    pub expires: UnixMs,
    /// RFC 6381 codec strings in it, for `MediaSource.isTypeSupported`.
    pub codecs: Vec<String>,
}

impl std::fmt::Debug for Playback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Playback")
            .field("expires", &self.expires)
            .field("codecs", &self.codecs)
            .finish_non_exhaustive()
    }
}
