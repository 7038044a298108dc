//! One decode and one encode: from a camera's access units to the newest picture, for all who want it.
//!
//! A line ends when nobody has wanted its pictures for a while, or with the attempt. A decoder that fails is
//! replaced at the next keyframe.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::backlog::{Backlog, Next};
use super::chain::{Chain, Coded};
use super::hub::Hub;
use super::{MAX_PIXELS, Picture, PictureError, PictureFormat, Rate, fitted};
use crate::fanout::{AccessUnit, CodecParams};
use crate::fmp4::nal::is_disposable;
use crate::reading::OftenGuard;

/// The newest picture, or why there is none.
pub(super) type Newest = Option<Result<Arc<Picture>, PictureError>>;

/// A decoder that has given nothing for so many units gives nothing; more than any codec holds back.
const MUTE: u32 = 40;

/// How many units wait at most until one is shown: some seconds.
const HELD: usize = 128;

/// What a line needs.
pub(super) struct Line {
    pub(super) format: PictureFormat,
    pub(super) backlog: Arc<Backlog>,
    pub(super) newest: watch::Sender<Newest>,
    pub(super) hub: Arc<Hub>,
    /// How long it outlives its last consumer.
    pub(super) linger: Duration,
    /// Has the reading thread read more often.
    pub(super) _often: Option<OftenGuard>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.backlog.close();
        self.hub.remove(&self.format, &self.newest);
    }
}

/// Runs a line to its end.
pub(super) async fn run(line: Line) {
    let mut decoder = Decoder::new(line.format, line.newest.clone());
    let unwanted = async {
        loop {
            line.newest.closed().await;
            tokio::time::sleep(line.linger).await;
            if line.hub.leave(&line.format) {
                break;
            }
        }
    };
    tokio::pin!(unwanted);
    loop {
        let next = tokio::select! {
            () = &mut unwanted => break,
            next = line.backlog.next() => next,
        };
        let Some(next) = next else {
            // Whoever asks from now on is told the same by the hub.
            line.hub.remove(&line.format, &line.newest);
            line.newest.send_replace(Some(Err(PictureError::Ended)));
            break;
        };
        if next.jumped {
            let dropped = line.backlog.dropped();
            tracing::debug!(
                dropped,
                "a decoder of live pictures is behind and goes on at a keyframe"
            );
        }
        decoder.take(next);
        while decoder.step() {
            // Others are waiting for this thread too.
            tokio::task::yield_now().await;
        }
    }
}

/// The decoding side of a line.
///
/// It decodes as late as it can: what is not shown waits until a picture after it is, and is not decoded at all
/// when a keyframe comes first. Fewer and longer turns cost less than one for each unit.
pub(super) struct Decoder {
    format: PictureFormat,
    newest: watch::Sender<Newest>,
    chain: Option<Chain>,
    /// What the chain was formed for.
    params: Option<Arc<CodecParams>>,
    size: (u32, u32),
    /// Nothing until the next keyframe.
    waits: bool,
    /// A picture came since the chain was built.
    shown: bool,
    /// Units since the decoder gave a picture.
    mute: u32,
    held: VecDeque<Held>,
    /// How many of those are to be decoded now.
    ready: usize,
    /// Capture time of the last unit.
    last_ns: i64,
    /// Units come in another order than they are shown, so that the decoder needs what follows.
    reorders: bool,
}

/// A unit that is not decoded yet.
struct Held {
    unit: AccessUnit,
    /// Its picture may be shown, if one is due.
    show: bool,
    /// The decoder gives out what it holds back before.
    drain: bool,
}

impl Decoder {
    pub(super) fn new(format: PictureFormat, newest: watch::Sender<Newest>) -> Self {
        Self {
            format,
            newest,
            chain: None,
            params: None,
            size: (0, 0),
            waits: true,
            shown: false,
            mute: 0,
            held: VecDeque::new(),
            ready: 0,
            last_ns: i64::MIN,
            reorders: false,
        }
    }

