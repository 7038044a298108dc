//! Building media playlists: what the server does for each player, and again while a list grows.

use std::hint::black_box;

use anyhow::Result;
use control_plane::domain::playlist::{Ending, Footage, MediaUrls, media, select};
use criterion::Throughput;
use wire::media::Init;
use wire::{ObjectId, Segment, SegmentTable, TimeRange, Track, UnixMs};

use crate::footage::START_MS;
use crate::work::Work;

pub(crate) fn hour() -> Result<Work> {
    playlist(60)
}

pub(crate) fn day() -> Result<Work> {
    playlist(1440)
}

fn playlist(minutes: i64) -> Result<Work> {
    let footage: Vec<Footage> = (0..minutes).map(object).collect();
    let range = TimeRange::new(UnixMs(START_MS), UnixMs(START_MS + minutes * 60_000))?;
    Work::new(Throughput::Elements(minutes.unsigned_abs() * 10), move || {
        media(&select(black_box(&footage), range), Ending::Vod, &Urls).len() as u64
    })
}

/// Addresses as long as signed ones are.
struct Urls;

impl MediaUrls for Urls {
    fn object(&self, object: ObjectId) -> String {
        format!(
            "/footage/{object}.mp4?exp=1769932800&sig={}",
            "0123456789abcdef".repeat(4)
        )
    }

    fn gap(&self) -> String {
        "/footage/gap.mp4".to_owned()
    }
}

/// A minute in ten segments; one in 60 starts after a second of nothing.
fn object(index: i64) -> Footage {
    let start = START_MS + index * 60_000 + if index % 60 == 0 { 1_000 } else { 0 };
    let segment = |part: i64| Segment {
        offset: 800 + part as u64 * 1_500_000,
        length: 1_500_000,
        start: UnixMs(start + part * 6_000),
        duration_ms: if part == 9 {
            (START_MS + (index + 1) * 60_000 - start - 54_000) as u32
        } else {
            6_000
        },
    };
    Footage {
        id: ObjectId::from_bytes((index as u128 + 1).to_be_bytes()),
        epoch: 1,
        previous: (index > 0).then(|| ObjectId::from_bytes((index as u128).to_be_bytes())),
        init: Init {
            length: 800,
            digest: "00112233445566778899aabbccddeeff".to_owned(),
        },
        tracks: vec![Track::Video {
            codec: "avc1.42c01f".to_owned(),
            width: 1280,
            height: 720,
            fps: 15.0,
        }],
        segments: SegmentTable((0..10).map(segment).collect()),
    }
}
