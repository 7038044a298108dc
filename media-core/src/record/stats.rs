//! Figures of an attempt, written by the reading thread and read by anybody.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::clock::{ClockStats, MS_NS};
use crate::facts::AttemptStats;
use crate::reading::Tick;

/// Stands for "none".
const NONE: i64 = i64::MIN;

/// The figures.
#[derive(Debug)]
pub(crate) struct Stats {
    frames: AtomicU64,
    bytes: AtomicU64,
    lost_packets: AtomicU64,
    /// On the engine's steady clock, nanoseconds.
    packet_ns: AtomicI64,
    keyframe_ns: AtomicI64,
    offset_ms: AtomicI64,
    uncertainty_ms: AtomicI64,
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            frames: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            lost_packets: AtomicU64::new(0),
            packet_ns: AtomicI64::new(NONE),
            keyframe_ns: AtomicI64::new(NONE),
            offset_ms: AtomicI64::new(NONE),
            uncertainty_ms: AtomicI64::new(NONE),
        }
    }
}

impl Stats {
    pub(crate) fn unit(&self, video: bool, keyframe: bool, bytes: usize, mono_ns: i64) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.packet_ns.store(mono_ns, Ordering::Relaxed);
        if video {
            self.frames.fetch_add(1, Ordering::Relaxed);
        }
        if keyframe {
            self.keyframe_ns.store(mono_ns, Ordering::Relaxed);
        }
    }

    /// Pictures with lost packets are recorded all the same: players conceal, and a damaged picture is worth
    /// more than none.
    pub(crate) fn lost(&self, packets: u16) {
        self.lost_packets.fetch_add(u64::from(packets), Ordering::Relaxed);
    }

    pub(crate) fn clock(&self, clock: &ClockStats) {
        let ms = |ns: Option<i64>| ns.map_or(NONE, |ns| ns / MS_NS);
        self.offset_ms.store(ms(clock.offset_ns), Ordering::Relaxed);
        self.uncertainty_ms
            .store(ms(clock.uncertainty_ns), Ordering::Relaxed);
    }

    pub(crate) fn read(&self, tick: &Tick) -> AttemptStats {
        let now = tick.mono_ns(Instant::now());
        let age = |at: &AtomicI64| {
            let at = some(at)?;
            Some(Duration::from_nanos(u64::try_from(now - at).unwrap_or(0)))
        };
        AttemptStats {
            frames: self.frames.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            lost_packets: self.lost_packets.load(Ordering::Relaxed),
            packet_age: age(&self.packet_ns),
            keyframe_age: age(&self.keyframe_ns),
            clock_offset_ms: some(&self.offset_ms),
            clock_uncertainty_ms: some(&self.uncertainty_ms).and_then(|ms| u32::try_from(ms).ok()),
        }
    }
}

fn some(value: &AtomicI64) -> Option<i64> {
    Some(value.load(Ordering::Relaxed)).filter(|value| *value != NONE)
}
