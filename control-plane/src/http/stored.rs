//! Answers with the bytes of a file of the embedded store.

use actix_web::body::SizedStream;
use actix_web::http::Method;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse};
use futures::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::ranges::{Asked, unsatisfiable};
use crate::Error;
use crate::objects::{FileStore, ObjectStoreError};

/// What never changes may be kept for as long as its address works.
pub const IMMUTABLE: &str = "private, max-age=3600, immutable";
/// Bytes that are read from a file at once.
const READ_BYTES: usize = 128 * 1024;

/// The asked part of an object, streamed from its file.
///
/// # Errors
/// `NotFound` without such an object, `Unavailable` while the store is closed.
pub async fn answer(request: &HttpRequest, store: &FileStore, key: &str) -> Result<HttpResponse, Error> {
    let (mut file, size) = store.file(key).await?.ok_or_else(|| Error::not_found("object"))?;
    let asked = Asked::of(request.headers());
    let Some((first, length)) = asked.part(size) else {
        return Ok(unsatisfiable(size));
    };
    let mut answer = asked.answer(size, (first, length));
    answer.insert_header((CACHE_CONTROL, IMMUTABLE));
    if request.method() == Method::HEAD {
        return Ok(answer.body(empty(length)));
    }
    file.seek(std::io::SeekFrom::Start(first))
        .await
        .map_err(|error| ObjectStoreError(error.to_string()))?;
    let bytes = ReaderStream::with_capacity(file.take(length), READ_BYTES);
    Ok(answer.body(SizedStream::new(length, bytes.boxed_local())))
}

/// A body of `length` bytes for an answer to HEAD: none of them are made.
#[must_use]
pub fn empty(length: u64) -> SizedStream<stream::Empty<Result<bytes::Bytes, std::io::Error>>> {
    SizedStream::new(length, stream::empty())
}
