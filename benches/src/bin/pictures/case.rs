//! What is measured, and what it may cost.

use crate::ours::Kind;

/// One measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    /// As in the table.
    pub name: &'static str,
    /// What our side does.
    pub kind: Kind,
    pub width: u32,
    pub height: u32,
    /// Pictures a second of each consumer; 0 for single pictures.
    pub rate: u16,
    /// So many FFmpegs beside our one process.
    pub consumers: usize,
    /// Our CPU time as a share of FFmpeg's.
    pub target: f64,
}

/// The first picture must be there so soon after it was asked for, milliseconds.
pub(crate) const FIRST_PICTURE_MS: f64 = 300.0;

/// Quality of our pictures.
pub(crate) const QUALITY: u8 = 85;

/// The targets' own list.
pub(crate) const CASES: [Case; 4] = [
    Case {
        name: "720p15",
        kind: Kind::Stream,
        width: 1280,
        height: 720,
        rate: 15,
        consumers: 1,
        target: 0.6,
    },
    Case {
        name: "360p5",
        kind: Kind::Stream,
        width: 640,
        height: 360,
        rate: 5,
        consumers: 1,
        target: 1.0,
    },
    Case {
        name: "360p5 × 10",
        kind: Kind::Stream,
        width: 640,
        height: 360,
        rate: 5,
        consumers: 10,
        target: 0.1,
    },
    Case {
        name: "thumbnail",
        kind: Kind::Thumbnails,
        width: 320,
        height: 180,
        rate: 0,
        consumers: 1,
        target: 0.15,
    },
];

impl Case {
    /// Arguments of the FFmpeg that does the same for one consumer. Quality as given; pictures go nowhere.
    pub(crate) fn ffmpeg(&self, url: &str, quality: u32, progress: &str) -> Vec<String> {
        let quality = quality.to_string();
        let mut arguments = vec![
            "-nostdin",
            "-loglevel",
            "error",
            "-rtsp_transport",
            "tcp",
            "-i",
            url,
            "-an",
        ];
        let filter = match self.kind {
            Kind::Stream if self.width == 1280 => None,
            Kind::Stream => Some(format!("fps={},scale={}:{}", self.rate, self.width, self.height)),
            Kind::Thumbnails => Some(format!("scale={}:{}", self.width, self.height)),
        };
        if let Some(filter) = &filter {
            arguments.extend(["-vf", filter]);
        }
        if self.kind == Kind::Thumbnails {
            arguments.extend(["-frames:v", "1"]);
        }
        arguments.extend([
            "-q:v",
            &quality,
            "-progress",
            progress,
            "-f",
            "mjpeg",
            "-y",
            "/dev/null",
        ]);
        arguments.into_iter().map(str::to_owned).collect()
    }
}
