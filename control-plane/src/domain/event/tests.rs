//! Events that are taken, and those that can never be true.

use wire::{CameraId, ObjectId, Segment, StreamKind};

use super::*;

const T: i64 = 1_769_846_400_000;

fn node() -> NodeId {
    NodeId::from_bytes([1; 16])
}

fn object() -> SealedObject {
    let segments = (0..10).map(|i| Segment {
        offset: 800 + i * 1_000,
        length: 1_000,
        start: UnixMs(T + i as i64 * 6_000),
        duration_ms: 6_000,
    });
    SealedObject {
        id: ObjectId::from_bytes([2; 16]),
        camera: CameraId::from_bytes([3; 16]),
        stream: StreamKind::Main,
        node: node(),
        epoch: 1,
        previous: None,
        start: UnixMs(T),
        end: UnixMs(T + 60_000),
        bytes: 10_800,
        sha256: "ab".repeat(32),
        init: Init {
            length: 800,
            digest: "cd".repeat(16),
        },
        tracks: vec![Track::Video {
            codec: "avc1.64001f".to_owned(),
            width: 1280,
            height: 720,
            fps: 15.0,
        }],
        segments: SegmentTable(segments.collect()),
    }
}

#[test]
fn takes_a_minute_of_footage() {
    assert_eq!(check(&NodeEvent::ObjectSealed(object()), node()), Ok(()));
}

type Spoil = fn(&mut SealedObject);

#[rustfmt::skip]
const SPOILT: &[(&str, Spoil)] = &[
    ("other_node", |o| o.node = NodeId::from_bytes([9; 16])),
    ("backwards", |o| o.end = UnixMs(T - 1)),
    ("empty", |o| o.end = o.start),
    ("year_1", |o| o.start = UnixMs(-62_135_596_800_000)),
    ("year_99999", |o| o.end = UnixMs(3_093_527_980_800_000)),
    ("no_end", |o| o.end = UnixMs(i64::MAX)),
    ("long", |o| o.end = UnixMs(T + MAX_OBJECT_MS + 1)),
    ("no_bytes", |o| o.bytes = 0),
    ("many_bytes", |o| o.bytes = u64::MAX),
    ("short_digest", |o| o.sha256 = "ab".to_owned()),
    ("no_digest", |o| o.sha256 = "zz".repeat(32)),
    ("itself", |o| o.previous = Some(o.id)),
    ("no_init", |o| o.init.length = 0),
    ("big_init", |o| o.init.length = u32::MAX),
    ("init_digest", |o| o.init.digest = "\"\n#EXT".to_owned()),
    ("no_track", |o| o.tracks.clear()),
    ("codec_injection", |o| o.tracks = vec![Track::Audio { codec: "mp4a\"\n#EXT-X-ENDLIST".to_owned(), sample_rate_hz: 1, channels: 1 }]),
    ("no_segment", |o| o.segments.0.clear()),
    ("into_init", |o| o.segments.0[0].offset = 0),
    ("overlap", |o| o.segments.0[1].offset -= 1),
    ("past_the_end", |o| o.segments.0[9].length = 1_001),
    ("huge_offset", |o| o.segments.0[9].offset = u64::MAX),
    ("empty_segment", |o| o.segments.0[3].length = 0),
    ("no_duration", |o| o.segments.0[3].duration_ms = 0),
    ("out_of_order", |o| o.segments.0[3].start = UnixMs(T)),
    ("before_the_object", |o| o.segments.0[0].start = UnixMs(T - 1_000)),
    ("after_the_object", |o| o.segments.0[9].duration_ms = 20_000),
];

#[test]
fn refuses_what_cannot_be_true() {
    for (name, spoil) in SPOILT {
        let mut object = object();
        spoil(&mut object);
        assert!(check(&NodeEvent::ObjectSealed(object), node()).is_err(), "{name}");
    }
}

#[test]
fn gaps_have_an_end() {
    let gap = |start, end| {
        NodeEvent::Gap(Gap {
            id: ObjectId::from_bytes([2; 16]),
            camera: CameraId::from_bytes([3; 16]),
            stream: StreamKind::Main,
            node: node(),
            range: TimeRange::new(UnixMs(start), UnixMs(end)).unwrap(),
            cause: wire::coverage::GapCause::Camera,
            detail: String::new(),
        })
    };
    assert_eq!(check(&gap(T, T + 1), node()), Ok(()));
    assert!(check(&gap(T, T + 1), NodeId::from_bytes([9; 16])).is_err());
    assert!(check(&gap(0, T), node()).is_err());
    assert!(check(&gap(T, T + MAX_GAP_MS + 1), node()).is_err());
    assert!(check(&gap(T, i64::MAX), node()).is_err());
}

#[test]
fn details_are_one_line() {
    assert_eq!(tidy("a\r\nb\0c"), "abc");
    assert_eq!(tidy(&"x".repeat(1_000)).len(), 300);
}
