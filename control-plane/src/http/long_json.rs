//! JSON bodies that hold whole lists and are longer than others.

use actix_web::dev::{JsonBody, Payload};
use actix_web::{FromRequest, HttpRequest};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use serde::de::DeserializeOwned;

use super::problem;
use crate::Error;

/// Longest list: a thousand items of four identifiers each.
const LIST_MAX: usize = 256 * 1024;

/// Like `Json`, up to 256 KiB.
#[derive(Debug)]
pub struct LongJson<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for LongJson<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        JsonBody::new(request, payload, None, true)
            .limit(LIST_MAX)
            .map(|body| body.map(Self).map_err(|error| problem::from_json(&error)))
            .boxed_local()
    }
}
