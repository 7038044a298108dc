//! What waits for a decoder: a queue that leaks, so that the newest picture is what is shown.
//!
//! Filled by the reading thread, which never waits for it. What depends on a picture that was dropped is
//! dropped as well, up to the next keyframe.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::fanout::AccessUnit;

/// How many units may wait beyond the GOP it began with.
const MOST: usize = 96;
/// What is older than a new keyframe by this much is not worth its decoding.
const LATE_NS: i64 = 400_000_000;
/// From here on a decoder is behind, and shows only what brings it up to date.
const BEHIND_NS: i64 = 200_000_000;

/// Which units are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All pictures.
    Pictures,
    /// Keyframes; of several the newest.
    Keyframes,
}

/// A unit for the decoder.
#[derive(Debug)]
pub(crate) struct Next {
    pub(crate) unit: AccessUnit,
    /// Newer ones wait: it is worth decoding, since they need it, but not showing.
    pub(crate) behind: bool,
    /// Units before it were dropped. It is a keyframe then.
    pub(crate) jumped: bool,
}

#[derive(Debug, Default)]
struct State {
    units: VecDeque<AccessUnit>,
    /// Nothing until the next keyframe.
    waits: bool,
    /// Units were dropped before the first that waits.
    jumped: bool,
    /// The last GOP, and what may wait beside it.
    most: usize,
    dropped: u64,
    ended: bool,
    closed: bool,
}

/// The queue between one camera and one decoder.
#[derive(Debug)]
pub(crate) struct Backlog {
    wanted: Wanted,
    state: Mutex<State>,
    news: Notify,
}

impl Backlog {
    /// Begins with the last GOP, or as much of it as there is; it begins with a keyframe. `complete`: what
    /// comes next continues it.
    pub(crate) fn new(wanted: Wanted, first: Vec<AccessUnit>, complete: bool) -> Self {
        let state = State {
            waits: !complete,
            most: first.len() + MOST,
            units: first.into(),
            ..State::default()
        };
        Self {
            wanted,
            state: Mutex::new(state),
            news: Notify::new(),
        }
    }

