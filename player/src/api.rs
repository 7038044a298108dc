//! The only place that talks HTTP.
//!
//! The access token lives in memory, the refresh token in an HttpOnly cookie that scripts never see. A
//! request that is answered 401 is tried once more after a refresh.

mod acting;
pub mod events;
pub mod files;

use std::cell::RefCell;

use gloo_net::http::{Method, Request, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::{AbortSignal, RequestCredentials};
use wire::api::{
    AcceptLink, Camera, CameraPatch, Coverage, Days, LinkShown, LookAtLink, Me, NewCamera, Node, Page,
    Playback, ProbeCamera, Problem, Session, SignIn,
};
use wire::bus::ProbeReport;
use wire::{CameraId, UnixMs};

pub use acting::{act_in, acted_in};

use crate::token;

/// Most items that the server gives in one answer.
const PAGE_MAX: usize = 1000;

/// Why a request gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// The server said so.
    Problem(Problem),
    /// The session is over.
    SignedOut,
    /// Nobody answered.
    Unreachable,
    /// The answer made no sense, as from a proxy in between.
    Unreadable,
}

impl ApiError {
    /// Whether signing in helps.
    #[must_use]
    pub fn is_signed_out(&self) -> bool {
        match self {
            Self::Problem(problem) => problem.status == 401,
            other => *other == Self::SignedOut,
        }
    }

    /// The server's stable code, if it gave one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Problem(problem) => Some(&problem.code),
            _ => None,
        }
    }

    /// The field that the server does not take, if it named one.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Problem(problem) => problem.field.as_deref(),
            _ => None,
        }
    }

    /// Whether the same question may well be answered a little later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Problem(problem) => problem.status >= 500 || matches!(problem.status, 408 | 429),
            Self::SignedOut => false,
            Self::Unreachable | Self::Unreadable => true,
        }
    }

    /// A sentence for the reader.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Problem(problem) => {
                let mut letters = problem.title.chars();
                let first = letters
                    .next()
                    .map(|letter| letter.to_uppercase().to_string())
                    .unwrap_or_default();
                format!("{first}{}.", letters.as_str().trim_end_matches('.'))
            }
            Self::SignedOut => "The session is over. Reload the page to sign in again.".to_owned(),
            Self::Unreachable => "The server cannot be reached. Check the connection.".to_owned(),
            Self::Unreadable => "The server's answer cannot be read. Try again later.".to_owned(),
        }
    }
}

type Result<T> = std::result::Result<T, ApiError>;

/// Signs in.
///
/// # Errors
/// When the name or password is wrong, or after too many tries.
pub async fn sign_in(body: &SignIn) -> Result<Me> {
    let session: Session = decode(send(Method::POST, "/api/v1/session", Some(body)).await?).await?;
    Ok(keep(session))
}

/// Goes on with the session of an earlier visit; None when nobody is signed in here.
pub async fn resume() -> Option<Me> {
    if !token::is_remembered() {
        return None;
    }
    renew().await.ok()
}

/// Takes a new token by the cookie. One tab at a time: the cookie changes with each use.
async fn renew() -> Result<Me> {
    let (answer, receive) = (std::rc::Rc::new(RefCell::new(None)), refresh);
    let inner = std::rc::Rc::clone(&answer);
    let callback = Closure::once(move |_: JsValue| {
        future_to_promise(async move {
            let result = receive().await;
            *inner.borrow_mut() = Some(result);
            Ok(JsValue::UNDEFINED)
        })
    });
    match request_lock("cloudcam-refresh", &callback) {
        Ok(done) => drop(JsFuture::from(done).await),
        // Locks exist on https and localhost only.
        Err(_) => return refresh().await,
    }
    answer.take().unwrap_or(Err(ApiError::Unreadable))
}

async fn refresh() -> Result<Me> {
    let answer = send(Method::POST, "/api/v1/session/refresh", None::<&()>)
        .await
        .and_then(|answer| {
            (answer.status() != 204)
                .then_some(answer)
                .ok_or(ApiError::SignedOut)
        });
    if answer.as_ref().is_err_and(ApiError::is_signed_out) {
        token::forget();
    }
    let session: Session = decode(answer?).await?;
    Ok(keep(session))
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["navigator", "locks"], js_name = request, catch)]
    fn request_lock(
        name: &str,
        callback: &Closure<dyn FnMut(JsValue) -> js_sys::Promise>,
    ) -> std::result::Result<js_sys::Promise, JsValue>;
}

