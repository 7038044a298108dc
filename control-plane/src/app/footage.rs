//! The bytes of an object, wherever they are: the object store, or the node that recorded it.
//!
//! An object's address is the same while it grows, is sealed and is stored.

use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use wire::bus::{READ_MAX_BYTES, ReadRequest, ReplyCode};
use wire::event::Head;
use wire::{CameraId, NodeId, ObjectId, StreamKind};

use crate::bus::BusError;
use crate::objects::{self, ObjectStoreError};
use crate::store::{ObjectState, erasures};
use crate::{AppState, Error};

/// Where an object's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the object store, under this key.
    Stored {
        /// Its key.
        key: String,
    },
    /// In the spool of a node.
    Node {
        /// Which one.
        node: NodeId,
        /// Sealed and indexed: its length is final.
        is_sealed: bool,
    },
}

/// What the index does not have yet of a stream: the head of the newest epoch, and of older ones those whose
/// node is there to be asked.
pub(super) fn heads(state: &AppState, camera: CameraId, stream: StreamKind) -> Vec<Arc<Head>> {
    let mut is_newest = true;
    let mut heads = state.heads.of(camera, stream);
    heads.retain(|head| std::mem::take(&mut is_newest) || state.nodes.online(head.node).is_some());
    heads
}

/// Finds an object of a camera.
///
/// # Errors
/// `NotFound`, and those of the database.
pub async fn locate(state: &AppState, camera: CameraId, object: ObjectId) -> Result<Place, Error> {
    // The head first: what goes from head to index meanwhile is then in both, not in neither.
    let open = [StreamKind::Main, StreamKind::Sub].iter().find_map(|stream| {
        let head = state.heads.with_object(camera, *stream, object)?;
        let open = head.objects.iter().find(|one| one.id == object)?;
        Some((head.node, open.segments.range()))
    });
    let row = state.store.object_by_id(None, object).await?;
    let open = match open {
        Some((node, Some(range))) if row.is_none() => {
            let erased = state
                .store
                .read(move |c| erasures::touching(c, camera, range))
                .await?;
            erased.is_empty().then_some(node)
        }
        open => open.map(|(node, _)| node),
    };
    match (row.filter(|row| row.camera == camera), open) {
        (Some(row), _) if row.state == ObjectState::Stored => Ok(Place::Stored {
            key: objects::key(&row),
        }),
        (Some(row), _) => Ok(Place::Node {
            node: row.node,
            is_sealed: true,
        }),
        (None, Some(node)) => Ok(Place::Node {
            node,
            is_sealed: false,
        }),
        (None, None) => Err(Error::not_found("object")),
    }
}

/// Reads an object piece by piece. When the node has given it up, goes on from the store.
#[derive(Debug)]
pub struct Reader {
    state: AppState,
    camera: CameraId,
    object: ObjectId,
    place: Place,
}

impl Reader {
    /// A reader that begins at `place`.
    #[must_use]
    pub const fn new(state: AppState, camera: CameraId, object: ObjectId, place: Place) -> Self {
        Self {
            state,
            camera,
            object,
            place,
        }
    }

    /// Up to `length` bytes from `offset`, at most [`READ_MAX_BYTES`]; and the object's present size.
    /// Fewer bytes mean its present end.
    ///
    /// # Errors
    /// `Unavailable` while neither node nor store answers, `NotFound` when neither has it.
    pub async fn piece(&mut self, offset: u64, length: u64) -> Result<(u64, Bytes), Error> {
        let length = u32::try_from(length).unwrap_or(u32::MAX).min(READ_MAX_BYTES);
        if let Place::Node { node, .. } = self.place {
            let request = ReadRequest {
                object: self.object,
                camera: self.camera,
                offset,
                length,
            };
            match self.state.bus.read(node, request).await {
                Ok((reply, bytes)) => return Ok((reply.size, bytes)),
                Err(BusError::Refused(reply)) if reply.code == ReplyCode::NotFound => {
                    self.place = locate(&self.state, self.camera, self.object).await?;
                }
                Err(BusError::Refused(reply)) if reply.code == ReplyCode::Unavailable => {
                    return Err(Error::Unavailable {
                        code: "node_unavailable",
                        title: "the recorder node cannot read the footage now, try again".to_owned(),
                        source: Some(reply.into()),
                    });
                }
                Err(error) => return Err(error.into()),
            }
        }
        match &self.place {
            Place::Stored { key } => stored_piece(&self.state, key, offset, length).await,
            Place::Node { .. } => Err(Error::not_found("object")),
        }
    }
}

async fn stored_piece(state: &AppState, key: &str, offset: u64, length: u32) -> Result<(u64, Bytes), Error> {
    let file = match state.objects.as_file() {
        Some(store) => store.file(key).await?,
        None => None,
    };
    let (mut file, size) = file.ok_or_else(|| Error::not_found("object"))?;
    let failed = |error: std::io::Error| ObjectStoreError(error.to_string());
    file.seek(std::io::SeekFrom::Start(offset))
        .await
        .map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(length.into())
        .read_to_end(&mut bytes)
        .await
        .map_err(failed)?;
    Ok((size, bytes.into()))
}
