//! Answers the control plane: byte ranges from the spool, probes, snapshots and live pictures.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, HeaderMap, Message};
use bytes::Bytes;
use futures::StreamExt;
use media_core::pictures::{PictureError, PictureFormat, Rate};
use media_core::snapshot::{Snapshot, SnapshotLimits};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use wire::bus::{
    ControlRequestKind, PictureRequest, ProbeReport, ProbeRequest, READ_HEADER, ReadReply, ReadRequest,
    Reply, ReplyCode, ReplyError, SNAPSHOT_HEADER, SNAPSHOT_MAX_BYTES, SnapshotReply, SnapshotRequest,
    node_subject,
};

use wire::{CameraId, NodeId, UnixMs};

use super::Link;
use crate::media::{Recorder, Running, source_spec, wire_report};
use crate::spool::{Layout, read};
use crate::supervisor::Roster;

/// Answers under way at the same time: half a MiB of memory each for reads.
const READS: usize = 16;
const PROBES: usize = 4;
/// Leaves a second of the ten that a person is told to wait for the way there and back.
const PROBE_LIMIT: Duration = Duration::from_secs(9);
/// Requests for pictures at the same time; the media library makes fewer at once.
const SNAPSHOTS: usize = 8;
/// Viewers' requests that wait for the next picture.
const PICTURES: usize = 128;
/// A live picture is waited for no longer than this.
const PICTURE_LIMIT: Duration = Duration::from_secs(5);
/// A keyframe is decoded in some 20 ms; what takes this long is of no use to anybody.
const SNAPSHOT_LIMIT: Duration = Duration::from_secs(3);
const RETRY: Duration = Duration::from_secs(1);

/// What answers.
#[derive(Clone)]
pub struct Server {
    /// This node.
    pub node: NodeId,
    /// Where footage is.
    pub layout: Layout,
    /// Probes cameras.
    pub recorder: Arc<dyn Recorder>,
    /// What is recorded now.
    pub roster: Roster,
}

impl Server {
    /// Answers until `stop`.
    pub async fn run(self, link: Link, stop: CancellationToken) {
        let reads = self.clone().serve(link.clone(), ControlRequestKind::Read, READS);
        let probes = self
            .clone()
            .serve(link.clone(), ControlRequestKind::Probe, PROBES);
        let snapshots = self
            .clone()
            .serve(link.clone(), ControlRequestKind::Snapshot, SNAPSHOTS);
        let pictures = self.serve(link, ControlRequestKind::Picture, PICTURES);
        tokio::select! {
            () = stop.cancelled() => {}
            () = reads => {}
            () = probes => {}
            () = snapshots => {}
            () = pictures => {}
        }
    }

