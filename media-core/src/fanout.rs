//! Hands access units to any number of consumers, and keeps the last GOP.
//!
//! A slow consumer loses units up to the next keyframe; it never holds the recording back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::fmp4::{AudioTrack, VideoTrack};
use crate::pictures::{Backlog, Wanted};
use crate::reading::OftenGuard;

/// What a decoder must know before the first unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodecParams {
    /// H.264 or H.265; units are NAL units with 4-byte lengths.
    Video(VideoTrack),
    /// AAC; units are raw frames.
    Aac(AudioTrack),
    /// G.711 A-law, 8-bit samples.
    Alaw {
        /// Hertz.
        sample_rate_hz: u32,
        /// Count.
        channels: u16,
    },
    /// G.711 µ-law, 8-bit samples.
    Mulaw {
        /// Hertz.
        sample_rate_hz: u32,
        /// Count.
        channels: u16,
    },
}

impl CodecParams {
    /// Whether the units are pictures.
    #[must_use]
    pub const fn is_video(&self) -> bool {
        matches!(self, Self::Video(_))
    }
}

/// One picture or one packet of sound, with its place on the timeline of the recording.
#[derive(Debug, Clone)]
pub struct AccessUnit {
    /// Presentation time, which is the capture time: nanoseconds since 1970 UTC.
    pub pts_ns: i64,
    /// Decode time on the same timeline.
    pub dts_ns: i64,
    /// How far the capture time may be off, nanoseconds.
    pub uncertainty_ns: i64,
    /// Decoding can start here.
    pub keyframe: bool,
    /// Time is not continuous here.
    pub discontinuity: bool,
    /// RTP packets lost right before.
    pub lost_packets: u16,
    /// The coded data.
    pub bytes: Bytes,
    /// What its decoder must know.
    pub params: Arc<CodecParams>,
}

/// The units since the last keyframe, sound included.
#[derive(Debug, Clone)]
pub struct Gop {
    /// In order; the first is a keyframe.
    pub units: Vec<AccessUnit>,
}

/// How many units a consumer may be behind: a few seconds.
const QUEUE: usize = 256;

/// A consumer's end.
#[derive(Debug)]
pub struct Subscription {
    first: std::collections::VecDeque<AccessUnit>,
    units: mpsc::Receiver<AccessUnit>,
    dropped: Arc<AtomicU64>,
    _often: Option<OftenGuard>,
}

impl Subscription {
    /// Has the reading thread read more often while this consumer lives.
    pub(crate) fn with(self, often: OftenGuard) -> Self {
        Self {
            _often: Some(often),
            ..self
        }
    }

    /// The next unit; None when the attempt has ended. Starts with the last GOP, so at a keyframe.
    pub async fn recv(&mut self) -> Option<AccessUnit> {
        match self.first.pop_front() {
            Some(unit) => Some(unit),
            None => self.units.recv().await,
        }
    }

    /// Units that this consumer missed because it was slow.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// A consumer, seen from the reading thread.
#[derive(Debug)]
struct Consumer {
    units: mpsc::Sender<AccessUnit>,
    /// Nothing until the next keyframe.
    waits: bool,
    dropped: Arc<AtomicU64>,
}

impl Consumer {
    /// False when it is gone.
    fn offer(&mut self, unit: &AccessUnit) -> bool {
        if self.waits && !unit.keyframe {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return !self.units.is_closed();
        }
        self.waits = false;
        match self.units.try_send(unit.clone()) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.waits = true;
                self.dropped.fetch_add(1, Ordering::Relaxed);
                true
            }
        }
    }
}

#[derive(Debug, Default)]
struct State {
    consumers: Vec<Consumer>,
    /// Of those who make pictures.
    backlogs: Vec<Arc<Backlog>>,
    /// The last one, also of a GOP that is too large to be kept.
    keyframe: Option<AccessUnit>,
    gop: Vec<AccessUnit>,
    gop_bytes: usize,
    /// The GOP is larger than is kept, or has not begun.
    gop_broken: bool,
    ended: bool,
}

/// The distributor of one attempt.
#[derive(Debug)]
pub(crate) struct Fanout {
    gop_max_bytes: usize,
    state: Mutex<State>,
}

impl Fanout {
    pub(crate) fn new(gop_max_bytes: usize) -> Self {
        Self {
            gop_max_bytes,
            state: Mutex::new(State {
                gop_broken: true,
                ..State::default()
            }),
        }
    }

