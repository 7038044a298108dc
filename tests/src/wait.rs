//! Waiting for facts, never for time.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Asks until there is an answer.
///
/// # Errors
/// When the deadline passes, with what was waited for and the last error.
pub async fn wait_for<T>(
    what: &str,
    deadline: Duration,
    mut ask: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let started = Instant::now();
    loop {
        let last = match ask().await {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if started.elapsed() > deadline {
            match last {
                Some(error) => bail!("not within {deadline:?}: {what}; the last attempt failed: {error:#}"),
                None => bail!("not within {deadline:?}: {what}"),
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Length of the long recordings: `CLOUDCAM_E2E_SECONDS`, 300 unless set.
#[must_use]
pub fn recording_length() -> Duration {
    let given = std::env::var("CLOUDCAM_E2E_SECONDS").ok();
    Duration::from_secs(given.and_then(|text| text.parse().ok()).unwrap_or(300))
}
