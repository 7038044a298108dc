//! Wakes tasks, on this server and on the others: one of them holds the task's lease.
//!
//! A wake tells that something may be different, never what; it may be lost, repeated, or too many. Who is
//! woken looks at the database, and does so from time to time without being woken.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_nats::Client;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use wire::OrganizationId;
use wire::bus::WAKE_SUBJECT;

use crate::AppState;

/// Organizations in which something may be different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// In these.
    Only(BTreeSet<OrganizationId>),
    /// In every one.
    All,
}

impl Default for Scope {
    fn default() -> Self {
        Self::Only(BTreeSet::new())
    }
}

impl Scope {
    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Only(some) if some.is_empty())
    }

    /// Both.
    pub fn add(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Only(some), Self::Only(more)) => some.extend(more),
            _ => *self = Self::All,
        }
    }
}

/// Wakes one task wherever it runs; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Sides>);

#[derive(Debug, Default)]
struct Sides {
    here: Side,
    elsewhere: Side,
    nodes: AtomicBool,
}

#[derive(Debug, Default)]
struct Side {
    scope: Mutex<Scope>,
    wake: Notify,
}

impl Side {
    fn add(&self, scope: Scope) {
        self.lock().add(scope);
        self.wake.notify_one();
    }

    fn take(&self) -> Scope {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Scope> {
        self.scope.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake {
    /// Wakes the task, here or on another server: anything may be different.
    pub fn notify_one(&self) {
        self.scope(&Scope::All);
    }

    /// Wakes the task, here or on another server: something of one organization is different, such as its
    /// cameras, jobs, overrides, licences or nodes.
    pub fn organization(&self, organization: OrganizationId) {
        self.scope(&Scope::Only(BTreeSet::from([organization])));
    }

    fn scope(&self, scope: &Scope) {
        self.0.here.add(scope.clone());
        self.0.elsewhere.add(scope.clone());
    }

    /// Wakes the task if it runs here: every server has noticed by itself.
    pub fn notify_here(&self) {
        self.0.here.add(Scope::All);
    }

    /// The same when only nodes may be different.
    pub fn nodes_here(&self) {
        self.0.nodes.store(true, Ordering::Release);
        self.0.here.add(Scope::default());
    }

    /// Whether nodes may be different, once.
    #[must_use]
    pub fn take_nodes(&self) -> bool {
        self.0.nodes.swap(false, Ordering::AcqRel)
    }

    /// Waits to be woken; a wake that came before counts.
    pub async fn notified(&self) {
        self.0.here.wake.notified().await;
    }

    /// Where something may be different, as far as was told here since this was last asked.
    #[must_use]
    pub fn take(&self) -> Scope {
        self.0.here.take()
    }

    async fn is_to_be_told(&self) {
        self.0.elsewhere.wake.notified().await;
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
    /// Every organization without it, as older servers mean.
    #[serde(default = "everywhere")]
    scope: Scope,
}

const fn everywhere() -> Scope {
    Scope::All
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
            scope: due.wake(&state).0.elsewhere.take(),
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
        message.task.wake(state).0.here.add(message.scope);
    }
}
