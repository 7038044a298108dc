//! Probes: a node connects to a camera and says what it sends, saved or not.

use wire::access::{Permission, Right};
use wire::api::ProbeCamera;
use wire::bus::{ProbeReport, ProbeRequest};
use wire::source::Source;
use wire::{CameraId, NodeId, StreamKind};

use super::{Caller, cameras, nodes};
use crate::bus::BusError;
use crate::domain::event::tidy;
use crate::{AppState, Error};

/// Probes an address that is not saved.
///
/// # Errors
/// [`Error::Invalid`] with the field, and as a probe fails.
pub async fn unsaved(state: &AppState, caller: &Caller, body: ProbeCamera) -> Result<ProbeReport, Error> {
    caller.require(Right::ManageCameras)?;
    let (url, credentials) = cameras::checked(state, &body.url, body.username, body.password)?;
    let source = Source {
        url,
        transport: body.transport,
        reader: body.reader,
        audio: true,
    };
    ask(state, caller, None, ProbeRequest { source, credentials }).await
}

/// Probes a stream of a saved camera, through its own node if that is online.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Conflict`] for a sub stream that it does not have, and as a probe fails.
pub async fn saved(
    state: &AppState,
    caller: &Caller,
    id: CameraId,
    stream: StreamKind,
) -> Result<ProbeReport, Error> {
    let row = cameras::row(state, caller, id, Some(Permission::Manage)).await?;
    let url = match stream {
        StreamKind::Main => row.url.clone(),
        StreamKind::Sub => row.sub_url.clone().ok_or_else(|| Error::Conflict {
            code: "no_sub_stream",
            title: "the camera has no address of a sub stream: save one first".to_owned(),
        })?,
    };
    let request = ProbeRequest {
        source: Source {
            url,
            audio: true,
            ..cameras::source(&row)
        },
        credentials: cameras::credentials(state, &row)?,
    };
    ask(state, caller, row.node, request).await
}

/// # Errors
/// [`Error::Unavailable`] without a node, [`Error::Upstream`] with what the node found wrong.
async fn ask(
    state: &AppState,
    caller: &Caller,
    preferred: Option<NodeId>,
    request: ProbeRequest,
) -> Result<ProbeReport, Error> {
    state.bus.client()?;
    let online = nodes::online(state, caller).await?;
    let node = preferred
        .filter(|node| online.contains(node))
        .or_else(|| online.first().copied());
    let Some(node) = node else {
        return Err(Error::Unavailable {
            code: "no_node_online",
            title: "no recorder node is online to connect to the camera".to_owned(),
            source: None,
        });
    };
    state
        .bus
        .probe(node, &request)
        .await
        .map_err(|error| match error {
            BusError::Refused(reply) => Error::Upstream {
                code: "probe_failed",
                title: tidy(&reply.detail),
            },
            BusError::Timeout => Error::Upstream {
                code: "probe_timeout",
                title: "the camera did not answer within ten seconds".to_owned(),
            },
            other => other.into(),
        })
}
