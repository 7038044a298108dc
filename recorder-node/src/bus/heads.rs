//! Publishes heads: the last value of a key a stream, rewritten at each segment.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wire::NodeId;
use wire::bus::{HEAD_BUCKET, head_key};
use wire::event::Head;

use super::Link;
use crate::spool::heads::Heads;

/// A head's key lives for an hour after its last value.
const REFRESH: Duration = Duration::from_secs(20 * 60);
const RETRY: Duration = Duration::from_secs(1);

/// Publishes changed heads until `stop`.
pub async fn publish(link: Link, node: NodeId, heads: Arc<Heads>, stop: CancellationToken) {
    let mut epochs = link.epochs();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = heads.changed.notified() => {}
            _ = epochs.changed() => heads.refresh(),
            () = tokio::time::sleep(REFRESH) => heads.refresh(),
        }
        while let Err(error) = publish_changed(&link, node, &heads).await {
            tracing::debug!(%error, "heads not published");
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(RETRY) => {}
            }
        }
    }
}

/// Publishes what changed since the last call.
///
/// # Errors
/// One sentence; what was not published comes with the next call.
pub async fn publish_changed(link: &Link, node: NodeId, heads: &Heads) -> Result<(), String> {
    let mut changed = heads.take_changed(node);
    let result = put_all(link, &mut changed).await;
    for head in &changed {
        heads.put_back(head);
    }
    result
}

/// Takes from `heads` what was published.
async fn put_all(link: &Link, heads: &mut Vec<Head>) -> Result<(), String> {
    while let Some(head) = heads.last() {
        let json = serde_json::to_vec(head).map_err(|error| error.to_string())?;
        let key = head_key(head.node, head.camera, head.stream);
        link.put(HEAD_BUCKET, &key, json).await?;
        heads.pop();
    }
    Ok(())
}
