//! One PUT of one file, with the headers that its URL was signed for.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures::TryStreamExt;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Body, Client, StatusCode};
use tokio::fs::File;
use tokio_util::io::ReaderStream;
use wire::bus::UploadReply;

use super::{UnderWay, Uplink};
use crate::config::Https;
use crate::https;

/// Slowest upload that is waited for.
const SLOWEST_BYTES_PER_S: u64 = 16 * 1024;

/// How a PUT failed.
#[derive(Debug)]
pub(super) enum PutError {
    /// The store did not answer, or is not well.
    Store(String),
    /// The store refused this PUT.
    Refused(String),
}

/// The HTTP client of all uploads.
pub(super) fn client(config: &Https) -> anyhow::Result<Client> {
    https::client(config)?
        .connect_timeout(Duration::from_secs(10))
        .build()
        .context("cannot make an HTTP client")
}

/// How a PUT goes.
pub(super) struct Pace {
    /// Counts the bytes.
    pub(super) under_way: Arc<UnderWay>,
    /// Slows them.
    pub(super) uplink: Arc<Uplink>,
    /// Uploads that share the limit.
    pub(super) side_by_side: usize,
}

impl Pace {
    /// Longest that so many bytes may take.
    fn limit(&self, bytes: u64) -> Duration {
        let unlimited = Duration::from_secs(30 + bytes / SLOWEST_BYTES_PER_S);
        // Twice, for neither the others nor the network share evenly.
        let share = u32::try_from(self.side_by_side.max(1)).unwrap_or(u32::MAX);
        unlimited.saturating_add(self.uplink.takes(bytes).saturating_mul(share.saturating_mul(2)))
    }
}

/// Sends the file. "Already there" (412) is success: the control plane verifies what is there.
pub(super) async fn put(
    http: &Client,
    place: &UploadReply,
    file: File,
    bytes: u64,
    pace: Pace,
) -> Result<(), PutError> {
    let mut headers = headers(place)?;
    headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    let limit = pace.limit(bytes);
    let Pace {
        under_way, uplink, ..
    } = pace;
    let body = ReaderStream::with_capacity(file, uplink.part_bytes())
        .and_then(move |part| {
            let uplink = uplink.clone();
            async move {
                uplink.wait(part.len()).await;
                Ok(part)
            }
        })
        .inspect_ok(move |part| under_way.sent(part.len()));
    let sent = http
        .put(&place.url)
        .headers(headers)
        .timeout(limit)
        .body(Body::wrap_stream(body))
        .send()
        .await;
    // The URL is a secret while it lives.
    let status = sent
        .map_err(|error| PutError::Store(format!("PUT failed: {}", chain(error.without_url()))))?
        .status();
    match status {
        StatusCode::PRECONDITION_FAILED => Ok(()),
        status if status.is_success() => Ok(()),
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            Err(PutError::Store(format!("the store answers {status}")))
        }
        status => Err(PutError::Refused(format!(
            "the store refuses the object: {status}"
        ))),
    }
}

fn chain(error: reqwest::Error) -> String {
    format!("{:#}", anyhow::Error::new(error))
}

fn headers(place: &UploadReply) -> Result<HeaderMap, PutError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &place.headers {
        let bad = |_| PutError::Refused(format!("the header {name} of the upload cannot be sent"));
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|error| bad(error.to_string()))?;
        let value = HeaderValue::from_str(value).map_err(|error| bad(error.to_string()))?;
        // The URL names the host.
        if key != reqwest::header::HOST {
            headers.insert(key, value);
        }
    }
    Ok(headers)
}
