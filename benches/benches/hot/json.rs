//! What goes over the bus: an event for each object, a status every five seconds, a plan when it changes.

use std::hint::black_box;

use anyhow::Result;
use criterion::Throughput;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::event::{NodeEvent, SealedObject};
use wire::media::Init;
use wire::status::{Hardware, NodeStatus, StreamState, StreamStatus};
use wire::{CameraId, NodeId, ObjectId, StreamKind, Track, UnixMs};

use crate::footage::START_MS;
use crate::work::Work;
use crate::{plans, segments};

pub(crate) fn write_event() -> Result<Work> {
    write(event())
}

pub(crate) fn read_event() -> Result<Work> {
    read(&event())
}

pub(crate) fn write_status() -> Result<Work> {
    write(status())
}

pub(crate) fn read_status() -> Result<Work> {
    read(&status())
}

pub(crate) fn write_plan() -> Result<Work> {
    write(plans::plan()?)
}

pub(crate) fn read_plan() -> Result<Work> {
    read(&plans::plan()?)
}

fn write<T: Serialize + 'static>(value: T) -> Result<Work> {
    let length = serde_json::to_vec(&value)?.len() as u64;
    Work::new(Throughput::Bytes(length), move || {
        serde_json::to_vec(black_box(&value)).map_or(0, |json| json.len() as u64)
    })
}

fn read<T: Serialize + DeserializeOwned>(value: &T) -> Result<Work> {
    let json = serde_json::to_vec(value)?;
    let length = json.len() as u64;
    Work::new(Throughput::Bytes(length), move || {
        let value: Result<T, _> = serde_json::from_slice(black_box(&json));
        black_box(value).map_or(0, |_| length)
    })
}

/// An object of a minute, with sound.
pub(crate) fn event() -> NodeEvent {
    NodeEvent::ObjectSealed(SealedObject {
        id: ObjectId::from_bytes([1; 16]),
        camera: CameraId::from_bytes([2; 16]),
        stream: StreamKind::Main,
        node: NodeId::from_bytes([3; 16]),
        epoch: 7,
        previous: Some(ObjectId::from_bytes([4; 16])),
        start: UnixMs(START_MS),
        end: UnixMs(START_MS + 60_000),
        bytes: 15_000_800,
        sha256: "0123456789abcdef".repeat(4),
        init: Init {
            length: 800,
            digest: "0123456789abcdef".repeat(2),
        },
        tracks: vec![
            Track::Video {
                codec: "avc1.42c01f".to_owned(),
                width: 1280,
                height: 720,
                fps: 15.0,
            },
            Track::Audio {
                codec: "mp4a.40.2".to_owned(),
                sample_rate_hz: 48_000,
                channels: 1,
            },
        ],
        segments: segments::object(0),
    })
}

/// A node that records 32 cameras.
fn status() -> NodeStatus {
    let stream = |camera: u128| StreamStatus {
        camera: CameraId::from_bytes(camera.to_be_bytes()),
        stream: StreamKind::Main,
        state: StreamState::Recording,
        fps: 14.985,
        bitrate_bps: 2_013_457,
        keyframe_age_ms: Some(1234),
        clock_offset_ms: Some(-7),
        attempts: 3,
        epoch: 7,
    };
    NodeStatus {
        node: NodeId::from_bytes([3; 16]),
        name: "Gate house".to_owned(),
        version: "0.1.0".to_owned(),
        at: UnixMs(START_MS),
        started: UnixMs(START_MS - 86_400_000),
        plan_revision: Some(42),
        memory_bytes: 80_000_000,
        disk_free_bytes: 900_000_000_000,
        spool_bytes: 5_000_000_000,
        upload_backlog: 12,
        outbox_backlog: 3,
        streams: (0..32).map(stream).collect(),
        erased: Vec::new(),
        hardware: Hardware {
            architecture: "x86_64".to_owned(),
            system: "Debian GNU/Linux 12".to_owned(),
            cores: 4,
            memory_bytes: 8_000_000_000,
            disk_bytes: 1_000_000_000_000,
            gstreamer: "1.22.0".to_owned(),
        },
        cpu_permille: 350,
        upload_bytes_per_s: 8_000_000,
        upload_backlog_bytes: 180_000_000,
    }
}
