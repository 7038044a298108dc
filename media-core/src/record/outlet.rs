//! The way out: what leaves the pipeline becomes facts, in order, and with exactly one end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use gstreamer as gst;

use crate::element::facts::ElementFact;
use crate::facts::{AttemptEnd, Chunk, CloseReason, Fact, FactSink};
use crate::parts::Parts;

#[derive(Debug, Default)]
struct State {
    /// What was said of the next buffer.
    next: Option<ElementFact>,
    open: bool,
    ended: bool,
    /// End of the last chunk, milliseconds since 1970 UTC.
    end_ms: Option<i64>,
}

/// Hands facts to the recorder.
pub(super) struct Outlet {
    sink: Arc<dyn FactSink>,
    state: Mutex<State>,
}

impl std::fmt::Debug for Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlet")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Outlet {
    pub(super) fn new(sink: Arc<dyn FactSink>) -> Self {
        Self {
            sink,
            state: Mutex::default(),
        }
    }

    /// A pad that takes what the pipeline makes, on the thread that pushes. It belongs to no element, as those of
    /// GStreamer's own test harness do; an `appsink` would keep each chunk until the next one.
    pub(super) fn pad(self: &Arc<Self>) -> gst::Pad {
        let (for_chunks, for_facts) = (Arc::clone(self), Arc::clone(self));
        gst::Pad::builder(gst::PadDirection::Sink)
            .name("outlet")
            .chain_list_function(move |_, _, list| {
                for_chunks.bytes(&list);
                Ok(gst::FlowSuccess::Ok)
            })
            .event_function(move |_, _, event| {
                if let Some(fact) = ElementFact::from_event(&event) {
                    for_facts.take(fact);
                }
                true
            })
            .build()
    }

    /// Hands on a fact that does not come from the pipeline.
    pub(super) fn fact(&self, fact: Fact) {
        if !self.lock().ended {
            self.sink.fact(fact);
        }
    }

    /// The attempt is over. An object that is still open, as after a breakdown, is closed first.
    pub(super) fn end(&self, end: AttemptEnd) {
        let (open, ended) = {
            let mut state = self.lock();
            (
                std::mem::take(&mut state.open),
                std::mem::replace(&mut state.ended, true),
            )
        };
        if ended {
            return;
        }
        if open {
            self.sink.fact(Fact::ObjectClosed {
                reason: CloseReason::Session,
            });
        }
        self.sink.fact(Fact::Ended(end));
    }

    /// End of what was recorded, nanoseconds since 1970 UTC.
    pub(super) fn end_ns(&self) -> Option<i64> {
        self.lock()
            .end_ms
            .map(|ms| ms.saturating_mul(crate::clock::MS_NS))
    }

    fn take(&self, fact: ElementFact) {
        let fact = {
            let mut state = self.lock();
            if state.ended {
                return;
            }
            match fact {
                ElementFact::Opened { .. } | ElementFact::Chunk { .. } => {
                    state.next = Some(fact);
                    return;
                }
                ElementFact::Closed(reason) => {
                    state.open = false;
                    Fact::ObjectClosed { reason }
                }
                ElementFact::NoKeyframe(lasts) => Fact::Degraded {
                    detail: lasts
                        .then(|| "the camera sends no keyframes; recording cannot be cut".to_owned()),
                },
            }
        };
        self.sink.fact(fact);
    }

    fn bytes(&self, list: &gst::BufferListRef) {
        let mapped = list.iter_owned().map(|buffer| {
            let mapped = buffer.into_mapped_buffer_readable().ok()?;
            Some(Bytes::from_owner(Mapped(mapped)))
        });
        let Some(bytes) = mapped.collect::<Option<Parts>>() else {
            return;
        };
        let fact = {
            let mut state = self.lock();
            if state.ended {
                return;
            }
            match state.next.take() {
                Some(ElementFact::Opened {
                    tracks,
                    start_ms,
                    continues,
                }) => {
                    state.open = true;
                    Fact::ObjectOpened {
                        init: bytes.into_iter().next().unwrap_or_default(),
                        tracks,
                        start_ms,
                        continues,
                    }
                }
                Some(ElementFact::Chunk {
                    start_ms,
                    end_ms,
                    starts_segment,
                    frames,
                }) => {
                    state.end_ms = Some(end_ms);
                    Fact::Chunk(Chunk {
                        bytes,
                        start_ms,
                        end_ms,
                        starts_segment,
                        frames,
                    })
                }
                _ => return,
            }
        };
        self.sink.fact(fact);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Mapped(gst::MappedBuffer<gst::buffer::Readable>);

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        self.0.as_slice()
    }
}
