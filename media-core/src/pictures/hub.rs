//! The lines of one attempt: who wants the same pictures shares one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::backlog::Wanted;
use super::line::{self, Line, Newest};
use super::workers::Workers;
use super::{PictureError, PictureFormat, Pictures, Rate};
use crate::fanout::Fanout;
use crate::reading::{Reason, Tick};

/// Different formats of one camera at once: each costs a decode.
const MOST: usize = 8;
/// From this rate on the reading thread reads more often, so that pictures are not late in pairs.
const SMOOTH: u16 = 10;

/// All lines of an attempt.
#[derive(Debug, Default)]
pub(crate) struct Hub(Mutex<HashMap<PictureFormat, watch::Sender<Newest>>>);

impl Hub {
    /// Joins the line of this format, or starts it.
    pub(crate) fn join(
        self: &Arc<Self>,
        format: PictureFormat,
        fanout: &Fanout,
        (workers, tick): (&Workers, &Arc<Tick>),
        linger: Duration,
    ) -> Result<Pictures, PictureError> {
        let format = format.bounded();
        let mut lines = self.lock();
        if let Some(newest) = lines.get(&format) {
            let mut pictures = newest.subscribe();
            if pictures.borrow().is_some() {
                pictures.mark_changed();
            }
            return Ok(Pictures(pictures));
        }
        if lines.len() >= MOST {
            return Err(PictureError::Busy);
        }
        let (newest, pictures) = watch::channel(None);
        lines.insert(format, newest.clone());
        drop(lines);
        let (wanted, smooth) = match format.rate {
            Rate::Keyframes => (Wanted::Keyframes, false),
            Rate::PerSecond(rate) => (Wanted::Pictures, rate >= SMOOTH),
        };
        let line = Line {
            format,
            backlog: fanout.backlog(wanted),
            newest,
            hub: Arc::clone(self),
            linger,
            _often: smooth.then(|| tick.often(Reason::Live)),
        };
        // A line that is not started is dropped, and takes itself out.
        workers
            .spawn(line::run(line))
            .map_err(|error| PictureError::Unsupported(error.to_string()))?;
        Ok(Pictures(pictures))
    }

    /// Takes a line out if nobody wants its pictures; whoever comes next starts another one.
    pub(super) fn leave(&self, format: &PictureFormat) -> bool {
        let mut lines = self.lock();
        let unwanted = lines.get(format).is_none_or(watch::Sender::is_closed);
        if unwanted {
            lines.remove(format);
        }
        unwanted
    }

    /// Takes a line out, unless another one of its format has begun.
    pub(super) fn remove(&self, format: &PictureFormat, newest: &watch::Sender<Newest>) {
        let mut lines = self.lock();
        if lines.get(format).is_some_and(|held| held.same_channel(newest)) {
            lines.remove(format);
        }
    }

    /// How many there are.
    pub(crate) fn lines(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PictureFormat, watch::Sender<Newest>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