fn keep(session: Session) -> Me {
    token::keep(&session);
    session.user
}

/// Signs out here and on the server.
pub async fn sign_out() {
    let _ = send(Method::DELETE, "/api/v1/session", None::<&()>).await;
    token::forget();
}

/// What a one-time link is for.
///
/// # Errors
/// As [`ApiError`] says; a link that works no more is a problem.
pub async fn look_at_link(link: &LookAtLink) -> Result<LinkShown> {
    decode(send(Method::POST, "/api/v1/invitations/look", Some(link)).await?).await
}

/// Uses a one-time link up.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn accept_link(link: &AcceptLink) -> Result<()> {
    send(Method::POST, "/api/v1/invitations/accept", Some(link))
        .await
        .map(drop)
}

/// The cameras.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn cameras() -> Result<Vec<Camera>> {
    all("/api/v1/cameras").await
}

/// Adds a camera.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn create_camera(camera: &NewCamera) -> Result<Camera> {
    call(Method::POST, "/api/v1/cameras", Some(camera)).await
}

/// Changes a camera.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn change_camera(id: CameraId, patch: &CameraPatch) -> Result<Camera> {
    call(Method::PATCH, &format!("/api/v1/cameras/{id}"), Some(patch)).await
}

/// Removes a camera.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn delete_camera(id: CameraId) -> Result<()> {
    let path = format!("/api/v1/cameras/{id}");
    authorized(Method::DELETE, &path, None::<&()>).await.map(drop)
}

/// Connects to an address and tells what it sends.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn probe(camera: &ProbeCamera) -> Result<ProbeReport> {
    call(Method::POST, "/api/v1/probe", Some(camera)).await
}

/// Connects to a saved camera and tells what it sends.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn probe_saved(id: CameraId) -> Result<ProbeReport> {
    call(Method::POST, &format!("/api/v1/cameras/{id}/probe"), None::<&()>).await
}

/// The nodes.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn nodes() -> Result<Vec<Node>> {
    all("/api/v1/nodes").await
}

/// Days with footage from one date to before another, `2026-01-31`, in a time zone.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn days(camera: CameraId, from: &str, to: &str, zone: &str) -> Result<Days> {
    let zone = js_sys::encode_uri_component(zone);
    call(
        Method::GET,
        &format!("/player-api/cameras/{camera}/days?from={from}&to={to}&tz={zone}"),
        None::<&()>,
    )
    .await
}

/// Footage and gaps of a range.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn coverage(camera: CameraId, from: UnixMs, to: UnixMs) -> Result<Coverage> {
    let path = format!(
        "/player-api/cameras/{camera}/coverage?from={}&to={}",
        from.0, to.0
    );
    call(Method::GET, &path, None::<&()>).await
}

/// Where to play a range.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn playback(camera: CameraId, from: UnixMs, to: UnixMs) -> Result<Playback> {
    let path = format!(
        "/player-api/cameras/{camera}/playback?from={}&to={}",
        from.0, to.0
    );
    call(Method::GET, &path, None::<&()>).await
}

/// A text as part of an address.
#[must_use]
pub fn escaped(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

/// Every page of a list, whose address may have a query.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn all<T: DeserializeOwned>(path: &str) -> Result<Vec<T>> {
    Ok(some(path, usize::MAX).await?.items)
}

/// The first items of a list, and whether there are more.
#[derive(Debug, Clone, PartialEq)]
pub struct Beginning<T> {
    /// The items.
    pub items: Vec<T>,
    /// Whether the list goes on.
    pub has_more: bool,
}

/// The first `count` items of a list, whose address may have a query.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn some<T: DeserializeOwned>(path: &str, count: usize) -> Result<Beginning<T>> {
    let mut items: Vec<T> = Vec::new();
    let separator = if path.contains('?') { '&' } else { '?' };
    let mut cursor = String::new();
    loop {
        let limit = count.saturating_sub(items.len()).clamp(1, PAGE_MAX);
        let address = format!("{path}{separator}limit={limit}{cursor}");
        let page: Page<T> = call(Method::GET, &address, None::<&()>).await?;
        items.extend(page.items);
        match page.next {
            Some(next) if items.len() < count => cursor = format!("&cursor={next}"),
            next => {
                let has_more = next.is_some();
                return Ok(Beginning { items, has_more });
            }
        }
    }
}

