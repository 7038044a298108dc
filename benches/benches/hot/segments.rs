//! Packing and unpacking of segment tables: done for every object sealed, and for each one in a playlist.

use std::hint::black_box;

use anyhow::Result;
use criterion::Throughput;
use wire::{Segment, SegmentTable, UnixMs};

use crate::footage::START_MS;
use crate::work::Work;

/// Segments of an object.
const SEGMENTS: u64 = 10;
/// Objects of a day.
const OBJECTS: u64 = 1440;

/// One object: ten segments of six seconds at 2 Mbit/s.
pub(crate) fn object(index: u64) -> SegmentTable {
    let start = START_MS + index.cast_signed() * 60_000;
    let segment = |part: u64| Segment {
        offset: 800 + part * 1_500_000,
        length: 1_500_000 + (part as u32 * 7919) % 4000,
        start: UnixMs(start + part.cast_signed() * 6_000),
        duration_ms: 6_000,
    };
    SegmentTable((0..SEGMENTS).map(segment).collect())
}

pub(crate) fn pack() -> Result<Work> {
    let table = object(0);
    Work::new(Throughput::Elements(SEGMENTS), move || {
        black_box(&table).pack().len() as u64
    })
}

pub(crate) fn unpack() -> Result<Work> {
    let packed = object(0).pack();
    Work::new(Throughput::Elements(SEGMENTS), move || {
        unpacked(black_box(&packed))
    })
}

/// What a playlist of a whole day reads.
pub(crate) fn unpack_day() -> Result<Work> {
    let day: Vec<Vec<u8>> = (0..OBJECTS).map(|index| object(index).pack()).collect();
    Work::new(Throughput::Elements(OBJECTS * SEGMENTS), move || {
        black_box(&day).iter().map(|packed| unpacked(packed)).sum()
    })
}

fn unpacked(packed: &[u8]) -> u64 {
    SegmentTable::unpack(packed).map_or(0, |table| table.0.len() as u64)
}
