//! Errors as `application/problem+json` (RFC 9457). Internal text stays in the log.

use actix_web::error::JsonPayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use wire::api::Problem;

use crate::Error;

/// Seconds after which something that is away may be asked again.
const RETRY_S: u64 = 2;

impl Error {
    /// The body that a client gets. The request id is filled in on the way out.
    #[must_use]
    pub fn problem(&self) -> Problem {
        Problem {
            code: self.code(),
            status: self.status_code().as_u16(),
            title: self.to_string(),
            field: match self {
                Self::Invalid { field, .. } => field.map(str::to_owned),
                Self::Unprocessable { field, .. } => Some((*field).to_owned()),
                _ => None,
            },
            request_id: String::new(),
        }
    }

    fn code(&self) -> String {
        match self {
            Self::Invalid { code, .. }
            | Self::Unprocessable { code, .. }
            | Self::Unauthorized { code, .. }
            | Self::Forbidden { code, .. }
            | Self::Conflict { code, .. }
            | Self::Upstream { code, .. }
            | Self::Unavailable { code, .. } => (*code).to_owned(),
            Self::NotFound { what } => format!("{what}_not_found"),
            Self::TooLarge => "too_large".to_owned(),
            Self::Stale => "stale".to_owned(),
            Self::TooMany { .. } => "too_many_attempts".to_owned(),
            Self::Locked { .. } => "account_locked".to_owned(),
            Self::Internal(_) => "internal".to_owned(),
        }
    }

    /// Seconds for `Retry-After`, where waiting helps.
    #[must_use]
    pub const fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::TooMany { retry_after_s } | Self::Locked { retry_after_s } => Some(*retry_after_s),
            Self::Unavailable { .. } => Some(RETRY_S),
            _ => None,
        }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Invalid { .. } => StatusCode::BAD_REQUEST,
            Self::Unprocessable { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unauthorized { .. } => StatusCode::UNAUTHORIZED,
            Self::Forbidden { .. } => StatusCode::FORBIDDEN,
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::Conflict { .. } => StatusCode::CONFLICT,
            Self::Stale => StatusCode::PRECONDITION_FAILED,
            Self::TooMany { .. } | Self::Locked { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Upstream { .. } => StatusCode::BAD_GATEWAY,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        answer(&self.problem(), self.retry_after_s())
    }
}

/// The answer that carries a problem.
#[must_use]
pub fn answer(problem: &Problem, retry_after_s: Option<u64>) -> HttpResponse {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = HttpResponse::build(status).json(problem);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Some(seconds) = retry_after_s {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

/// A body that is no JSON, too long, or not the JSON asked for.
#[must_use]
pub fn from_json(error: &JsonPayloadError) -> Error {
    match error {
        JsonPayloadError::OverflowKnownLength { .. } | JsonPayloadError::Overflow { .. } => Error::TooLarge,
        JsonPayloadError::ContentType => {
            Error::invalid("invalid_content_type", "send the body as application/json")
        }
        JsonPayloadError::Deserialize(error) => {
            let said = without_value(&error.to_string());
            Error::invalid("invalid_body", format!("the body is not as expected: {said}"))
        }
        _ => Error::invalid("invalid_body", "the body could not be read"),
    }
}

/// What serde says of a body, without the value that it found: it may be a secret in the wrong place.
fn without_value(said: &str) -> String {
    for kind in ["invalid type: ", "invalid value: ", "unknown variant "] {
        // From behind: the value may look like a part of the sentence.
        if let (Some(found), Some(at)) = (said.strip_prefix(kind), said.rfind(", expected ")) {
            let what = found.split([' ', ',']).next().unwrap_or_default();
            let what = if kind.ends_with(": ") { what } else { "" };
            let start = format!("{kind}{what}");
            return format!("{}{}", start.trim_end(), &said[at..]);
        }
    }
    said.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_serde_found_is_not_repeated() {
        for (said, told) in [
            (
                "invalid type: string \"pass, expected word\", expected struct SignIn at line 1 column 9",
                "invalid type: string, expected struct SignIn at line 1 column 9",
            ),
            (
                "invalid type: integer `1234`, expected a string at line 1 column 9",
                "invalid type: integer, expected a string at line 1 column 9",
            ),
            (
                "invalid type: null, expected a string",
                "invalid type: null, expected a string",
            ),
            (
                "unknown variant `word`, expected `a` or `b`",
                "unknown variant, expected `a` or `b`",
            ),
            ("missing field `login`", "missing field `login`"),
        ] {
            assert_eq!(without_value(said), told);
        }
    }
}
