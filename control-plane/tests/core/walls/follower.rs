//! Who listens to the facts of an organization, and keeps every byte.

use std::sync::{Arc, Mutex};

use tokio::task::JoinHandle;

use crate::support::World;

/// A follower of `/api/v1/events`.
pub(super) struct Follower {
    heard: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<()>,
}

impl Follower {
    /// From the first fact that is kept.
    pub(super) async fn open(world: &World, token: &str) -> Self {
        let request = world
            .http
            .get(world.url("/api/v1/events"))
            .bearer_auth(token)
            .header("Last-Event-ID", "0");
        let mut answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = heard.clone();
        let task = tokio::spawn(async move {
            while let Ok(Some(chunk)) = answer.chunk().await {
                kept.lock().unwrap().extend_from_slice(&chunk);
            }
        });
        Self { heard, task }
    }

    /// All of it up to now.
    pub(super) fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}
