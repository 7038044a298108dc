//! The clock: ten minutes of a camera over a network with jitter, read in ticks of 50 ms as recorders do.

use std::hint::black_box;

use anyhow::Result;
use criterion::Throughput;
use media_core::clock::{Arrival, ClockSettings, MS_NS, SenderReport, Timeline, TrackSpec};

use crate::footage::{
    PICTURE_NS, PICTURES_A_SECOND, Random, SAMPLE_RATE_HZ, SECOND_NS, SOUND_NS, START_NS, is_keyframe,
};
use crate::work::Work;

const SECONDS: i64 = 600;
const VIDEO_HZ: u32 = 90_000;
const DELAY_NS: i64 = 5 * MS_NS;
const JITTER_NS: i64 = 20 * MS_NS;
const TICK_NS: i64 = 50 * MS_NS;
const REPORT_NS: i64 = 5 * SECOND_NS;

#[derive(Clone, Copy)]
enum Came {
    Unit { rtp: u32, random_access: bool },
    Report(SenderReport),
}

#[derive(Clone, Copy)]
struct Event {
    video: bool,
    /// Since the start.
    at_ns: i64,
    came: Came,
}

/// With sender reports of both tracks every five seconds.
pub(crate) fn by_reports() -> Result<Work> {
    session(true)
}

/// Without any: capture time comes from arrival.
pub(crate) fn by_arrival() -> Result<Work> {
    session(false)
}

fn session(reports: bool) -> Result<Work> {
    let mut events = track(true, PICTURE_NS, VIDEO_HZ);
    events.extend(track(false, SOUND_NS, SAMPLE_RATE_HZ));
    if reports {
        events.extend(sender_reports(true, VIDEO_HZ));
        events.extend(sender_reports(false, SAMPLE_RATE_HZ));
    }
    // Stable: each track comes in order.
    events.sort_by_key(|event| event.at_ns);
    let units = SECONDS * PICTURES_A_SECOND + SECONDS * SECOND_NS / SOUND_NS;
    Work::new(Throughput::Elements(units.unsigned_abs()), move || {
        play(black_box(&events))
    })
}

fn play(events: &[Event]) -> u64 {
    let mut timeline = Timeline::new(ClockSettings::default());
    let spec = |clock_rate_hz, video, nominal_ns| TrackSpec {
        clock_rate_hz,
        video,
        reorder_depth: Some(0),
        nominal_ns,
    };
    let pictures = timeline.add_track(spec(VIDEO_HZ, true, 0));
    let sound = timeline.add_track(spec(SAMPLE_RATE_HZ, false, SOUND_NS));
    let mut placed = 0;
    for event in events {
        let track = if event.video { pictures } else { sound };
        let arrival = Arrival {
            mono_ns: event.at_ns,
            utc_ns: START_NS + event.at_ns,
        };
        match event.came {
            Came::Unit { rtp, random_access } => timeline.push(track, rtp, arrival, random_access, ()),
            Came::Report(report) => timeline.sender_report(track, report, arrival),
        }
        while let Some(timed) = timeline.pop() {
            black_box(timed.pts_ns);
            placed += 1;
        }
    }
    placed
}

fn track(video: bool, unit_ns: i64, hz: u32) -> Vec<Event> {
    let mut random = Random(u64::from(hz));
    let mut latest = 0;
    let count = SECONDS * SECOND_NS / unit_ns;
    let event = |index: i64| {
        let sent = index * unit_ns;
        latest = (sent + DELAY_NS + random.below(JITTER_NS)).max(latest);
        Event {
            video,
            at_ns: (latest / TICK_NS + 1) * TICK_NS,
            came: Came::Unit {
                rtp: rtp(sent, hz),
                random_access: !video || is_keyframe(index),
            },
        }
    };
    (0..count).map(event).collect()
}

fn sender_reports(video: bool, hz: u32) -> impl Iterator<Item = Event> {
    (0..SECONDS * SECOND_NS / REPORT_NS).map(move |index| {
        let sent = index * REPORT_NS;
        Event {
            video,
            at_ns: sent + DELAY_NS,
            came: Came::Report(SenderReport {
                ntp: ntp(START_NS + sent),
                rtp: rtp(sent, hz),
            }),
        }
    })
}

fn rtp(since_start_ns: i64, hz: u32) -> u32 {
    (i128::from(since_start_ns) * i128::from(hz) / i128::from(SECOND_NS)) as u32
}

/// RFC 5905 §6: seconds since 1900 and their fraction.
fn ntp(unix_ns: i64) -> u64 {
    let seconds = (unix_ns / SECOND_NS + 2_208_988_800).unsigned_abs();
    let fraction = ((unix_ns % SECOND_NS).unsigned_abs() << 32) / SECOND_NS.unsigned_abs();
    seconds << 32 | fraction
}
