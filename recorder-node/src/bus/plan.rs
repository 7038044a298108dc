//! Follows the node's plan: the last value of its key.
//!
//! The bucket tells of changes within milliseconds at the node's own subject; the key is also read again after
//! every new connection and now and then, so that a change that was not told costs seconds and not a day. A plan that is gone or cannot
//! be read changes nothing: the node goes on with the last one.

use std::time::Duration;

use async_nats::{Client, Message, StatusCode};
use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wire::NodeId;
use wire::bus::{plan_get_subject, plan_subject};
use wire::plan::Plan;

use super::Link;

const REREAD: Duration = Duration::from_secs(20);
const GET_LIMIT: Duration = Duration::from_secs(5);
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
    let client = link.client().ok_or("not connected")?;
    // Before the present value is asked for: what changes meanwhile is then in one of the two.
    let mut changes = client
        .subscribe(plan_subject(node))
        .await
        .map_err(|error| error.to_string())?;
    client.flush().await.map_err(|error| error.to_string())?;
    let mut newest = 0;
    loop {
        let value = present(&client, node).await?;
        // A server of a cluster may lag behind what another one has told already.
        if let Some(message) = value.filter(|message| sequence(message) >= newest) {
            newest = sequence(&message);
            take(node, &message.payload, plans);
        }
        read();
        let reread = tokio::time::sleep(REREAD);
        tokio::pin!(reread);
        loop {
            tokio::select! {
                () = &mut reread => break,
                change = changes.next() => match change {
                    Some(message) => {
                        newest = sequence(&message);
                        take(node, &message.payload, plans);
                    }
                    None => return Err("the subscription ended".to_owned()),
                },
            }
        }
    }
}

/// The present value of the plan's key; none when there is none.
///
/// # Errors
/// One sentence, also when there is no bucket yet.
pub async fn present(client: &Client, node: NodeId) -> Result<Option<Message>, String> {
    let asked = client.request(plan_get_subject(node), Bytes::new());
    let message = tokio::time::timeout(GET_LIMIT, asked)
        .await
        .map_err(|_| "no answer".to_owned())?
        .map_err(|error| error.to_string())?;
    match message.status {
        None => Ok(Some(message)),
        Some(StatusCode::NOT_FOUND) => Ok(None),
        Some(other) => Err(format!("the plan cannot be read: status {other}")),
    }
}

/// The place of a value among all that the bucket ever had.
fn sequence(message: &Message) -> u64 {
    let header = message
        .headers
        .as_ref()
        .and_then(|headers| headers.get(async_nats::header::NATS_SEQUENCE));
    header.and_then(|text| text.as_str().parse().ok()).unwrap_or(0)
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
