//! Reads by GStreamer's rtspsrc what Retina cannot: RTSPS and odd cameras.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::{Opened, Source};
use crate::engine::Shared;
use crate::facts::{Failure, SourceSpec};

/// The source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rtspsrc;

impl Source for Rtspsrc {
    fn name(&self) -> &'static str {
        "rtspsrc"
    }

    fn open<'a>(&'a self, _shared: &'a Arc<Shared>, _spec: &'a SourceSpec) -> BoxFuture<'a, Result<Opened, Failure>> {
        Box::pin(async { Err(Failure::Unsupported("rtspsrc is not there yet".into())) })
    }
}
