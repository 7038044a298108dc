//! Retina's errors as failures.
//!
//! Retina gives an RTSP status and a text, no kinds. Texts are compared by their beginnings, which are part of
//! its documented messages; anything unknown counts as invalid data.

use retina::Error;

use crate::facts::Failure;

/// Longest text that is handed on.
const MAX_TEXT: usize = 200;

/// The failure of a step before pictures come.
pub(super) fn failure(error: &Error) -> Failure {
    match error.status_code() {
        Some(401 | 403) => return Failure::Unauthorized,
        Some(404 | 410 | 454) => return Failure::NotFound,
        Some(461) => return Failure::Unsupported("the camera does not offer this transport".into()),
        Some(status @ 300..) => return Failure::Invalid(format!("RTSP status {status}")),
        _ => {}
    }
    let text = text(error);
    if text.starts_with("Unable to connect") {
        Failure::Unreachable(text)
    } else if is_connection(&text) {
        Failure::Lost(text)
    } else if text.starts_with("Unsupported") {
        Failure::Unsupported(text)
    } else {
        Failure::Invalid(text)
    }
}

/// Whether a text is about the connection, which is gone then.
pub(super) fn is_connection(text: &str) -> bool {
    [
        "Error reading from RTSP peer",
        "Error writing to RTSP peer",
        "Error receiving UDP packet",
        "Timeout",
    ]
    .iter()
    .any(|start| text.starts_with(start))
}

/// Whether a text is about the framing of the connection, after which nothing can be understood.
pub(super) fn is_framing(text: &str) -> bool {
    text.starts_with("RTSP framing error") || text.starts_with("Received interleaved data")
}

/// The first line, which holds no addresses and no secrets.
pub(super) fn text(error: &Error) -> String {
    error
        .to_string()
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(MAX_TEXT)
        .collect()
}
