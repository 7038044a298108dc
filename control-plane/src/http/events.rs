//! `/api/v1/events`: facts as server-sent events (WHATWG HTML §9.2).

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the names of parameter structs that stand beside their handlers"
)]

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use actix_web::web::{Bytes, Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use futures::stream::{self, StreamExt};
use serde::Deserialize;
use utoipa::IntoParams;
use wire::api::{Event, EventKind};

use super::auth::credentials;
use crate::app::Caller;
use crate::app::events::{self, Follower, Told};
use crate::{AppState, Error};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Milliseconds after which a client that lost its connection tries again.
const RETRY: &str = "retry: 2000\n\n";
/// Most kinds of a filter.
const KINDS_MAX: usize = 50;

super::routes::routes! {
    "/api/v1/events" { get follow }
}

/// Which facts.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EventQuery {
    /// Those after this number; 0 for all that are kept. `Last-Event-ID` counts before it.
    #[param(value_type = Option<u64>, minimum = 0)]
    after: Option<String>,
    /// Kinds, separated by commas: `camera.created,node.offline`; all that begin alike when one ends in a
    /// dot, `node.`.
    #[param(max_length = 1000)]
    kind: Option<String>,
}

/// Facts as they happen: cameras, jobs, words on recording, assignments, recordings, gaps, nodes, licences.
///
/// The answer is a stream of server-sent events that does not end by itself. Each has the fact's number as
/// its `id`, its kind as its `event`, and the fact as JSON in `data`. A client that was away sends the last
/// `id` as `Last-Event-ID`, or as `after`, and misses nothing for seven days; when that is too long ago, the
/// event `reset` comes first: read the present state anew. The event `end` tells that the token works no
/// more. Facts of cameras are told to who may know of the camera, those of nodes with `nodes:read`,
/// and which nodes record a camera to who has both.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "events",
    operation_id = "follow_events",
    security(("bearer" = [])),
    params(EventQuery, ("Last-Event-ID" = Option<u64>, Header, description = "The last number seen.")),
    responses(
        (status = 200, description = "Facts, one event each.", body = Event, content_type = "text/event-stream"),
        (status = 429, description = "This user or key follows too often already."),
        (status = 503, description = "Too many follow already."),
    ),
)]
async fn follow(
    state: Data<AppState>,
    caller: Caller,
    query: Query<EventQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    let kinds = kinds(query.kind.as_deref())?;
    let seen = request.headers().get(LAST_EVENT_ID);
    let after = match seen.map(|value| value.to_str().unwrap_or("?")) {
        Some(seen) => number("Last-Event-ID", seen)?,
        None => query
            .after
            .as_deref()
            .map_or(Ok(None), |after| number("after", after))?,
    };
    let follower = events::open(&state, caller, credentials(&request)?, kinds, after).await?;
    let head = stream::once(async { Ok::<_, Error>(Bytes::from_static(RETRY.as_bytes())) });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Proxies that collect answers would hold facts back.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(head.chain(stream::unfold(follower, next))))
}

async fn next(mut follower: Follower) -> Option<(Result<Bytes, Error>, Follower)> {
    let told = follower.next().await?;
    Some((encoded(&told), follower))
}

fn encoded(told: &Told) -> Result<Bytes, Error> {
    let text = match told {
        Told::Facts(facts) => facts.iter().map(event).collect::<Result<String, Error>>()?,
        // A comment keeps the connection; the id moves on although nothing is dispatched.
        Told::Beat(at) => format!(":\nid: {at}\n\n"),
        Told::Reset(at) => format!("id: {at}\nevent: reset\ndata: {{\"id\":{at}}}\n\n"),
        Told::End(code) => format!("event: end\ndata: {{\"code\":\"{code}\"}}\n\n"),
    };
    Ok(Bytes::from(text))
}

/// JSON has no line ends of its own, so that one line of data suffices.
fn event(fact: &Event) -> Result<String, Error> {
    let data = serde_json::to_string(fact).map_err(|error| Error::Internal(error.into()))?;
    Ok(format!(
        "id: {}\nevent: {}\ndata: {data}\n\n",
        fact.id,
        fact.kind.as_str()
    ))
}

fn number(field: &'static str, text: &str) -> Result<Option<u64>, Error> {
    match text.trim() {
        "" => Ok(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|_| Error::field(field, format!("{field} is the id of an event, a whole number"))),
    }
}

fn kinds(text: Option<&str>) -> Result<Vec<EventKind>, Error> {
    let Some(text) = text else {
        return Ok(Vec::new());
    };
    let mut kinds = Vec::new();
    for name in text.split(',').take(KINDS_MAX).map(str::trim) {
        let before = kinds.len();
        let named = |kind: &&EventKind| {
            kind.as_str() == name || (name.ends_with('.') && kind.as_str().starts_with(name))
        };
        kinds.extend(EventKind::ALL.iter().filter(named));
        if kinds.len() == before {
            return Err(Error::field(
                "kind",
                "a kind of event, such as node.offline, or node. for all of nodes",
            ));
        }
    }
    Ok(kinds)
}