/// Sends a body, takes one back; for the panel's own `api` module.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn post<B: Serialize, T: DeserializeOwned>(path: &str, body: &B) -> Result<T> {
    call(Method::POST, path, Some(body)).await
}

/// Asks for one thing; for the panel's own `api` module.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn get<T: DeserializeOwned>(path: &str) -> Result<T> {
    call(Method::GET, path, None::<&()>).await
}

/// Changes what still has the revision that was seen; refused when somebody else was faster.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn change<B: Serialize, T: DeserializeOwned>(path: &str, body: &B, revision: u64) -> Result<T> {
    seen("PATCH", path, Some(body), revision).await
}

/// As [`change`], by any method.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn seen<B: Serialize, T: DeserializeOwned>(
    verb: &str,
    path: &str,
    body: Option<&B>,
    revision: u64,
) -> Result<T> {
    decode(authorized_with(method(verb), path, body, &if_match(revision)).await?).await
}

/// Sends a body where nothing is to be read back.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn tell<B: Serialize>(verb: &str, path: &str, body: Option<&B>) -> Result<()> {
    authorized(method(verb), path, body).await.map(drop)
}

/// Deletes what still has the revision that was seen.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn delete_seen(path: &str, revision: u64) -> Result<()> {
    authorized_with(Method::DELETE, path, None::<&()>, &if_match(revision))
        .await
        .map(drop)
}

fn method(verb: &str) -> Method {
    match verb {
        "PATCH" => Method::PATCH,
        "PUT" => Method::PUT,
        "DELETE" => Method::DELETE,
        _ => Method::POST,
    }
}

fn if_match(revision: u64) -> [(&'static str, String); 1] {
    [("If-Match", format!("\"{revision}\""))]
}

async fn call<B: Serialize, T: DeserializeOwned>(method: Method, path: &str, body: Option<&B>) -> Result<T> {
    decode(authorized(method, path, body).await?).await
}

async fn authorized<B: Serialize>(method: Method, path: &str, body: Option<&B>) -> Result<Response> {
    authorized_with(method, path, body, &[]).await
}

async fn authorized_with<B: Serialize>(
    method: Method,
    path: &str,
    body: Option<&B>,
    headers: &[(&str, String)],
) -> Result<Response> {
    renewing(async || send_with(method.clone(), path, body, headers, None).await).await
}

/// Asks with a token that works: a new one when the one there is expires soon, or is refused.
async fn renewing(ask: impl AsyncFn() -> Result<Response>) -> Result<Response> {
    if token::is_stale() {
        renew().await?;
    }
    match ask().await {
        Err(error) if error.is_signed_out() => {
            renew().await?;
            ask().await
        }
        other => other,
    }
}

async fn send<B: Serialize>(method: Method, path: &str, body: Option<&B>) -> Result<Response> {
    send_with(method, path, body, &[], None).await
}

async fn send_with<B: Serialize>(
    method: Method,
    path: &str,
    body: Option<&B>,
    headers: &[(&str, String)],
    abort: Option<&AbortSignal>,
) -> Result<Response> {
    let builder = prepared(method, path, headers, abort);
    let request = match body {
        Some(body) => builder.json(body),
        None => builder.build(),
    };
    answered(request).await
}

fn prepared(
    method: Method,
    path: &str,
    headers: &[(&str, String)],
    abort: Option<&AbortSignal>,
) -> RequestBuilder {
    let mut builder = RequestBuilder::new(&acting::addressed(path))
        .method(method)
        .credentials(RequestCredentials::SameOrigin)
        .abort_signal(abort);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    if let Some(token) = token::current() {
        builder = builder.header("Authorization", &format!("Bearer {token}"));
    }
    builder
}

async fn answered(request: std::result::Result<Request, gloo_net::Error>) -> Result<Response> {
    let request = request.map_err(|_| ApiError::Unreadable)?;
    let response = request.send().await.map_err(|_| ApiError::Unreachable)?;
    if response.ok() {
        return Ok(response);
    }
    let problem = response
        .json::<Problem>()
        .await
        .map_err(|_| ApiError::Unreadable)?;
    Err(ApiError::Problem(problem))
}

async fn decode<T: DeserializeOwned>(response: Response) -> Result<T> {
    response.json().await.map_err(|_| ApiError::Unreadable)
}
