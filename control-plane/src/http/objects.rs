//! `/objects/{key}`: the embedded file store under signed addresses.

use actix_web::web::{Data, Path, Payload, Query, ServiceConfig, get, head, put, resource};
use actix_web::{HttpRequest, HttpResponse};
use futures::StreamExt;
use serde::Deserialize;
use wire::UnixMs;

use super::stored;
use crate::app::playback::forbidden;
use crate::domain::signing::{Grant, Rejected};
use crate::objects::{FileStore, PutError, check_key};
use crate::state::now;
use crate::{AppState, Error};

/// Most bytes of a refused body that are read, so that the client gets to see the answer.
const DRAIN_BYTES: usize = 256 * 1024 * 1024;

/// Routes.
pub fn routes(config: &mut ServiceConfig) {
    config.service(
        resource("/objects/{key:.*}")
            .route(put().to(take))
            .route(get().to(give))
            .route(head().to(give)),
    );
}

#[derive(Deserialize)]
struct Signed {
    length: Option<u64>,
    sha256: Option<String>,
    exp: Option<i64>,
    sig: Option<String>,
}

impl Signed {
    fn check(&self, store: &FileStore, grant: &Grant<'_>) -> Result<(), Error> {
        let (Some(exp), Some(sig)) = (self.exp, &self.sig) else {
            return Err(forbidden(Rejected::Invalid));
        };
        store.check(grant, UnixMs(exp), sig, now()).map_err(forbidden)
    }

    /// Length and digest that a PUT was signed for.
    fn promise(&self) -> Option<(u64, [u8; 32])> {
        let sha256 = hex::decode(self.sha256.as_deref()?).ok()?;
        Some((self.length?, sha256.try_into().ok()?))
    }
}

async fn give(
    request: HttpRequest,
    state: Data<AppState>,
    key: Path<String>,
    query: Query<Signed>,
) -> Result<HttpResponse, Error> {
    let store = open(&state, &key)?;
    query.check(store, &Grant::Get { key: &key })?;
    stored::answer(&request, store, &key).await
}

async fn take(
    state: Data<AppState>,
    key: Path<String>,
    query: Query<Signed>,
    mut body: Payload,
) -> Result<HttpResponse, Error> {
    let store = open(&state, &key)?;
    let (bytes, sha256) = query.promise().ok_or_else(|| forbidden(Rejected::Invalid))?;
    let grant = Grant::Put {
        key: &key,
        bytes,
        sha256: &sha256,
    };
    query.check(store, &grant)?;
    let outcome = write(store, &key, (bytes, sha256), &mut body).await;
    if outcome.is_err() {
        drain(&mut body).await;
    }
    match outcome {
        Ok(()) => Ok(HttpResponse::Created().finish()),
        // As If-None-Match: * demands, whether or not it was sent.
        Err(PutError::Exists) => Ok(HttpResponse::PreconditionFailed().finish()),
        Err(error) => Err(error.into()),
    }
}

/// The embedded store, for a key that can be one. Anything else does not exist.
fn open<'a>(state: &'a AppState, key: &str) -> Result<&'a FileStore, Error> {
    let missing = || Error::not_found("object");
    check_key(key).map_err(|_| missing())?;
    state.objects.as_file().ok_or_else(missing)
}

async fn write(
    store: &FileStore,
    key: &str,
    (bytes, sha256): (u64, [u8; 32]),
    body: &mut Payload,
) -> Result<(), PutError> {
    let mut incoming = store.begin(key, bytes, sha256).await?;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| PutError::Interrupted(error.to_string()))?;
        incoming.write(&chunk).await?;
    }
    incoming.commit().await
}

/// Reads on after a refusal: a connection closed in the middle of a body loses the answer.
async fn drain(body: &mut Payload) {
    let mut left = DRAIN_BYTES;
    while let Some(Ok(chunk)) = body.next().await {
        left = left.saturating_sub(chunk.len());
        if left == 0 {
            return;
        }
    }
}

impl From<PutError> for Error {
    fn from(error: PutError) -> Self {
        let title = error.to_string();
        match error {
            PutError::Length => Self::invalid("length_mismatch", title),
            PutError::Digest => Self::invalid("digest_mismatch", title),
            PutError::Interrupted(_) => Self::invalid("body_interrupted", "the body could not be read"),
            PutError::Exists => Self::Conflict {
                code: "already_exists",
                title,
            },
            PutError::Full => Self::Unavailable {
                code: "object_store_full",
                title,
                source: None,
            },
            PutError::Failed(_) => Self::Unavailable {
                code: "object_store_unavailable",
                title: "the object store is not available, try again".to_owned(),
                source: Some(error.into()),
            },
        }
    }
}
