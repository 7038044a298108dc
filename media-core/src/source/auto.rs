//! Chooses a source, and remembers what a camera needed.

use std::sync::Arc;

use super::{Opened, Source, retina::Retina, rtspsrc::Rtspsrc};
use crate::engine::Shared;
use crate::facts::{Failure, Reader, SourceSpec};

/// Opens a camera with the source that its specification asks for.
///
/// `Auto` takes rtspsrc for `rtsps://`, which Retina does not speak, and else Retina. When Retina does not
/// understand the camera, rtspsrc is tried in its place, and remembered when it does better.
///
/// # Errors
/// The failure of the source; of Retina when both were tried.
pub(crate) async fn open(shared: &Arc<Shared>, spec: &SourceSpec) -> Result<Opened, Failure> {
    match spec.url.scheme() {
        "rtsp" | "rtsps" => {}
        other => return Err(Failure::Unsupported(format!("the scheme {other}: rtsp or rtsps are"))),
    }
    if spec.url.host_str().is_none_or(str::is_empty) {
        return Err(Failure::Unsupported("an address without a host".into()));
    }
    if let Some(source) = fixed(shared, spec) {
        return source.open(shared, spec).await;
    }
    let failure = match Retina.open(shared, spec).await {
        Err(failure @ (Failure::Invalid(_) | Failure::Unsupported(_))) => failure,
        other => return other,
    };
    tracing::info!(%failure, "retina cannot read the camera, trying rtspsrc");
    match Rtspsrc.open(shared, spec).await {
        Ok(opened) => {
            shared.memories.update(spec, |memory| memory.reader = Some(Reader::Rtspsrc));
            Ok(opened)
        }
        Err(_) => Err(failure),
    }
}

/// The stream that `reader` gave turned out not to be understood; try the other one next time.
pub(crate) fn not_understood(shared: &Shared, spec: &SourceSpec, reader: &str) {
    let next = if reader == Retina.name() { Reader::Rtspsrc } else { Reader::Retina };
    shared.memories.update(spec, |memory| memory.reader = Some(next));
}

fn fixed(shared: &Shared, spec: &SourceSpec) -> Option<&'static dyn Source> {
    let reader = match spec.reader {
        Reader::Auto if spec.url.scheme() == "rtsps" => Reader::Rtspsrc,
        Reader::Auto => shared.memories.get(spec).reader.unwrap_or_default(),
        other => other,
    };
    match reader {
        Reader::Auto => None,
        Reader::Retina => Some(&Retina),
        Reader::Rtspsrc => Some(&Rtspsrc),
    }
}
