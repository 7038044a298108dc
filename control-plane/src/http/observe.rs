//! Every answer's request id, problem body, safe headers and log line. Whatever is logged meanwhile, also by
//! the threads of the database, names the request.

use std::time::Instant;

use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use actix_web::middleware::Next;
use tracing::Instrument;
use wire::api::Problem;

use super::problem;
use crate::Error;

/// Names a request in its answer, in the log and in the audit log.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Wraps every request.
///
/// # Errors
/// None: what fails inside becomes an answer here.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let id = wire::ObjectId::generate().to_string();
    request.extensions_mut().insert(RequestId(id.clone()));
    // Queries hold signatures: paths only.
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let is_api = path.starts_with("/api/") || path.starts_with("/player-api/");
    // Of the highest level: whatever is logged at all names its request.
    let span = tracing::error_span!("request", request_id = id);
    let response = next.call(request).instrument(span.clone()).await?;
    let _entered = span.enter();
    let mut response = settled(response.map_into_boxed_body(), &id);
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    if is_api && !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    let status = response.status().as_u16();
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    if matches!(path.as_str(), "/healthz" | "/readyz") {
        tracing::debug!(%method, path, status, ms, "request");
    } else {
        tracing::info!(%method, path, status, ms, "request");
    }
    Ok(response)
}

/// Gives an error answer its body with the request id; logs what the client is not told.
fn settled(response: ServiceResponse<BoxBody>, id: &str) -> ServiceResponse<BoxBody> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let (mut body, retry_after_s) = match response.response().error() {
        Some(error) => match error.as_error::<Error>() {
            Some(error) => {
                log(error);
                (error.problem(), error.retry_after_s())
            }
            None => (plain(status, error.to_string()), None),
        },
        None if response.response().body().size() == BodySize::Sized(0) => (
            plain(
                status,
                status.canonical_reason().unwrap_or("error").to_lowercase(),
            ),
            None,
        ),
        None => return response,
    };
    id.clone_into(&mut body.request_id);
    let answer = problem::answer(&body, retry_after_s);
    let (request, before) = response.into_parts();
    let mut response = ServiceResponse::new(request, answer);
    for (name, value) in before.headers() {
        if !response.headers().contains_key(name) {
            response.headers_mut().append(name.clone(), value.clone());
        }
    }
    response
}

fn plain(status: StatusCode, title: String) -> Problem {
    let code = match status {
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::NOT_FOUND => "page_not_found",
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        status if status.is_server_error() => "internal",
        _ => "invalid_request",
    };
    Problem {
        code: code.to_owned(),
        status: status.as_u16(),
        title,
        field: None,
        request_id: String::new(),
    }
}

fn log(error: &Error) {
    match error {
        Error::Internal(source) => tracing::error!(?source, "internal error"),
        Error::Unavailable {
            code,
            source: Some(source),
            ..
        } => tracing::warn!(code, %source, "unavailable"),
        _ => {}
    }
}