    /// Takes a unit that came; false when nobody wants any.
    pub(crate) fn offer(&self, unit: &AccessUnit) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        let wanted = match self.wanted {
            Wanted::Pictures => unit.params.is_video(),
            Wanted::Keyframes => unit.keyframe && unit.params.is_video(),
        };
        if wanted && state.take(unit, self.wanted) {
            drop(state);
            self.news.notify_one();
        }
        true
    }

    /// The next unit; None when there will be none.
    pub(crate) async fn next(&self) -> Option<Next> {
        loop {
            if let Some(over) = self.poll() {
                return over;
            }
            self.news.notified().await;
        }
    }

    /// None: nothing waits. `Some(None)`: nothing will come.
    fn poll(&self) -> Option<Option<Next>> {
        let mut state = self.lock();
        let Some(unit) = state.units.pop_front() else {
            return state.ended.then_some(None);
        };
        let newest = state.units.back().map_or(unit.dts_ns, |last| last.dts_ns);
        if state.units.is_empty() {
            state.most = MOST;
        }
        Some(Some(Next {
            behind: newest - unit.dts_ns > BEHIND_NS,
            jumped: std::mem::take(&mut state.jumped),
            unit,
        }))
    }

    /// Nothing more will come; what waits is still given out.
    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.news.notify_one();
    }

    /// Nobody wants any more.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.units.clear();
    }

    /// Units that were dropped.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// False when it was dropped.
    fn take(&mut self, unit: &AccessUnit, wanted: Wanted) -> bool {
        if unit.keyframe {
            let late = match (wanted, self.units.front()) {
                (_, None) => false,
                (Wanted::Keyframes, Some(_)) => true,
                (Wanted::Pictures, Some(oldest)) => unit.dts_ns - oldest.dts_ns > LATE_NS,
            };
            if late {
                self.drop_all();
            }
            self.jumped |= self.waits && self.units.is_empty();
            self.waits = false;
        } else if self.waits {
            self.dropped += 1;
            return false;
        } else if self.units.len() >= self.most {
            self.drop_all();
            self.dropped += 1;
            self.waits = true;
            return false;
        }
        self.units.push_back(unit.clone());
        true
    }

    fn drop_all(&mut self) {
        self.dropped += self.units.len() as u64;
        self.units.clear();
        self.jumped = true;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fanout::CodecParams;
    use crate::fmp4::VideoTrack;

    fn params() -> Arc<CodecParams> {
        // From x264: 64 × 48, constrained baseline.
        let sps = [
            0x67, 0x42, 0xc0, 0x0a, 0xda, 0x11, 0x3e, 0x58, 0x40, 0, 0, 3, 0, 0x40, 0, 0, 7, 0xa3, 0xc4,
            0x89, 0xe0,
        ];
        Arc::new(CodecParams::Video(
            VideoTrack::h264(&sps, &[0x68, 0xce, 0x3c, 0x80]).unwrap(),
        ))
    }

    fn unit(params: &Arc<CodecParams>, keyframe: bool, number: i64) -> AccessUnit {
        AccessUnit {
            pts_ns: number * 40_000_000,
            dts_ns: number * 40_000_000,
            uncertainty_ns: 0,
            keyframe,
            discontinuity: false,
            lost_packets: 0,
            bytes: bytes::Bytes::new(),
            params: Arc::clone(params),
        }
    }

    fn rest(backlog: &Backlog) -> Vec<(i64, bool, bool)> {
        let all = std::iter::from_fn(|| backlog.poll().flatten());
        all.map(|next| (next.unit.dts_ns / 40_000_000, next.behind, next.jumped))
            .collect()
    }

    #[test]
    fn the_last_gop_comes_first_and_only_its_end_is_shown() {
        let params = params();
        let gop = (0..50).map(|number| unit(&params, number == 0, number)).collect();
        let backlog = Backlog::new(Wanted::Pictures, gop, true);
        assert!(backlog.offer(&unit(&params, false, 50)));
        let all = rest(&backlog);
        assert_eq!(all.len(), 51);
        assert!(all[..45].iter().all(|(_, behind, jumped)| *behind && !jumped));
        assert!(all[46..].iter().all(|(_, behind, _)| !behind));
    }

    #[test]
    fn a_keyframe_overtakes_what_is_late_and_what_is_dropped_takes_its_dependants_along() {
        let params = params();
        let backlog = Backlog::new(Wanted::Pictures, Vec::new(), false);
        for number in 0..=150 {
            backlog.offer(&unit(&params, number % 150 == 3, number));
        }
        // Nothing before the keyframe 3; full at 99; nothing up to the next keyframe.
        assert!(rest(&backlog).is_empty());
        assert_eq!(backlog.dropped(), 151);
        for number in 151..=160 {
            backlog.offer(&unit(&params, number == 153, number));
        }
        let all = rest(&backlog);
        assert_eq!(all[0], (153, true, true));
        assert_eq!(all.last(), Some(&(160, false, false)));
        // Late units go, recent ones stay.
        for number in 161..=200 {
            backlog.offer(&unit(&params, [180, 185].contains(&number), number));
        }
        let all = rest(&backlog);
        assert_eq!((all[0].0, all[0].2, all.len()), (180, true, 21));
    }

    #[test]
    fn of_keyframes_the_newest_waits() {
        let params = params();
        let backlog = Backlog::new(Wanted::Keyframes, vec![unit(&params, true, 0)], false);
        for number in 1..100 {
            assert!(backlog.offer(&unit(&params, number % 25 == 0, number)));
        }
        assert_eq!(rest(&backlog), [(75, false, true)]);
        backlog.end();
        assert!(matches!(backlog.poll(), Some(None)));
        backlog.close();
        assert!(!backlog.offer(&unit(&params, true, 100)));
    }
}
