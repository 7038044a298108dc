//! What a stream consists of, in the terms of playlists and MP4.

use serde::{Deserialize, Serialize};

/// Which of a camera's streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum StreamKind {
    /// The full-resolution stream.
    #[default]
    Main,
    /// The smaller one that most cameras offer beside it.
    Sub,
}

impl StreamKind {
    /// `main` or `sub`, as in URLs and keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Sub => "sub",
        }
    }
}

impl std::str::FromStr for StreamKind {
    type Err = UnknownStream;
    fn from_str(text: &str) -> Result<Self, UnknownStream> {
        match text {
            "main" => Ok(Self::Main),
            "sub" => Ok(Self::Sub),
            _ => Err(UnknownStream),
        }
    }
}

/// A stream name other than `main` and `sub`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown stream: expected main or sub")]
pub struct UnknownStream;

/// One track of recorded footage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Track {
    /// Pictures.
    Video {
        /// RFC 6381 codec string, such as `avc1.64001f` or `hvc1.1.6.L93.B0`.
        codec: String,
        /// Coded width in pixels.
        width: u32,
        /// Coded height in pixels.
        height: u32,
        /// Measured frames per second, 0 when not yet known.
        fps: f32,
    },
    /// Sound.
    Audio {
        /// RFC 6381 codec string, such as `mp4a.40.2`.
        codec: String,
        /// Samples per second and channel.
        sample_rate_hz: u32,
        /// Number of channels.
        channels: u16,
    },
}

impl Track {
    /// The track's RFC 6381 codec string.
    #[must_use]
    pub fn codec(&self) -> &str {
        match self {
            Self::Video { codec, .. } | Self::Audio { codec, .. } => codec,
        }
    }
}

/// The initialization section (`ftyp` + `moov`) at the head of an object.
///
/// Two objects with the same digest share it, so that a playlist names it once (RFC 8216 §4.3.2.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Init {
    /// Its length in bytes; it starts at offset 0.
    pub length: u32,
    /// First 16 bytes of its SHA-256, in hexadecimal.
    pub digest: String,
}