    pub(crate) fn publish(&self, unit: &AccessUnit) {
        let mut state = self.lock();
        state.consumers.retain_mut(|consumer| consumer.offer(unit));
        state.backlogs.retain(|backlog| backlog.offer(unit));
        if unit.keyframe {
            state.gop.clear();
            state.gop_bytes = 0;
            state.gop_broken = false;
            state.keyframe = Some(unit.clone());
        }
        if state.gop_broken {
            return;
        }
        state.gop_bytes += unit.bytes.len();
        if state.gop_bytes > self.gop_max_bytes {
            state.gop = Vec::new();
            state.gop_broken = true;
        } else {
            state.gop.push(unit.clone());
        }
    }

    pub(crate) fn keyframe(&self) -> Option<AccessUnit> {
        self.lock().keyframe.clone()
    }

    pub(crate) fn last_gop(&self) -> Option<Arc<Gop>> {
        let state = self.lock();
        (!state.gop.is_empty()).then(|| {
            Arc::new(Gop {
                units: state.gop.clone(),
            })
        })
    }

    pub(crate) fn subscribe(&self) -> Subscription {
        let (sender, units) = mpsc::channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let mut state = self.lock();
        let first = state.gop.iter().cloned().collect();
        let waits = state.gop.is_empty();
        if !state.ended {
            state.consumers.push(Consumer {
                units: sender,
                waits,
                dropped: Arc::clone(&dropped),
            });
        }
        Subscription {
            first,
            units,
            dropped,
            _often: None,
        }
    }

    /// A queue for who makes pictures. It begins with the last GOP, or with the last keyframe where no more is
    /// kept or wanted.
    pub(crate) fn backlog(&self, wanted: Wanted) -> Arc<Backlog> {
        let mut state = self.lock();
        let whole = wanted == Wanted::Pictures && !state.gop.is_empty();
        let first = if state.ended {
            Vec::new()
        } else if whole {
            let pictures = state.gop.iter().filter(|unit| unit.params.is_video());
            pictures.cloned().collect()
        } else {
            state.keyframe.iter().cloned().collect()
        };
        let backlog = Arc::new(Backlog::new(wanted, first, whole));
        if state.ended {
            backlog.end();
        } else {
            state.backlogs.push(Arc::clone(&backlog));
        }
        backlog
    }

    /// The attempt is over: consumers see the end.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        state.consumers.clear();
        state.backlogs.drain(..).for_each(|backlog| backlog.end());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(keyframe: bool, number: i64, size: usize) -> AccessUnit {
        AccessUnit {
            pts_ns: number,
            dts_ns: number,
            uncertainty_ns: 0,
            keyframe,
            discontinuity: false,
            lost_packets: 0,
            bytes: vec![0; size].into(),
            params: Arc::new(CodecParams::Alaw {
                sample_rate_hz: 8000,
                channels: 1,
            }),
        }
    }

    #[tokio::test]
    async fn a_slow_consumer_resumes_at_a_keyframe() {
        let fanout = Fanout::new(1 << 20);
        let mut slow = fanout.subscribe();
        let last = QUEUE as i64 + 100;
        for number in 0..=last {
            fanout.publish(&unit(number == 0 || number == last, number, 1));
        }
        let mut seen = Vec::new();
        for _ in 0..QUEUE {
            seen.push(slow.recv().await.unwrap().pts_ns);
        }
        assert_eq!(seen, (0..QUEUE as i64).collect::<Vec<_>>());
        // The last keyframe found the queue full as well; the next one gets through.
        fanout.publish(&unit(false, last + 1, 1));
        fanout.publish(&unit(true, last + 2, 1));
        assert_eq!(slow.recv().await.unwrap().pts_ns, last + 2);
        assert_eq!(slow.dropped(), 102);
        fanout.end();
        assert!(slow.recv().await.is_none());
    }

    #[tokio::test]
    async fn a_new_consumer_begins_with_the_last_gop() {
        let fanout = Fanout::new(10);
        assert!(fanout.last_gop().is_none());
        for number in 0..5 {
            fanout.publish(&unit(number == 2, number, 1));
        }
        let mut late = fanout.subscribe();
        fanout.publish(&unit(false, 5, 1));
        for number in 2..6 {
            assert_eq!(late.recv().await.unwrap().pts_ns, number);
        }
        fanout.publish(&unit(false, 6, 20));
        assert_eq!(fanout.keyframe().unwrap().pts_ns, 2);
        assert!(fanout.last_gop().is_none(), "a GOP beyond the bound is not kept");
    }
}
