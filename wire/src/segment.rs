//! Segments of an object, and the packed table that an index row keeps of them.

use serde::{Deserialize, Serialize};

use crate::time::{TimeRange, UnixMs};

/// A stretch of one object that starts with a keyframe: a byte range and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// First byte, counted from the start of the object.
    pub offset: u64,
    /// Length in bytes.
    pub length: u32,
    /// Capture time of its first picture.
    pub start: UnixMs,
    /// Milliseconds to the start of what follows.
    pub duration_ms: u32,
}

impl Segment {
    /// First instant after it.
    #[must_use]
    pub const fn end(&self) -> UnixMs {
        self.start.plus(self.duration_ms as i64)
    }

    /// First byte after it.
    #[must_use]
    pub const fn end_offset(&self) -> u64 {
        self.offset + self.length as u64
    }
}

/// The segments of one object, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SegmentTable(pub Vec<Segment>);

/// A packed table that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the packed segment table is damaged")]
pub struct DamagedTable;

/// Format byte of the packed table, so that another format can follow.
const FORMAT: u8 = 1;

impl SegmentTable {
    /// From the first segment's start to the last one's end; none without segments.
    #[must_use]
    pub fn range(&self) -> Option<TimeRange> {
        TimeRange::new(self.0.first()?.start, self.0.last()?.end()).ok()
    }

    /// Packs to a few bytes a segment: a format byte, then for each segment the LEB128 numbers
    /// offset − end of the one before, length, start − end of the one before (zig-zag), duration.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        let (mut offset, mut time) = (0_i64, 0_i64);
        for segment in &self.0 {
            put_signed(&mut out, segment.offset as i64 - offset);
            put(&mut out, u64::from(segment.length));
            put_signed(&mut out, segment.start.0.wrapping_sub(time));
            put(&mut out, u64::from(segment.duration_ms));
            offset = segment.end_offset() as i64;
            time = segment.end().0;
        }
        out
    }

    /// Reads what [`pack`](Self::pack) wrote.
    ///
    /// # Errors
    /// [`DamagedTable`] for anything else.
    pub fn unpack(bytes: &[u8]) -> Result<Self, DamagedTable> {
        let Some((&FORMAT, mut rest)) = bytes.split_first() else {
            return Err(DamagedTable);
        };
        let mut segments = Vec::new();
        let (mut offset, mut time) = (0_i64, 0_i64);
        while !rest.is_empty() {
            let start_offset = offset.checked_add(take_signed(&mut rest)?).ok_or(DamagedTable)?;
            let segment = Segment {
                offset: u64::try_from(start_offset).map_err(|_| DamagedTable)?,
                length: u32::try_from(take(&mut rest)?).map_err(|_| DamagedTable)?,
                start: UnixMs(time.checked_add(take_signed(&mut rest)?).ok_or(DamagedTable)?),
                duration_ms: u32::try_from(take(&mut rest)?).map_err(|_| DamagedTable)?,
            };
            offset = start_offset
                .checked_add(i64::from(segment.length))
                .ok_or(DamagedTable)?;
            time = segment
                .start
                .0
                .checked_add(i64::from(segment.duration_ms))
                .ok_or(DamagedTable)?;
            segments.push(segment);
        }
        Ok(Self(segments))
    }
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_signed(out: &mut Vec<u8>, value: i64) {
    put(out, ((value << 1) ^ (value >> 63)) as u64);
}

fn take(rest: &mut &[u8]) -> Result<u64, DamagedTable> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, tail) = rest.split_first().ok_or(DamagedTable)?;
        *rest = tail;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(DamagedTable)
}

fn take_signed(rest: &mut &[u8]) -> Result<i64, DamagedTable> {
    let value = take(rest)?;
    Ok((value >> 1) as i64 ^ -((value & 1) as i64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn packing_loses_nothing(raw in proptest::collection::vec(
            (0..1_u64 << 40, any::<u32>(), 0..4_102_444_800_000_i64, any::<u32>()), 0..40))
        {
            let table = SegmentTable(raw.into_iter().map(|(offset, length, start, duration_ms)| {
                Segment { offset, length, start: UnixMs(start), duration_ms }
            }).collect());
            prop_assert_eq!(SegmentTable::unpack(&table.pack()), Ok(table));
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = SegmentTable::unpack(&bytes);
        }
    }

    #[test]
    fn ten_segments_take_under_a_hundred_bytes() {
        let segments = (0..10).map(|i| Segment {
            offset: 800 + i * 1_500_000,
            length: 1_500_000,
            start: UnixMs(1_769_846_400_000 + i as i64 * 6_000),
            duration_ms: 6_000,
        });
        assert!(SegmentTable(segments.collect()).pack().len() < 100);
    }
}
