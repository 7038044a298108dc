//! What a node says: status, objects, heads. Shaped and sized like a recorder's.

use wire::event::{Head, OpenObject, SealedObject};
use wire::media::Init;
use wire::status::{Hardware, NodeStatus, StreamState, StreamStatus};
use wire::{CameraId, NodeId, ObjectId, Segment, SegmentTable, StreamKind, Track, UnixMs};

/// Length of an object.
pub(crate) const OBJECT_MS: i64 = 60_000;
const SEGMENT_MS: u32 = 6_000;
/// 2 Mbit/s.
const SEGMENT_BYTES: u32 = 1_500_000;

fn init() -> Init {
    Init {
        length: 800,
        digest: "cd".repeat(16),
    }
}

fn tracks() -> Vec<Track> {
    vec![Track::Video {
        codec: "avc1.64001f".to_owned(),
        width: 1280,
        height: 720,
        fps: 15.0,
    }]
}

fn segments(start: UnixMs, count: u32) -> SegmentTable {
    let segment = |index: u32| Segment {
        offset: 800 + u64::from(index) * u64::from(SEGMENT_BYTES),
        length: SEGMENT_BYTES - index * 1_000,
        start: start.plus(i64::from(index * SEGMENT_MS)),
        duration_ms: SEGMENT_MS,
    };
    // Contiguous, although no two have the same length.
    let mut offset = 800;
    let all = (0..count).map(segment).map(|mut segment| {
        segment.offset = offset;
        offset = segment.end_offset();
        segment
    });
    SegmentTable(all.collect())
}

/// A minute that ends now.
pub(crate) fn object(
    node: NodeId,
    camera: CameraId,
    previous: Option<ObjectId>,
    end: UnixMs,
) -> SealedObject {
    let start = end.plus(-OBJECT_MS);
    let segments = segments(start, 10);
    SealedObject {
        id: ObjectId::generate(),
        camera,
        stream: StreamKind::Main,
        node,
        epoch: 1,
        previous,
        start,
        end,
        bytes: segments.0.last().map_or(0, Segment::end_offset),
        sha256: "ab".repeat(32),
        init: init(),
        tracks: tracks(),
        segments,
    }
}

/// What a node has that is not in the index: on average half an object.
pub(crate) fn head(node: NodeId, camera: CameraId, now: UnixMs) -> Head {
    Head {
        camera,
        stream: StreamKind::Main,
        node,
        objects: vec![OpenObject {
            id: ObjectId::generate(),
            epoch: 1,
            previous: None,
            init: init(),
            tracks: tracks(),
            segments: segments(now.plus(-OBJECT_MS / 2), 5),
        }],
    }
}

pub(crate) fn status(
    node: NodeId,
    cameras: &[CameraId],
    now: UnixMs,
    (plan_revision, outbox_backlog): (Option<u64>, u64),
) -> NodeStatus {
    let stream = |camera: &CameraId| StreamStatus {
        camera: *camera,
        stream: StreamKind::Main,
        state: StreamState::Recording,
        fps: 15.0,
        bitrate_bps: 2_000_000,
        keyframe_age_ms: Some(740),
        clock_offset_ms: Some(-13),
        attempts: 1,
        epoch: 1,
    };
    NodeStatus {
        node,
        name: "light client".to_owned(),
        version: "0.1.0".to_owned(),
        at: now,
        started: now,
        plan_revision,
        memory_bytes: 90_000_000,
        disk_free_bytes: 400_000_000_000,
        spool_bytes: 20_000_000_000,
        upload_backlog: 3,
        outbox_backlog,
        streams: cameras.iter().map(stream).collect(),
        erased: Vec::new(),
        hardware: Hardware {
            architecture: "x86_64".to_owned(),
            system: "Debian GNU/Linux 12".to_owned(),
            cores: 4,
            memory_bytes: 8_000_000_000,
            disk_bytes: 500_000_000_000,
            gstreamer: "1.22.0".to_owned(),
        },
        cpu_permille: 310,
        upload_bytes_per_s: 8_000_000,
        upload_backlog_bytes: 45_000_000,
    }
}
