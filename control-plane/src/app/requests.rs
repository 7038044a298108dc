//! What nodes ask over the bus. The node is the one of the subject; what it asks about must be its own.

use wire::bus::{
    ConfirmReply, ConfirmRequest, CredentialsReply, CredentialsRequest, ReplyCode, ReplyError, StoredReply,
    StoredRequest, UploadReply, UploadRequest,
};
use wire::{NodeId, ObjectId, RecordingId, UnixMs};

use super::vault;
use crate::domain::organization::is_full;
use crate::store::{
    Connection, ObjectRow, ObjectState, StoreError, cameras, events, gaps, nodes, objects, organizations,
    recordings,
};
use crate::{AppState, Error};

/// Lets through nodes that enrolled and were not removed.
///
/// # Errors
/// `NotFound` for any other, `Unavailable` without the database.
pub async fn known(state: &AppState, node: NodeId) -> Result<(), ReplyError> {
    let found = state.store.read(move |c| nodes::key(c, node)).await;
    match found.map_err(failed)? {
        Some(key) if key.removed.is_none() => Ok(()),
        _ => Err(refuse(
            ReplyCode::NotFound,
            "this node is not enrolled, or was removed",
        )),
    }
}

const CONFIRM_MAX: usize = 500;

/// A refusal for the node.
pub(super) fn refuse(code: ReplyCode, detail: impl Into<String>) -> ReplyError {
    ReplyError {
        code,
        detail: detail.into(),
    }
}

fn not_found(what: &str) -> ReplyError {
    refuse(
        ReplyCode::NotFound,
        format!("there is no such {what} of this node"),
    )
}

/// Internal text is logged here; the node gets what it can act on.
pub(super) fn failed(error: impl Into<Error>) -> ReplyError {
    let error = error.into();
    tracing::warn!(?error, "a node's request failed");
    refuse(ReplyCode::Unavailable, error.to_string())
}

/// Which messages are committed, and which refused for good.
///
/// # Errors
/// `Invalid` for too many, `Unavailable` without the database.
pub async fn confirm(
    state: &AppState,
    node: NodeId,
    request: ConfirmRequest,
) -> Result<ConfirmReply, ReplyError> {
    if request.messages.len() > CONFIRM_MAX {
        return Err(refuse(ReplyCode::Invalid, "at most 500 messages at once"));
    }
    state
        .store
        .read(move |c| settled(c, node, request.messages))
        .await
        .map_err(failed)
}

fn settled(
    connection: &mut Connection,
    node: NodeId,
    messages: Vec<String>,
) -> Result<ConfirmReply, StoreError> {
    let (mut object_ids, mut gap_ids, mut session_ids) = (Vec::new(), Vec::new(), Vec::new());
    for about in messages.iter().filter_map(|message| parse(message)) {
        match about {
            About::Object(id) => object_ids.push(id),
            About::Gap(id, _) => gap_ids.push(id),
            About::Session(id, _) => session_ids.push(id),
        }
    }
    let objects = objects::present(connection, node, &object_ids)?;
    let ends = gaps::ends(connection, node, &gap_ids)?;
    let revisions = recordings::revisions(connection, node, &session_ids)?;
    let is_committed = |message: &String| match parse(message) {
        Some(About::Object(id)) => objects.contains(&id),
        Some(About::Gap(id, end)) => ends.iter().any(|(gap, known)| *gap == id && *known >= end),
        Some(About::Session(id, revision)) => revisions
            .iter()
            .any(|(session, known)| *session == id && *known >= revision),
        None => false,
    };
    let (committed, rest): (Vec<_>, Vec<_>) = messages.into_iter().partition(is_committed);
    let refused = if rest.is_empty() {
        Vec::new()
    } else {
        events::refused_among(connection, node, &rest)?
    };
    Ok(ConfirmReply { committed, refused })
}

/// What a message is about: an object, a gap up to its end, a session with its revision.
enum About {
    Object(ObjectId),
    Gap(ObjectId, UnixMs),
    Session(RecordingId, u64),
}

/// Message ids, as [`wire::event::NodeEvent::message_id`] writes them.
fn parse(message: &str) -> Option<About> {
    if let Some(session) = message.strip_prefix("r-") {
        let revision = session.get(36..)?.strip_prefix('-')?.parse().ok()?;
        return Some(About::Session(session.get(..36)?.parse().ok()?, revision));
    }
    let id = message.get(..36)?.parse().ok()?;
    Some(match message.get(36..)? {
        "" => About::Object(id),
        end => About::Gap(id, UnixMs(end.strip_prefix('-')?.parse().ok()?)),
    })
}

/// A place to PUT an object.
///
/// # Errors
/// `NotFound` when it is not this node's, `Conflict` when it is stored, `Unavailable`; that also while
/// the organization's storage quota is reached: the footage stays at the node.
pub async fn upload(
    state: &AppState,
    node: NodeId,
    request: UploadRequest,
    now: UnixMs,
) -> Result<UploadReply, ReplyError> {
    let row = own(state, node, request.object).await?;
    if row.state == ObjectState::Stored {
        return Err(refuse(ReplyCode::Conflict, "the object is stored already"));
    }
    let owner = row.organization;
    let organization = state.store.read(move |c| organizations::get(c, owner)).await;
    let organization = organization.map_err(failed)?.ok_or_else(|| not_found("object"))?;
    if is_full(&organization.quotas, organization.stored_bytes) {
        return Err(refuse(
            ReplyCode::Unavailable,
            "the organization's storage quota is reached: the footage stays at the node until there is room",
        ));
    }
    state
        .objects
        .sign_put(&crate::objects::key(&row), row.bytes, &row.sha256, now)
        .map_err(failed)
}

/// Verifies that an object is in the store, whole, and marks it stored.
///
/// # Errors
/// `NotFound` when it is not this node's, `Unavailable` when that cannot be told.
pub async fn stored(
    state: &AppState,
    node: NodeId,
    request: StoredRequest,
) -> Result<StoredReply, ReplyError> {
    let row = own(state, node, request.object).await?;
    if row.state == ObjectState::Stored {
        return Ok(StoredReply { stored: true });
    }
    let held = state
        .objects
        .head(&crate::objects::key(&row))
        .await
        .map_err(failed)?;
    let whole = held.is_some_and(|held| (held.bytes, held.sha256) == (row.bytes, row.sha256));
    if whole {
        state
            .store
            .write(move |c| objects::mark_stored(c, &row))
            .await
            .map_err(failed)?;
    }
    Ok(StoredReply { stored: whole })
}

async fn own(state: &AppState, node: NodeId, id: ObjectId) -> Result<ObjectRow, ReplyError> {
    let row = state.store.object_by_id(None, id).await.map_err(failed)?;
    row.filter(|row| row.node == node)
        .ok_or_else(|| not_found("object"))
}

/// The credentials of a camera in this node's plan.
///
/// # Errors
/// `NotFound` when the camera is not assigned to this node now, `Unavailable`.
pub async fn credentials(
    state: &AppState,
    node: NodeId,
    request: CredentialsRequest,
) -> Result<CredentialsReply, ReplyError> {
    let row = state
        .store
        .read(move |c| cameras::of_node(c, node, request.camera))
        .await
        .map_err(failed)?
        .ok_or_else(|| not_found("camera"))?;
    let open = |sealed: Vec<u8>| vault::open(&state.secrets, row.id, &sealed).map_err(failed);
    Ok(CredentialsReply {
        revision: row.credentials_revision,
        credentials: row.credentials.map(open).transpose()?,
    })
}
