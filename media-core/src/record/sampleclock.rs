//! Times of transcoded sound: what goes into an encoder has a capture time, what comes out has one as well.
//!
//! GStreamer's encoders time their output by counting samples from the first one, and follow their input only
//! when it is 40 ms off. Here samples are counted as well, but each keeps the time at which it was captured.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use gstreamer as gst;
use gstreamer::prelude::*;

/// Samples in an AAC frame. An encoder puts as many in front (the priming of Apple's TN2258), which a decoder
/// plays; without an edit list, which a timeline in UTC cannot have, times are taken back by that much.
const FRAME: i64 = 1024;
/// Packets that are kept; an encoder holds back a few.
const KEPT: usize = 256;

/// The times of one stream of samples.
#[derive(Debug)]
struct SampleClock {
    rate_hz: i64,
    channels: i64,
    /// Samples that went in.
    pushed: i64,
    /// First sample of a packet, and its time in nanoseconds.
    marks: VecDeque<(i64, i64)>,
    /// Frames that came out.
    frames: i64,
}

impl SampleClock {
    fn new() -> Self {
        Self {
            rate_hz: 8_000,
            channels: 1,
            pushed: 0,
            marks: VecDeque::new(),
            frames: 0,
        }
    }

    /// A packet of G.711 goes in: a byte a sample and channel.
    fn push(&mut self, pts_ns: i64, bytes: usize) {
        if self.marks.len() == KEPT {
            self.marks.pop_front();
        }
        self.marks.push_back((self.pushed, pts_ns));
        self.pushed += bytes as i64 / self.channels.max(1);
    }

    /// The time of the next frame that comes out.
    fn frame(&mut self) -> Option<i64> {
        let sample = (self.frames - 1) * FRAME;
        self.frames += 1;
        while self.marks.get(1).is_some_and(|(first, _)| *first <= sample) {
            self.marks.pop_front();
        }
        let (first, pts_ns) = self.marks.front()?;
        Some(pts_ns + (sample - first) * 1_000_000_000 / self.rate_hz.max(1))
    }

    fn set(&mut self, caps: &gst::CapsRef) {
        let number = |name: &str| {
            caps.structure(0)
                .and_then(|s| s.get::<i32>(name).ok())
                .map(i64::from)
        };
        self.rate_hz = number("rate").unwrap_or(8_000);
        self.channels = number("channels").unwrap_or(1);
    }
}

/// Times what comes out of `output` by what went into `input`.
pub(super) fn keep(input: &gst::Pad, output: &gst::Pad) {
    let clock = Arc::new(Mutex::new(SampleClock::new()));
    let out_clock = Arc::clone(&clock);
    let types = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
    input.add_probe(types, move |_, info| {
        let mut clock = clock.lock().unwrap_or_else(PoisonError::into_inner);
        match &info.data {
            Some(gst::PadProbeData::Event(event)) => {
                if let gst::EventView::Caps(caps) = event.view() {
                    clock.set(caps.caps());
                }
            }
            Some(gst::PadProbeData::Buffer(buffer)) => {
                let pts = buffer.pts().and_then(|pts| i64::try_from(pts.nseconds()).ok());
                clock.push(pts.unwrap_or(0), buffer.size());
            }
            _ => {}
        }
        gst::PadProbeReturn::Ok
    });
    output.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let mut clock = out_clock.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(gst::PadProbeData::Buffer(buffer)), Some(ns)) = (&mut info.data, clock.frame()) {
            let time = gst::ClockTime::from_nseconds(u64::try_from(ns).unwrap_or(0));
            let buffer = buffer.make_mut();
            buffer.set_pts(time);
            buffer.set_dts(time);
        }
        gst::PadProbeReturn::Ok
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    #[test]
    fn frames_follow_packets_and_gaps() {
        let mut clock = SampleClock::new();
        // 20 ms each; after the fifteenth a second is missing.
        for packet in 0..30 {
            let late = if packet < 15 { 0 } else { 1_005 };
            clock.push((10_000 + packet * 20 + late) * MS, 160);
        }
        assert_eq!(clock.frame(), Some((10_000 - 128) * MS), "priming");
        assert_eq!(clock.frame(), Some(10_000 * MS));
        assert_eq!(clock.frame(), Some(10_128 * MS));
        assert_eq!(clock.frame(), Some(10_256 * MS));
        assert_eq!(clock.frame(), Some((10_384 + 1_005) * MS));
        for packet in 0..1_000 {
            clock.push(packet, 160);
        }
        assert_eq!(clock.marks.len(), KEPT);
    }
}
