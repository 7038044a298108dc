//! NAL units of H.264 and H.265, and the SEI message that carries frame number and capture time.

use bytes::Bytes;

/// Video codec of a simulated camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Codec {
    /// H.264 (AVC).
    H264,
    /// H.265 (HEVC).
    H265,
}

/// Marks our SEI messages among others (user_data_unregistered, H.264 §D.1.7).
const SEI_UUID: [u8; 16] = *b"CloudCam-frame-1";

/// What the SEI message says of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Absolute number of the frame, in presentation order.
    pub frame: u64,
    /// Microseconds since 1970 UTC on the camera's clock.
    pub capture_us: u64,
}

impl Codec {
    /// The NAL unit's type.
    #[must_use]
    pub fn nal_type(self, nal: &[u8]) -> u8 {
        let first = nal.first().copied().unwrap_or_default();
        match self {
            Self::H264 => first & 0x1f,
            Self::H265 => first >> 1 & 0x3f,
        }
    }

    /// A coded slice, not a parameter set or message.
    #[must_use]
    pub fn is_slice(self, nal: &[u8]) -> bool {
        match self {
            Self::H264 => (1..=5).contains(&self.nal_type(nal)),
            Self::H265 => self.nal_type(nal) < 32,
        }
    }

    /// A slice of a keyframe.
    #[must_use]
    pub fn is_keyframe(self, nal: &[u8]) -> bool {
        match self {
            Self::H264 => self.nal_type(nal) == 5,
            Self::H265 => (16..=23).contains(&self.nal_type(nal)),
        }
    }

    /// SPS, PPS or VPS.
    #[must_use]
    pub fn is_parameter_set(self, nal: &[u8]) -> bool {
        match self {
            Self::H264 => matches!(self.nal_type(nal), 7 | 8),
            Self::H265 => (32..=34).contains(&self.nal_type(nal)),
        }
    }

    /// Whether a slice is the first one of its picture.
    fn starts_picture(self, nal: &[u8]) -> bool {
        let byte = match self {
            Self::H264 => nal.get(1),
            Self::H265 => nal.get(2),
        };
        byte.is_some_and(|byte| byte & 0x80 != 0)
    }

    /// The SEI NAL unit with a stamp.
    #[must_use]
    pub fn stamp(self, stamp: Stamp) -> Bytes {
        let mut payload = vec![5, 32];
        payload.extend(SEI_UUID);
        payload.extend(stamp.frame.to_be_bytes());
        payload.extend(stamp.capture_us.to_be_bytes());
        payload.push(0x80);
        let mut nal = match self {
            Self::H264 => vec![6],
            Self::H265 => vec![39 << 1, 1],
        };
        let mut zeros = 0;
        for byte in payload {
            if zeros == 2 && byte <= 3 {
                nal.push(3);
                zeros = 0;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            nal.push(byte);
        }
        nal.into()
    }
}

/// All stamps in a byte stream (Annex B or length-prefixed), in decode order.
#[must_use]
pub fn stamps(stream: &[u8]) -> Vec<Stamp> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(position) = find(&stream[at..], &SEI_UUID) {
        at += position + SEI_UUID.len();
        let body = unescape(&stream[at..stream.len().min(at + 32)]);
        if let (Some(frame), Some(capture)) = (body.get(0..8), body.get(8..16)) {
            found.push(Stamp {
                frame: be64(frame),
                capture_us: be64(capture),
            });
        }
    }
    found
}

fn be64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn unescape(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut zeros = 0;
    for &byte in bytes {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
    out
}

/// Splits an Annex B byte stream into NAL units.
#[must_use]
pub fn nals(stream: &[u8]) -> Vec<Bytes> {
    let stream = Bytes::copy_from_slice(stream);
    let mut starts = Vec::new();
    let mut at = 0;
    while at + 3 <= stream.len() {
        if stream[at..at + 3] == [0, 0, 1] {
            starts.push(at + 3);
            at += 3;
        } else {
            at += 1;
        }
    }
    let ends = starts.iter().skip(1).map(|start| start - 3).chain([stream.len()]);
    let trim = |start: usize, mut end: usize| {
        while end > start && stream[end - 1] == 0 {
            end -= 1;
        }
        stream.slice(start..end)
    };
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| trim(*start, end))
        .filter(|nal| !nal.is_empty())
        .collect()
}

/// Groups NAL units into access units.
#[must_use]
pub fn access_units(codec: Codec, nals: Vec<Bytes>) -> Vec<Vec<Bytes>> {
    let mut units: Vec<Vec<Bytes>> = Vec::new();
    let mut has_slice = true;
    for nal in nals {
        let slice = codec.is_slice(&nal);
        if has_slice && (!slice || codec.starts_picture(&nal)) {
            units.push(Vec::new());
            has_slice = false;
        }
        has_slice |= slice;
        if let Some(unit) = units.last_mut() {
            unit.push(nal);
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_survive_emulation_prevention() {
        for codec in [Codec::H264, Codec::H265] {
            let stamp = Stamp {
                frame: 3,
                capture_us: 0x0000_0100_0000_0302,
            };
            let nal = codec.stamp(stamp);
            assert!(!nal.windows(3).any(|w| w[0] == 0 && w[1] == 0 && w[2] < 3));
            assert_eq!(stamps(&nal), [stamp]);
        }
    }
}
