//! `/footage/{object}.mp4`: an object's bytes, from the store or, until it is there, from its node.

use actix_web::body::SizedStream;
use actix_web::http::Method;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Path, Query, ServiceConfig, get, head, resource};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use serde::Deserialize;
use wire::bus::READ_MAX_BYTES;
use wire::{CameraId, ObjectId, UnixMs};

use super::ranges::{Asked, unsatisfiable};
use super::{id, stored};
use crate::app::footage::{Place, Reader, locate};
use crate::app::playback::{forbidden, signer};
use crate::domain::signing::{Grant, Rejected};
use crate::state::now;
use crate::{AppState, Error};

/// Routes.
pub fn routes(config: &mut ServiceConfig) {
    config.service(
        resource("/footage/{object}.mp4")
            .route(get().to(footage))
            .route(head().to(footage)),
    );
}

#[derive(Deserialize)]
struct Signed {
    camera: Option<String>,
    exp: Option<i64>,
    sig: Option<String>,
}

impl Signed {
    /// The camera that the signature names, if it covers this object.
    fn camera(&self, state: &AppState, object: ObjectId) -> Result<CameraId, Rejected> {
        let camera = self.camera.as_deref().and_then(|text| text.parse().ok());
        let (Some(camera), Some(exp), Some(sig)) = (camera, self.exp, &self.sig) else {
            return Err(Rejected::Invalid);
        };
        let path = format!("/footage/{object}.mp4");
        let grant = Grant::Footage { camera, object };
        signer(state).check(&grant, &path, UnixMs(exp), sig, now())?;
        Ok(camera)
    }
}

async fn footage(
    request: HttpRequest,
    state: Data<AppState>,
    path: Path<String>,
    query: Query<Signed>,
) -> Result<HttpResponse, Error> {
    let object = id(&path, "object")?;
    let camera = query.camera(&state, object).map_err(forbidden)?;
    match (locate(&state, camera, object).await?, state.objects.as_file()) {
        (Place::Stored { key }, Some(store)) => stored::answer(&request, store, &key).await,
        (place, _) => {
            let is_sealed = !matches!(place, Place::Node { is_sealed: false, .. });
            let reader = Reader::new(state.as_ref().clone(), camera, object, place);
            relay(&request, reader, is_sealed).await
        }
    }
}

/// The asked part, piece by piece as fast as the client takes them.
async fn relay(request: &HttpRequest, mut reader: Reader, is_sealed: bool) -> Result<HttpResponse, Error> {
    let asked = Asked::of(request.headers());
    let is_head = request.method() == Method::HEAD;
    let (offset, length) = first_piece(asked, is_head);
    // The first piece also tells how long the object is now.
    let (size, bytes) = reader.piece(offset, length).await?;
    let Some((first, length)) = asked.part(size) else {
        return Ok(unsatisfiable(size));
    };
    let mut answer = asked.answer(size, (first, length));
    answer.insert_header((
        CACHE_CONTROL,
        if is_sealed { stored::IMMUTABLE } else { "no-store" },
    ));
    if is_head {
        return Ok(answer.body(stored::empty(length)));
    }
    let bytes = if first == offset { bytes } else { Bytes::new() };
    let pieces = pieces(reader, first, length, bytes);
    Ok(answer.body(SizedStream::new(length, pieces.boxed_local())))
}

/// Offset and length of what is read before the object's size is known.
fn first_piece(asked: Asked, is_head: bool) -> (u64, u64) {
    let most = u64::from(READ_MAX_BYTES);
    match asked {
        _ if is_head => (0, 1),
        Asked::Whole => (0, most),
        Asked::From(first, last) => {
            let length = last.map_or(most, |last| (last - first).saturating_add(1));
            (first, length.min(most))
        }
        Asked::Last(_) => (0, 1),
    }
}

/// `length` bytes from `at`, of which `bytes` are there already. An error cuts the answer short, which
/// the client sees by its length.
fn pieces(reader: Reader, at: u64, length: u64, bytes: Bytes) -> impl Stream<Item = Result<Bytes, Error>> {
    stream::try_unfold(
        (reader, at, length, bytes),
        async |(mut reader, at, left, mut bytes)| {
            if left == 0 {
                return Ok(None);
            }
            if bytes.is_empty() {
                (_, bytes) = reader.piece(at, left).await?;
            }
            bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            let count = bytes.len() as u64;
            if count == 0 {
                return Err(Error::Internal(anyhow::anyhow!(
                    "the object ended before its size"
                )));
            }
            Ok(Some((bytes, (reader, at + count, left - count, Bytes::new()))))
        },
    )
}
