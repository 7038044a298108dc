//! The stream of facts at `/api/v1/events`, read through `fetch`: an `EventSource` cannot say who asks.

use gloo_net::http::Method;
use gloo_timers::future::TimeoutFuture;
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, AbortSignal, ReadableStreamDefaultReader};

use wire::api::Event;

use super::{ApiError, renew, send_with, token};
use crate::sse::Parser;

const PATH: &str = "/api/v1/events";
/// Tried again this long after a stream ended, then twice as long, up to the longest.
const FIRST_RETRY_MS: u32 = 1_000;
const LONGEST_RETRY_MS: u32 = 30_000;

/// What is heard of the stream.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// It is open: from now on nothing is missed.
    Open,
    /// It is not, for now.
    Lost,
    /// It was away for too long: anything may have changed meanwhile.
    Missed,
    /// A fact.
    Fact(Box<Event>),
}

/// Follows the stream until it is dropped; goes on after the last event when it breaks.
#[derive(Debug)]
pub struct Follower {
    abort: Option<AbortController>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        if let Some(abort) = &self.abort {
            abort.abort();
        }
    }
}

/// Follows the stream of facts. A browser that cannot, or a server that has none, gives no news at all.
pub fn follow(tell: impl Fn(News) + 'static) -> Follower {
    let abort = AbortController::new().ok();
    if let Some(signal) = abort.as_ref().map(AbortController::signal) {
        spawn_local(listen(signal, tell));
    }
    Follower { abort }
}

async fn listen(signal: AbortSignal, tell: impl Fn(News)) {
    let mut parser = Parser::default();
    let mut wait_ms = FIRST_RETRY_MS;
    while !signal.aborted() {
        match once(&signal, &mut parser, &tell).await {
            Ok(()) => wait_ms = FIRST_RETRY_MS,
            // Nobody is signed in any more, or there is no such stream for this person.
            Err(error) if error.is_signed_out() => return,
            Err(ApiError::Problem(problem)) if matches!(problem.status, 403 | 404) => return,
            Err(_) => wait_ms = (wait_ms * 2).min(LONGEST_RETRY_MS),
        }
        if signal.aborted() {
            return;
        }
        tell(News::Lost);
        TimeoutFuture::new(wait_ms).await;
    }
}

/// One connection, to its end.
async fn once(signal: &AbortSignal, parser: &mut Parser, tell: &impl Fn(News)) -> super::Result<()> {
    if token::is_stale() {
        renew().await?;
    }
    let mut headers = vec![("Accept", "text/event-stream".to_owned())];
    if !parser.last_id().is_empty() {
        headers.push(("Last-Event-ID", parser.last_id().to_owned()));
    }
    let ask = || send_with(Method::GET, PATH, None::<&()>, &headers, Some(signal));
    let response = match ask().await {
        Err(error) if error.is_signed_out() => {
            renew().await?;
            ask().await?
        }
        other => other?,
    };
    let reader: ReadableStreamDefaultReader = response
        .body()
        .ok_or(ApiError::Unreadable)?
        .get_reader()
        .unchecked_into();
    // What a broken connection left half is sent again.
    *parser = Parser::after(parser.last_id().to_owned());
    tell(News::Open);
    // An error while reading is an end like any other: the loop outside connects again.
    while let Ok(part) = JsFuture::from(reader.read()).await {
        let field = |name: &str| Reflect::get(&part, &name.into()).ok();
        let Some(bytes) = field("value").and_then(|value| value.dyn_into::<Uint8Array>().ok()) else {
            break;
        };
        for event in parser.take(&bytes.to_vec()) {
            if event.kind == "reset" {
                tell(News::Missed);
            // A kind that this page does not know yet is passed over.
            } else if let Ok(fact) = serde_json::from_str(&event.data) {
                tell(News::Fact(Box::new(fact)));
            }
        }
    }
    Ok(())
}
