//! Viewers of the node's cameras: each asks for one picture after the other, as a server does for those who watch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::Client;
use tokio::task::JoinSet;
use wire::bus::{ControlRequestKind, PictureRequest, Reply, SNAPSHOT_HEADER, SnapshotReply, node_subject};
use wire::{CameraId, NodeId};

use crate::case::{Pictures, WATCHED_QUALITY};

/// After an answer that is no picture.
const PAUSE: Duration = Duration::from_millis(200);

/// All viewers of a round; they go when this does.
pub(crate) struct Viewers {
    seen: Arc<AtomicU64>,
    _tasks: JoinSet<()>,
}

impl Viewers {
    /// One for each of the cameras.
    pub(crate) fn start(client: &Client, node: NodeId, cameras: Vec<CameraId>, pictures: Pictures) -> Self {
        let seen = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for camera in cameras {
            let (width, height) = pictures.size();
            let request = PictureRequest {
                camera,
                max_width: width,
                max_height: height,
                per_second: u16::try_from(pictures.fps()).ok(),
                quality: WATCHED_QUALITY.1,
                after: None,
            };
            tasks.spawn(view(client.clone(), node, request, Arc::clone(&seen)));
        }
        Self { seen, _tasks: tasks }
    }

    /// Pictures so far.
    pub(crate) fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }
}

async fn view(client: Client, node: NodeId, mut request: PictureRequest, seen: Arc<AtomicU64>) {
    let subject = node_subject(node, ControlRequestKind::Picture);
    loop {
        let Ok(asked) = serde_json::to_vec(&request) else {
            return;
        };
        let answer = client.request(subject.clone(), asked.into()).await.ok();
        let reply = answer.and_then(|message| {
            let header = message.headers.as_ref()?.get(SNAPSHOT_HEADER)?;
            serde_json::from_str::<Reply<SnapshotReply>>(header.as_str()).ok()
        });
        if let Some(Reply::Ok(reply)) = reply {
            request.after = Some(reply.captured);
            seen.fetch_add(1, Ordering::Relaxed);
        } else {
            tokio::time::sleep(PAUSE).await;
        }
    }
}
