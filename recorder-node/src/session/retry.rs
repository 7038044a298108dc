//! When a camera that fails is tried next, as the database keeps it: a restart goes on where it was.

use std::time::Duration;

use media_core::facts::Failure;
use serde::{Deserialize, Serialize};
use wire::UnixMs;

/// What the next attempt waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Failures in a row, by which waits grow.
    pub failures: u32,
    /// When it is due.
    pub at: UnixMs,
    failure: Kept,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    Unreachable(String),
    Unauthorized,
    NotFound,
    Silent(u64),
    Unsupported(String),
    Lost(String),
    Invalid(String),
    Internal(String),
}

impl Retry {
    /// After `failure`, the last of so many.
    #[must_use]
    pub fn new(failures: u32, at: UnixMs, failure: &Failure) -> Self {
        let failure = match failure {
            Failure::Unreachable(text) => Kept::Unreachable(text.clone()),
            Failure::Unauthorized => Kept::Unauthorized,
            Failure::NotFound => Kept::NotFound,
            Failure::Silent(time) => Kept::Silent(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            Failure::Unsupported(text) => Kept::Unsupported(text.clone()),
            Failure::Lost(text) => Kept::Lost(text.clone()),
            Failure::Invalid(text) => Kept::Invalid(text.clone()),
            Failure::Internal(text) => Kept::Internal(text.clone()),
        };
        Self {
            failures,
            at,
            failure,
        }
    }

    /// How the last attempt failed.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self.failure.clone() {
            Kept::Unreachable(text) => Failure::Unreachable(text),
            Kept::Unauthorized => Failure::Unauthorized,
            Kept::NotFound => Failure::NotFound,
            Kept::Silent(ms) => Failure::Silent(Duration::from_millis(ms)),
            Kept::Unsupported(text) => Failure::Unsupported(text),
            Kept::Lost(text) => Failure::Lost(text),
            Kept::Invalid(text) => Failure::Invalid(text),
            Kept::Internal(text) => Failure::Internal(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_is_kept_as_it_is() {
        for failure in [
            Failure::Unreachable("refused".into()),
            Failure::Unauthorized,
            Failure::NotFound,
            Failure::Silent(Duration::from_millis(5_250)),
            Failure::Unsupported("VP8".into()),
            Failure::Lost("reset".into()),
            Failure::Invalid("nonsense".into()),
            Failure::Internal("a plugin".into()),
        ] {
            let kept = serde_json::to_string(&Retry::new(3, UnixMs(7), &failure)).unwrap();
            let read: Retry = serde_json::from_str(&kept).unwrap();
            assert_eq!((read.failures, read.at, read.failure()), (3, UnixMs(7), failure));
        }
    }
}
