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
        other => {
            return Err(Failure::Unsupported(format!(
                "the scheme {other}: rtsp or rtsps are"
            )));
        }
    }
    if spec.url.host_str().is_none_or(str::is_empty) {
        return Err(Failure::Unsupported("an address without a host".into()));
    }
    if !spec.url.username().is_empty() || spec.url.password().is_some() {
        return Err(Failure::Unsupported(
            "credentials belong beside the address, not in it".into(),
        ));
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
            shared
                .memories
                .update(spec, |memory| memory.reader = Some(Reader::Rtspsrc));
            Ok(opened)
        }
        Err(_) => Err(failure),
    }
}

/// So many streams in a row that `reader` did not understand have the other one tried: one may be the fault of
/// the network.
const MISREAD_LIMIT: u8 = 3;

/// How a stream that `reader` read ended: whether it sent what the reader does not understand.
pub(crate) fn ended(shared: &Shared, spec: &SourceSpec, reader: &str, misread: bool) {
    let other = if reader == Retina.name() {
        Reader::Rtspsrc
    } else {
        Reader::Retina
    };
    shared.memories.update(spec, |memory| {
        memory.misread = if misread {
            memory.misread.saturating_add(1)
        } else {
            0
        };
        if memory.misread >= MISREAD_LIMIT {
            memory.misread = 0;
            memory.reader = Some(other);
        }
    });
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
