//! What the cameras send.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

/// Size, rate and bit rate of the pictures. A keyframe comes every two seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
pub(crate) enum Pictures {
    /// 1280×720, 15 a second, 2 Mbit/s
    #[value(name = "720p15-2m")]
    #[serde(rename = "720p15-2m")]
    P720,
    /// 1920×1080, 25 a second, 4 Mbit/s
    #[value(name = "1080p25-4m")]
    #[serde(rename = "1080p25-4m")]
    P1080,
    /// 3840×2160, 15 a second, 8 Mbit/s
    #[value(name = "4k15-8m")]
    #[serde(rename = "4k15-8m")]
    P2160,
}

/// The video codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Codec {
    H264,
    H265,
}

/// What all cameras of a round send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Case {
    pub pictures: Pictures,
    pub codec: Codec,
    /// AAC-LC, 16 kHz, mono.
    pub audio: bool,
    /// One camera of so many is watched as Motion JPEG, in its own size and rate; none: none.
    pub watch_every: Option<usize>,
}

/// Quality of the pictures that are watched: FFmpeg's `-q:v`, and the JPEG quality whose files are as large.
pub(crate) const WATCHED_QUALITY: (u32, u8) = (4, 85);

impl Case {
    /// Which of the cameras are watched.
    pub(crate) fn watched(&self, cameras: usize) -> impl Iterator<Item = usize> + use<> {
        let step = self.watch_every.unwrap_or(usize::MAX);
        (0..cameras)
            .step_by(step)
            .take(if self.watch_every.is_some() { cameras } else { 0 })
    }
}

impl Pictures {
    pub(crate) const fn size(self) -> (u32, u32) {
        match self {
            Self::P720 => (1280, 720),
            Self::P1080 => (1920, 1080),
            Self::P2160 => (3840, 2160),
        }
    }

    /// Pictures a second.
    pub(crate) const fn fps(self) -> u32 {
        match self {
            Self::P720 | Self::P2160 => 15,
            Self::P1080 => 25,
        }
    }

    pub(crate) const fn kbps(self) -> u32 {
        match self {
            Self::P720 => 2_000,
            Self::P1080 => 4_000,
            Self::P2160 => 8_000,
        }
    }

    /// Pictures from one keyframe to the next.
    pub(crate) const fn gop(self) -> u32 {
        self.fps() * 2
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pictures = self.pictures.to_possible_value();
        let pictures = pictures.as_ref().map_or("", |value| value.get_name());
        let codec = match self.codec {
            Codec::H264 => "h264",
            Codec::H265 => "h265",
        };
        write!(f, "{pictures} {codec}{}", if self.audio { "+aac" } else { "" })?;
        match self.watch_every {
            Some(every) => write!(f, "+mjpeg/{every}"),
            None => Ok(()),
        }
    }
}
