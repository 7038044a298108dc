//! Parts that many requests have: pages, entity tags, idempotency keys.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{ETAG, HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::Error;
use crate::domain::page::{Cursor, LIMIT_DEFAULT, LIMIT_MAX, Part};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const KEY_MAX: usize = 200;

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Items of the page, 1 to 1000.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
}

impl PageQuery {
    /// The part of the list that is meant.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the field.
    pub fn part(&self) -> Result<Part, Error> {
        let limit = match &self.limit {
            None => LIMIT_DEFAULT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=LIMIT_MAX).contains(limit))
                .ok_or_else(|| Error::field("limit", "limit is a whole number from 1 to 1000"))?,
        };
        let after = self.cursor.as_deref().map(Cursor::decode).transpose();
        Ok(Part {
            after: after.map_err(|error| Error::field("cursor", error.to_string()))?,
            limit,
        })
    }
}

/// Whether to do it, or only to say what would be done.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DryRun {
    /// Change nothing.
    #[param(value_type = Option<bool>, default = false)]
    dry_run: Option<String>,
}

impl DryRun {
    /// Whether nothing is to be changed.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the field.
    pub fn is_dry(&self) -> Result<bool, Error> {
        match self.dry_run.as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Error::field("dry_run", "true or false")),
        }
    }
}

/// `If-Match` (RFC 9110 §13.1.1): the revision that the client has seen; none when it does not care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(pub Option<u64>);

impl IfMatch {
    /// For what has no revision: no tag can be the one of now.
    ///
    /// # Errors
    /// [`Error::Stale`] when one is given.
    pub const fn without_revision(self) -> Result<(), Error> {
        match self.0 {
            None => Ok(()),
            Some(_) => Err(Error::Stale),
        }
    }
}

impl FromRequest for IfMatch {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(if_match(request.headers()))
    }
}

fn if_match(headers: &HeaderMap) -> Result<IfMatch, Error> {
    let Some(value) = headers.get(IF_MATCH) else {
        return Ok(IfMatch(None));
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(IfMatch(None));
    }
    match revision(text) {
        Some(revision) => Ok(IfMatch(Some(revision))),
        None => Err(Error::invalid(
            "invalid_if_match",
            "If-Match takes the ETag of what is to be changed, such as \"7\"",
        )),
    }
}

fn revision(tag: &str) -> Option<u64> {
    tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

/// `Idempotency-Key`, if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub Option<String>);

impl FromRequest for IdempotencyKey {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let key = request.headers().get(IDEMPOTENCY_KEY).map(|value| {
            value
                .to_str()
                .ok()
                .filter(|key| (1..=KEY_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()))
                .map(str::to_owned)
                .ok_or_else(|| {
                    Error::invalid(
                        "invalid_idempotency_key",
                        "an Idempotency-Key has 1 to 200 visible ASCII characters",
                    )
                })
        });
        ready(key.transpose().map(Self))
    }
}

/// 200 with an entity tag, or 304 when the client has this revision (RFC 9110 §13.1.2).
#[must_use]
pub fn tagged<T: Serialize>(request: &HttpRequest, body: &T, revision: u64) -> HttpResponse {
    let seen = request
        .headers()
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .and_then(self::revision);
    if seen == Some(revision) {
        return with_tag(HttpResponse::NotModified(), revision).finish();
    }
    with_tag(HttpResponse::Ok(), revision).json(body)
}

/// 200 with the entity tag of what was changed.
#[must_use]
pub fn changed<T: Serialize>(body: &T, revision: u64) -> HttpResponse {
    with_tag(HttpResponse::Ok(), revision).json(body)
}

/// 201 with address and entity tag of what was made.
#[must_use]
pub fn created<T: Serialize>(location: String, body: &T, revision: u64) -> HttpResponse {
    with_tag(HttpResponse::Created(), revision)
        .insert_header(("Location", location))
        .json(body)
}

fn with_tag(mut answer: HttpResponseBuilder, revision: u64) -> HttpResponseBuilder {
    answer.insert_header((ETAG, format!("\"{revision}\"")));
    answer
}
