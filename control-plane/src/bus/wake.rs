//! Wakes tasks, on this server and on the others: one of them holds the task's lease.
//!
//! A wake tells that something may be different, never what; it may be lost, repeated, or too many. Who is
//! woken looks at the database, and does so from time to time without being woken.

use std::sync::Arc;

use async_nats::Client;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use wire::bus::WAKE_SUBJECT;

use crate::AppState;

/// Wakes one task wherever it runs; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Sides>);

#[derive(Debug, Default)]
struct Sides {
    here: Notify,
    elsewhere: Notify,
}

impl Wake {
    /// Wakes the task, here or on another server.
    pub fn notify_one(&self) {
        self.0.here.notify_one();
        self.0.elsewhere.notify_one();
    }

    /// Wakes the task if it runs here: every server has noticed by itself.
    pub fn notify_here(&self) {
        self.0.here.notify_one();
    }

    /// Waits to be woken; a wake that came before counts.
    pub async fn notified(&self) {
        self.0.here.notified().await;
    }

    async fn is_to_be_told(&self) {
        self.0.elsewhere.notified().await;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Task {
    Planner,
    Eraser,
}

impl Task {
    const ALL: [Self; 2] = [Self::Planner, Self::Eraser];

    const fn wake(self, state: &AppState) -> &Wake {
        match self {
            Self::Planner => &state.replan,
            Self::Eraser => &state.erase,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Message {
    task: Task,
    from: String,
}

/// Tells the other servers, and listens to them, until the connection closes.
///
/// # Errors
/// What failed, for the log.
pub(super) async fn run(state: AppState, client: Client) -> anyhow::Result<()> {
    let mut messages = client.subscribe(WAKE_SUBJECT).await?;
    for task in Task::ALL {
        // For what was not heard, or not told, while there was no connection.
        task.wake(&state).notify_one();
    }
    loop {
        let due = tokio::select! {
            message = messages.next() => match message {
                Some(message) => {
                    heard(&state, &message.payload);
                    continue;
                }
                None => return Ok(()),
            },
            () = state.replan.is_to_be_told() => Task::Planner,
            () = state.erase.is_to_be_told() => Task::Eraser,
        };
        let message = Message {
            task: due,
            from: state.replica.to_string(),
        };
        client
            .publish(WAKE_SUBJECT, serde_json::to_vec(&message)?.into())
            .await?;
    }
}

fn heard(state: &AppState, payload: &[u8]) {
    // One of a newer version may name a task that this one does not have.
    if let Ok(message) = serde_json::from_slice::<Message>(payload)
        && *message.from != *state.replica
    {
        message.task.wake(state).notify_here();
    }
}
