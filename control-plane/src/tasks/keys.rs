//! Key files: a change on disk is in force within seconds, without a restart.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::AppState;

/// Between two looks at the files.
pub const TICK: Duration = Duration::from_secs(2);

/// Looks at the key files until `stop`.
pub async fn run(state: AppState, stop: CancellationToken) {
    let mut failed = None;
    while stop.run_until_cancelled(tokio::time::sleep(TICK)).await.is_some() {
        let secrets = state.secrets.clone();
        let error = match tokio::task::spawn_blocking(move || secrets.refresh()).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(format!("{error:#}")),
            Err(error) => Some(error.to_string()),
        };
        // Said once, not at every look.
        if let Some(error) = &error
            && failed.as_ref() != Some(error)
        {
            tracing::error!(%error, "the key files cannot be read: the keys of before stay in use");
        }
        failed = error;
    }
}
