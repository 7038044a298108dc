//! One decode and one encode: from a camera's access units to the newest picture, for all who want it.
//!
//! A line ends when nobody has wanted its pictures for a while, or with the attempt. A decoder that fails is
//! replaced at the next keyframe.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::backlog::{Backlog, Next};
use super::chain::{Chain, Coded};
use super::hub::Hub;
use super::{MAX_PIXELS, Picture, PictureError, PictureFormat, Rate, fitted};
use crate::fanout::{AccessUnit, CodecParams};
use crate::fmp4::VideoTrack;
use crate::fmp4::nal::is_disposable;
use crate::reading::OftenGuard;

/// The newest picture, or why there is none.
pub(super) type Newest = Option<Result<Arc<Picture>, PictureError>>;

/// A decoder that has given nothing for so many units gives nothing; more than any codec holds back.
const MUTE: u32 = 40;

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
        decoder.take(&next);
        // Others are waiting for this thread too.
        tokio::task::yield_now().await;
    }
}

/// The decoding side of a line.
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
        }
    }

    /// Takes a unit; shows what comes of it.
    pub(super) fn take(&mut self, next: &Next) {
        let params = Arc::clone(&next.unit.params);
        let CodecParams::Video(track) = &*params else {
            return;
        };
        if self.waits && !next.unit.keyframe {
            return;
        }
        self.waits = false;
        if let Err(error) = self.decode(track, next) {
            // What was shown before goes on being shown if the next keyframe mends it.
            if !self.shown {
                self.newest.send_replace(Some(Err(error)));
            }
            self.chain = None;
            self.waits = true;
        }
    }

    fn decode(&mut self, track: &VideoTrack, next: &Next) -> Result<(), PictureError> {
        self.prepare(track, &next.unit)?;
        let chain = self.chain.as_ref().ok_or(PictureError::Ended)?;
        // The first picture is shown at once, however old it is; then only what is new.
        let show = !next.behind || !self.shown;
        let keyframes = self.format.rate == Rate::Keyframes;
        let shown_anyway = keyframes || (show && chain.wants(next.unit.pts_ns));
        if !shown_anyway && is_disposable(track.codec(), &next.unit.bytes) {
            return Ok(());
        }
        if next.jumped {
            chain.drain();
        }
        let pushed = chain.push(&next.unit, show);
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
    fn prepare(&mut self, track: &VideoTrack, unit: &AccessUnit) -> Result<(), PictureError> {
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
        chain.form(self.size, self.format.quality);
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
