//! The cut: one decision for each access unit that is recorded.

use std::hint::black_box;

use anyhow::Result;
use criterion::Throughput;
use media_core::cut::{Cutter, UnitFacts};
use media_core::facts::RecordSettings;

use crate::footage::{
    KEYFRAME_BYTES, PICTURE_BYTES, PICTURE_NS, PICTURES_A_SECOND, SECOND_NS, SOUND_BYTES, SOUND_NS, START_NS,
    is_keyframe,
};
use crate::work::Work;

const HOUR: i64 = 3600;

pub(crate) fn hour() -> Result<Work> {
    let units = units(HOUR);
    let settings = RecordSettings::default();
    Work::new(Throughput::Elements(units.len() as u64), move || {
        let mut cutter = Cutter::new(&settings);
        let mut ends = 0;
        for unit in black_box(&units) {
            let decision = cutter.step(*unit);
            ends += u64::from(decision.end_chunk) + u64::from(decision.open.is_some());
        }
        ends
    })
}

/// Pictures and sound, by time.
fn units(seconds: i64) -> Vec<UnitFacts> {
    let unit = |video, time_ns, random_access, bytes| UnitFacts {
        video,
        dts_ns: START_NS + time_ns,
        random_access,
        bytes,
        new_parameters: false,
        discontinuity: false,
    };
    let pictures = (0..seconds * PICTURES_A_SECOND).map(|index| {
        let bytes = if is_keyframe(index) {
            KEYFRAME_BYTES
        } else {
            PICTURE_BYTES
        };
        unit(true, index * PICTURE_NS, is_keyframe(index), bytes)
    });
    let sounds =
        (0..seconds * SECOND_NS / SOUND_NS).map(|index| unit(false, index * SOUND_NS, true, SOUND_BYTES));
    let mut units: Vec<UnitFacts> = pictures.chain(sounds).collect();
    units.sort_by_key(|unit| unit.dts_ns);
    units
}
