//! Depacketising: from RTP packets to access units, by Retina as the product uses it.
//!
//! Retina has no public door to this part alone. What is called here it exposes for its own benches, without
//! promise and without documentation; `rtsp` reads through the public door, a socket included.

use std::hint::black_box;
use std::num::NonZeroU16;

use anyhow::{Result, anyhow};
use criterion::Throughput;
use media_core::fmp4::{Sample, VideoCodec};
use retina::client::rtp::InorderParser;
use retina::client::{SessionOptions, Timeline, UnknownRtcpSsrcPolicy};
use retina::codec::{CodecItem, Depacketizer, FrameFormat};
use retina::rtp::PacketHeader;
use retina::testutil::DepacketizeBuf;
use retina::{ConnectionContext, PacketContext, StreamContext};

use crate::footage::{Camera, PPS, SAMPLE_RATE_HZ, SECOND_NS, SPS, START_NS};
use crate::work::Work;

pub(crate) const VIDEO_HZ: u32 = 90_000;
/// Payload of one packet at most, so that it fits an Ethernet frame.
const MAX_PAYLOAD: usize = 1400;
/// RFC 3640 §4.1, as most cameras send AAC.
pub(crate) const AAC_FORMAT: &str =
    "profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1188";

/// Parameter sets of a camera (ITU-T H.265 §7.3.2): VPS, SPS and PPS.
const H265_SETS: [&[u8]; 3] = [
    &[
        0x40, 0x01, 0x0c, 0x01, 0xff, 0xff, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0xb0, 0x00, 0x00, 0x03, 0x00,
        0x00, 0x03, 0x00, 0x5a, 0xac, 0x0c, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0x32, 0xa8,
    ],
    &[
        0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0xb0, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00,
        0x5a, 0xa0, 0x05, 0x82, 0x01, 0xe1, 0x63, 0x6b, 0x92, 0x45, 0x2f, 0xcd, 0xc1, 0x41, 0x81, 0x41, 0x00,
        0x00, 0x03, 0x00, 0x01, 0x00, 0x00, 0x03, 0x00, 0x0c, 0xa1,
    ],
    &[0x44, 0x01, 0xc0, 0xf2, 0xc6, 0x8d, 0x03, 0xb3, 0x40],
];

pub(crate) fn h264() -> Result<Work> {
    let packets = pictures(VideoCodec::H264, &Camera::new().pictures(60));
    depacketise(packets, VIDEO_HZ, || {
        Depacketizer::new("video", "h264", VIDEO_HZ, None, None)
    })
}

pub(crate) fn h265() -> Result<Work> {
    let packets = pictures(VideoCodec::H265, &Camera::new().pictures(60));
    depacketise(packets, VIDEO_HZ, || {
        Depacketizer::new("video", "h265", VIDEO_HZ, None, None)
    })
}

pub(crate) fn aac() -> Result<Work> {
    let packets = sounds(&Camera::new().sounds(60));
    let channels = NonZeroU16::new(1);
    depacketise(packets, SAMPLE_RATE_HZ, move || {
        Depacketizer::new(
            "audio",
            "mpeg4-generic",
            SAMPLE_RATE_HZ,
            channels,
            Some(AAC_FORMAT),
        )
    })
}

fn depacketise(
    packets: Vec<Packet>,
    hz: u32,
    make: impl Fn() -> Result<Depacketizer, String> + 'static,
) -> Result<Work> {
    let bytes: usize = packets.iter().map(|packet| packet.bytes.len()).sum();
    make().map_err(|error| anyhow!(error))?;
    let connection = ConnectionContext::dummy();
    Work::new(Throughput::Bytes(bytes as u64), move || {
        read(black_box(&packets), hz, &make, &connection).unwrap_or(0)
    })
}