    /// Takes a unit, and says by [`Decoder::step`] what comes of it.
    pub(super) fn take(&mut self, next: Next) {
        let Next { unit, behind, jumped } = next;
        let CodecParams::Video(track) = &*unit.params else {
            return;
        };
        if self.waits && !unit.keyframe {
            return;
        }
        self.waits = false;
        self.reorders |= unit.pts_ns < self.last_ns;
        self.last_ns = unit.pts_ns;
        // The first picture is shown at once, however old it is; then only what is new.
        let show = !behind || !self.shown;
        let due = show && self.chain.as_ref().is_none_or(|chain| chain.wants(unit.pts_ns));
        if !due && is_disposable(track.codec(), &unit.bytes) {
            return;
        }
        let mut drain = jumped;
        if unit.keyframe {
            // Nobody needs them any more. An open GOP must not refer to them either.
            drain |= !self.held.is_empty();
            self.held.clear();
        }
        self.held.push_back(Held { unit, show, drain });
        if due || self.reorders || self.held.len() >= HELD {
            self.ready = self.held.len();
        }
    }

    /// Decodes a unit if one is to be decoded now, and shows what comes of it. False when there was none.
    pub(super) fn step(&mut self) -> bool {
        if self.ready == 0 {
            return false;
        }
        self.ready -= 1;
        let Some(held) = self.held.pop_front() else {
            return false;
        };
        if let Err(error) = self.decode(&held) {
            // What was shown before goes on being shown if the next keyframe mends it.
            if !self.shown {
                self.newest.send_replace(Some(Err(error)));
            }
            self.chain = None;
            self.waits = true;
            self.held.clear();
            self.ready = 0;
        }
        true
    }

    fn decode(&mut self, held: &Held) -> Result<(), PictureError> {
        self.prepare(&held.unit)?;
        let chain = self.chain.as_ref().ok_or(PictureError::Ended)?;
        let keyframes = self.format.rate == Rate::Keyframes;
        if held.drain {
            chain.drain();
        }
        let pushed = chain.push(&held.unit, held.show);
        if keyframes {
            chain.drain();
        }
        self.mute = if chain.decoded() > 0 { 0 } else { self.mute + 1 };
        let coded = chain.coded();
        pushed.map_err(|error| PictureError::Undecodable(error.to_string()))?;
        if let Some(coded) = coded.into_iter().last() {
            self.show(coded);
        } else if self.mute >= if keyframes { 1 } else { MUTE } {
            return Err(mute());
        }
        Ok(())
    }

    /// Has a chain that fits the unit.
    fn prepare(&mut self, unit: &AccessUnit) -> Result<(), PictureError> {
        let CodecParams::Video(track) = &*unit.params else {
            return Ok(());
        };
        let known = self.params.as_ref();
        if self.chain.is_some() && known.is_some_and(|params| Arc::ptr_eq(params, &unit.params)) {
            return Ok(());
        }
        let codec = |params: &Arc<CodecParams>| match &**params {
            CodecParams::Video(track) => Some(track.codec()),
            _ => None,
        };
        if known.and_then(codec) != Some(track.codec()) {
            self.chain = None;
        }
        let (width, height) = track.dimensions();
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            self.shown = false;
            return Err(PictureError::TooLarge);
        }
        let chain = match self.chain.take() {
            Some(chain) => chain,
            None => {
                (self.shown, self.mute) = (false, 0);
                let per_second = match self.format.rate {
                    Rate::Keyframes => None,
                    Rate::PerSecond(rate) => Some(rate),
                };
                Chain::start(track.codec(), per_second)
                    .map_err(|error| PictureError::Unsupported(error.to_string()))?
            }
        };
        self.size = fitted((width, height), (self.format.width, self.format.height));
        chain.form((width, height), self.size, self.format.quality);
        self.params = Some(Arc::clone(&unit.params));
        self.chain = Some(chain);
        Ok(())
    }

    fn show(&mut self, coded: Coded) {
        self.shown = true;
        let picture = Picture {
            jpeg: coded.jpeg,
            width: self.size.0,
            height: self.size.1,
            captured_ms: coded.pts_ns.div_euclid(crate::clock::MS_NS),
        };
        self.newest.send_replace(Some(Ok(Arc::new(picture))));
    }
}

fn mute() -> PictureError {
    PictureError::Undecodable("the decoder made no picture of it".to_owned())
}
