//! Follows the node's plan: the last value of its key.
//!
//! A watch brings changes within milliseconds; the key is also read again after every new connection and now
//! and then, so that a watch that silently died costs seconds and not a day. A plan that is gone or cannot
//! be read changes nothing: the node goes on with the last one.

use std::time::Duration;

use futures::StreamExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wire::NodeId;
use wire::bus::PLAN_BUCKET;
use wire::plan::Plan;

use super::Link;

const REREAD: Duration = Duration::from_secs(20);
const RETRY: Duration = Duration::from_millis(500);

/// Hands every new plan to `plans` until `stop`, and the number of each connection on which it was read to
/// `read`.
pub async fn follow(
    link: Link,
    node: NodeId,
    plans: watch::Sender<Option<Plan>>,
    read: watch::Sender<u64>,
    stop: CancellationToken,
) {
    let mut epochs = link.epochs();
    loop {
        link.wait().await;
        let epoch = *epochs.borrow_and_update();
        tokio::select! {
            () = stop.cancelled() => return,
            // Begins anew on the new connection.
            _ = epochs.changed() => {}
            result = watch_key(&link, node, &plans, || { read.send_replace(epoch); }) => {
                if let Err(error) = result {
                    tracing::debug!(%error, "no plan yet");
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(RETRY) => {}
                }
            }
        }
    }
}

async fn watch_key(
    link: &Link,
    node: NodeId,
    plans: &watch::Sender<Option<Plan>>,
    read: impl Fn(),
) -> Result<(), String> {
    let bucket = link.bucket(PLAN_BUCKET).await?;
    let key = node.to_string();
    let mut changes = bucket.watch(&key).await.map_err(|error| error.to_string())?;
    loop {
        let value = bucket.get(&key).await.map_err(|error| error.to_string())?;
        if let Some(value) = value {
            take(node, &value, plans);
        }
        read();
        let reread = tokio::time::sleep(REREAD);
        tokio::pin!(reread);
        loop {
            tokio::select! {
                () = &mut reread => break,
                change = changes.next() => match change {
                    Some(Ok(entry)) => take(node, &entry.value, plans),
                    Some(Err(error)) => return Err(error.to_string()),
                    None => return Err("the watch ended".to_owned()),
                },
            }
        }
    }
}

fn take(node: NodeId, json: &[u8], plans: &watch::Sender<Option<Plan>>) {
    let plan: Plan = match serde_json::from_slice(json) {
        Ok(plan) => plan,
        Err(error) if json.is_empty() => return tracing::debug!(%error, "the plan's key was deleted"),
        Err(error) => return tracing::error!(%error, "the plan cannot be read; going on with the last one"),
    };
    if plan.node != node {
        return tracing::error!(other = %plan.node, "the plan is another node's; going on with the last one");
    }
    plans.send_if_modified(|held| {
        let news = held.as_ref() != Some(&plan);
        if news {
            *held = Some(plan);
        }
        news
    });
}