fn read(
    packets: &[Packet],
    hz: u32,
    make: impl Fn() -> Result<Depacketizer, String>,
    connection: &ConnectionContext,
) -> Option<u64> {
    let (options, stream, context) = (
        SessionOptions::default(),
        StreamContext::dummy(),
        PacketContext::dummy(),
    );
    let mut parser = InorderParser::new(None, None, UnknownRtcpSsrcPolicy::DropPackets);
    let mut timeline = Timeline::new(None, hz, None).ok()?;
    let mut depacketizer = make().ok()?;
    depacketizer.set_frame_format(FrameFormat::MP4);
    let mut buffer = DepacketizeBuf::new(65_536);
    let mut units = 0;
    for packet in packets {
        let (header, payload) = PacketHeader::validate(&packet.bytes[..]).ok()?;
        let payload = &packet.bytes[usize::from(payload.start)..usize::from(payload.end)];
        let place = (&stream, &context);
        let meta = parser
            .rtp(
                &options,
                place.0,
                None,
                connection,
                place.1,
                &mut timeline,
                0,
                &header,
            )
            .ok()??;
        buffer.push(&mut depacketizer, meta, payload).ok()?;
        while let Some(item) = depacketizer.pull() {
            units += 1;
            match item.ok()? {
                CodecItem::VideoFrame(frame) => drop(black_box(frame.into_data())),
                CodecItem::AudioFrame(frame) => drop(black_box(bytes::Bytes::copy_from_slice(frame.data()))),
                _ => return None,
            }
        }
    }
    Some(units)
}

/// One RTP packet.
pub(crate) struct Packet {
    pub(crate) bytes: Vec<u8>,
    /// When it was captured, nanoseconds since 1970 UTC.
    pub(crate) at_ns: i64,
}

/// The packets of a track, in order (RFC 3550 §5.1).
struct Track {
    payload_type: u8,
    hz: u32,
    packets: Vec<Packet>,
}

impl Track {
    fn push(&mut self, at_ns: i64, marker: bool, parts: &[&[u8]]) {
        let sequence = self.packets.len() as u16;
        let timestamp = i128::from(at_ns - START_NS) * i128::from(self.hz) / i128::from(SECOND_NS);
        let mut bytes = vec![0x80, u8::from(marker) << 7 | self.payload_type];
        bytes.extend(sequence.to_be_bytes());
        bytes.extend((timestamp as u32).to_be_bytes());
        bytes.extend([0, 0, 0, self.payload_type]);
        parts.iter().for_each(|part| bytes.extend(*part));
        self.packets.push(Packet { bytes, at_ns });
    }
}

/// RFC 6184 §5.6 and §5.8, RFC 7798 §4.4.1 and §4.4.3: parameter sets before each keyframe, pictures in fragments.
pub(crate) fn pictures(codec: VideoCodec, pictures: &[Sample]) -> Vec<Packet> {
    let mut track = Track {
        payload_type: 96,
        hz: VIDEO_HZ,
        packets: Vec::new(),
    };
    let sets: &[&[u8]] = match codec {
        VideoCodec::H264 => &[SPS, PPS],
        VideoCodec::H265 => &H265_SETS,
    };
    for picture in pictures {
        if picture.random_access {
            sets.iter()
                .for_each(|set| track.push(picture.pts_ns, false, &[set]));
        }
        // After the length and the header of the canned NAL unit.
        let body = &picture.data[5..];
        let count = body.len().div_ceil(MAX_PAYLOAD);
        for (index, part) in body.chunks(MAX_PAYLOAD).enumerate() {
            let (first, last) = (index == 0, index + 1 == count);
            let flags = u8::from(first) << 7 | u8::from(last) << 6;
            let head: &[u8] = match (codec, picture.random_access) {
                (VideoCodec::H264, true) => &[0x60 | 28, flags | 5],
                (VideoCodec::H264, false) => &[0x40 | 28, flags | 1],
                (VideoCodec::H265, true) => &[49 << 1, 1, flags | 19],
                (VideoCodec::H265, false) => &[49 << 1, 1, flags | 1],
            };
            track.push(picture.pts_ns, last, &[head, part]);
        }
    }
    track.packets
}

/// RFC 3640 §3.3.6: one frame a packet.
pub(crate) fn sounds(sounds: &[Sample]) -> Vec<Packet> {
    let mut track = Track {
        payload_type: 97,
        hz: SAMPLE_RATE_HZ,
        packets: Vec::new(),
    };
    for sound in sounds {
        let size = (sound.data.len() as u16) << 3;
        let head = [16_u16.to_be_bytes(), size.to_be_bytes()];
        track.push(sound.pts_ns, true, &[&head[0], &head[1], &sound.data]);
    }
    track.packets
}