    async fn serve(self, link: Link, kind: ControlRequestKind, at_once: usize) {
        let permits = Arc::new(Semaphore::new(at_once));
        loop {
            let client = link.wait().await;
            // The client subscribes again by itself when it reconnects.
            match client.subscribe(node_subject(self.node, kind)).await {
                Ok(mut requests) => {
                    while let Some(message) = requests.next().await {
                        let Ok(permit) = permits.clone().acquire_owned().await else {
                            return;
                        };
                        let (server, client) = (self.clone(), client.clone());
                        tokio::spawn(async move {
                            server.answer(&client, kind, message).await;
                            drop(permit);
                        });
                    }
                }
                Err(error) => tracing::debug!(%error, "cannot subscribe"),
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn answer(&self, client: &Client, kind: ControlRequestKind, message: Message) {
        let Some(reply_to) = message.reply else { return };
        let sent = match kind {
            ControlRequestKind::Read => {
                let (reply, bytes) = self.read(&message.payload).await;
                let mut headers = HeaderMap::new();
                headers.insert(READ_HEADER, json(&reply).as_str());
                client.publish_with_headers(reply_to, headers, bytes).await
            }
            ControlRequestKind::Probe => {
                let reply = self.probe(&message.payload).await;
                client.publish(reply_to, json(&reply).into()).await
            }
            ControlRequestKind::Snapshot | ControlRequestKind::Picture => {
                let made = match kind {
                    ControlRequestKind::Picture => self.picture(&message.payload).await,
                    _ => self.snapshot(&message.payload).await,
                };
                let (reply, jpeg) = match made {
                    Ok((reply, jpeg)) => (Reply::Ok(reply), jpeg),
                    Err(error) => (Reply::Err(error), Bytes::new()),
                };
                let mut headers = HeaderMap::new();
                headers.insert(SNAPSHOT_HEADER, json(&reply).as_str());
                client.publish_with_headers(reply_to, headers, jpeg).await
            }
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "answer not sent");
        }
    }

    async fn read(&self, payload: &[u8]) -> (Reply<ReadReply>, Bytes) {
        let request: ReadRequest = match serde_json::from_slice(payload) {
            Ok(request) => request,
            Err(error) => return (Reply::Err(invalid(&error)), Bytes::new()),
        };
        let layout = self.layout.clone();
        match tokio::task::spawn_blocking(move || read::read(&layout, &request)).await {
            Ok(Ok((reply, bytes))) => (Reply::Ok(reply), bytes.into()),
            Ok(Err(error)) => (Reply::Err(error), Bytes::new()),
            Err(_) => (Reply::Err(unavailable("the read failed")), Bytes::new()),
        }
    }

    async fn snapshot(&self, payload: &[u8]) -> Result<(SnapshotReply, Bytes), ReplyError> {
        let request: SnapshotRequest = serde_json::from_slice(payload).map_err(|error| invalid(&error))?;
        let running = self.running(request.camera)?;
        let keyframe = running
            .keyframe()
            .ok_or_else(|| unavailable("no picture has come from the camera yet"))?;
        let limits = SnapshotLimits {
            max_width: request.max_width,
            max_bytes: SNAPSHOT_MAX_BYTES,
            time: SNAPSHOT_LIMIT,
        };
        let made = self.recorder.snapshot(keyframe, limits).await;
        let Snapshot {
            jpeg,
            width,
            height,
            captured_ms,
        } = made.map_err(|error| unavailable(&error.to_string()))?;
        let captured = UnixMs(captured_ms);
        let reply = SnapshotReply {
            captured,
            width,
            height,
        };
        Ok((reply, jpeg.into()))
    }

    /// The next live picture. The decoder outlives the request by some seconds, in which the next one finds it.
    async fn picture(&self, payload: &[u8]) -> Result<(SnapshotReply, Bytes), ReplyError> {
        let request: PictureRequest = serde_json::from_slice(payload).map_err(|error| invalid(&error))?;
        let format = PictureFormat {
            width: request.max_width,
            height: request.max_height,
            rate: request.per_second.map_or(Rate::Keyframes, Rate::PerSecond),
            quality: request.quality,
        };
        let unusable = |error: PictureError| unavailable(&error.to_string());
        let mut pictures = self.running(request.camera)?.pictures(format).map_err(unusable)?;
        let newer = async {
            loop {
                let picture = pictures.next().await?;
                if request.after.is_none_or(|after| picture.captured_ms > after.0) {
                    return Ok(picture);
                }
            }
        };
        let picture = tokio::time::timeout(PICTURE_LIMIT, newer)
            .await
            .map_err(|_| unavailable("no picture came from the camera"))?
            .map_err(unusable)?;
        if picture.jpeg.len() > SNAPSHOT_MAX_BYTES {
            return Err(unavailable("the picture is too large: ask for a smaller one"));
        }
        let reply = SnapshotReply {
            captured: UnixMs(picture.captured_ms),
            width: picture.width,
            height: picture.height,
        };
        Ok((reply, picture.jpeg.clone()))
    }

    fn running(&self, camera: CameraId) -> Result<Arc<dyn Running>, ReplyError> {
        self.roster.running(camera).ok_or_else(|| ReplyError {
            code: ReplyCode::NotFound,
            detail: "the camera is not recorded now".to_owned(),
        })
    }

    async fn probe(&self, payload: &[u8]) -> Reply<ProbeReport> {
        let request: ProbeRequest = match serde_json::from_slice(payload) {
            Ok(request) => request,
            Err(error) => return Reply::Err(invalid(&error)),
        };
        let spec = match source_spec(&request.source, request.credentials) {
            Ok(spec) => spec,
            Err(detail) => {
                return Reply::Err(ReplyError {
                    code: ReplyCode::Invalid,
                    detail,
                });
            }
        };
        match tokio::time::timeout(PROBE_LIMIT, self.recorder.probe(spec, PROBE_LIMIT)).await {
            Ok(Ok(report)) => Reply::Ok(wire_report(&report)),
            Ok(Err(failure)) => Reply::Err(unavailable(&failure.to_string())),
            Err(_) => Reply::Err(unavailable("the camera did not answer within 10 s")),
        }
    }
}

fn json<T: serde::Serialize>(reply: &Reply<T>) -> String {
    serde_json::to_string(reply).unwrap_or_default()
}

fn invalid(error: &serde_json::Error) -> ReplyError {
    ReplyError {
        code: ReplyCode::Invalid,
        detail: format!("the request cannot be read: {error}"),
    }
}

fn unavailable(detail: &str) -> ReplyError {
    ReplyError {
        code: ReplyCode::Unavailable,
        detail: detail.to_owned(),
    }
}
