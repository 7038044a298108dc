//! A camera with a node that records it, and objects of footage whose bytes can be told apart.

use std::sync::Arc;

use control_plane::app::index::{Incoming, Verdict, apply};
use control_plane::app::requests;
use control_plane::state::now;
use control_plane::store::{assignments, nodes};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wire::bus::{StoredRequest, UploadRequest};
use wire::coverage::{Gap, GapCause};
use wire::event::{NodeEvent, OpenObject, SealedObject};
use wire::media::Init;
use wire::{CameraId, NodeId, ObjectId, Segment, SegmentTable, StreamKind, TimeRange, Track, UnixMs};

use crate::support::World;

pub(crate) const INIT_BYTES: u32 = 800;

pub(crate) struct Site {
    pub(crate) world: Arc<World>,
    pub(crate) token: String,
    pub(crate) camera: CameraId,
    pub(crate) node: NodeId,
}

impl Site {
    pub(crate) async fn new(world: World) -> Self {
        let token = world.sign_in().await;
        Self::of(Arc::new(world), token, "Door").await
    }

    /// A camera and a node of that name, in the organization of whoever holds the token.
    pub(crate) async fn of(world: Arc<World>, token: String, name: &str) -> Self {
        let body = json!({"name": name, "url": "rtsp://10.0.0.5/", "allow_duplicate": true});
        let (_, camera) = world.call("POST", "/api/v1/cameras", &token, Some(body)).await;
        let (_, me) = world.call("GET", "/api/v1/me", &token, None).await;
        let camera = camera["id"].as_str().unwrap().parse().unwrap();
        let organization = me["organization"].as_str().unwrap().parse().unwrap();
        let node = NodeId::generate();
        let store = &world.server.state.store;
        let new = nodes::NewNode {
            id: node,
            organization,
            name: name.to_owned(),
            public_key: nkeys::KeyPair::new_user().public_key(),
            version: "0".to_owned(),
        };
        store
            .write(move |c| {
                nodes::enrol(c, &new, now())?;
                assignments::assign(c, camera, node, 1, now())
            })
            .await
            .unwrap();
        Self {
            world,
            token,
            camera,
            node,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.world.call("GET", path, &self.token, None).await
    }

    /// A path of the player's API.
    pub(crate) fn api(&self, rest: &str) -> String {
        format!("/player-api/cameras/{}/{rest}", self.camera)
    }

    /// An object of `count` segments of 6 s from `start` on, and its bytes.
    pub(crate) fn object(&self, start: UnixMs, count: u64) -> (SealedObject, Vec<u8>) {
        self.object_of(start, count, bytes)
    }

    /// The same with bytes of one's own.
    pub(crate) fn object_of(
        &self,
        start: UnixMs,
        count: u64,
        bytes: impl Fn(ObjectId, u64) -> Vec<u8>,
    ) -> (SealedObject, Vec<u8>) {
        let id = ObjectId::generate();
        let segments: Vec<Segment> = (0..count)
            .map(|index| Segment {
                offset: u64::from(INIT_BYTES) + index * 100_000,
                length: 100_000,
                start: start.plus(index as i64 * 6_000),
                duration_ms: 6_000,
            })
            .collect();
        let bytes = bytes(id, u64::from(INIT_BYTES) + count * 100_000);
        let object = SealedObject {
            id,
            camera: self.camera,
            stream: StreamKind::Main,
            node: self.node,
            epoch: 1,
            previous: None,
            start,
            end: start.plus(count as i64 * 6_000),
            bytes: bytes.len() as u64,
            sha256: hex::encode(Sha256::digest(&bytes)),
            init: Init {
                length: INIT_BYTES,
                digest: "0123456789abcdef0123456789abcdef".to_owned(),
            },
            tracks: vec![Track::Video {
                codec: "avc1.64001f".to_owned(),
                width: 1280,
                height: 720,
                fps: 15.0,
            }],
            segments: SegmentTable(segments),
        };
        (object, bytes)
    }

    /// Indexes an event as the bus would.
    pub(crate) async fn index(&self, event: NodeEvent) {
        let incoming = Incoming {
            node: self.node,
            message: None,
            event: Ok(event),
        };
        let store = &self.world.server.state.store;
        let verdicts = store.write(move |c| apply(c, &[incoming], now())).await.unwrap();
        assert_eq!(verdicts, [Verdict::Committed]);
    }

    /// Indexes an object and uploads it as its node would.
    pub(crate) async fn store(&self, object: &SealedObject, bytes: Vec<u8>) {
        self.index(NodeEvent::ObjectSealed(object.clone())).await;
        self.upload(object.id, bytes).await;
    }

    pub(crate) async fn upload(&self, object: ObjectId, bytes: Vec<u8>) {
        let state = &self.world.server.state;
        let place = requests::upload(state, self.node, UploadRequest { object }, now())
            .await
            .unwrap();
        let mut request = self.world.http.put(place.url).body(bytes);
        for (name, value) in place.headers {
            request = request.header(name, value);
        }
        assert_eq!(request.send().await.unwrap().status(), 201);
        let reply = requests::stored(state, self.node, StoredRequest { object })
            .await
            .unwrap();
        assert!(reply.stored);
    }

    pub(crate) async fn gap(&self, start: UnixMs, end: UnixMs) {
        let gap = Gap {
            id: ObjectId::generate(),
            camera: self.camera,
            stream: StreamKind::Main,
            node: self.node,
            range: TimeRange::new(start, end).unwrap(),
            cause: GapCause::Network,
            detail: "unplugged".to_owned(),
        };
        self.index(NodeEvent::Gap(gap)).await;
    }

    /// The multivariant playlist and the only rendition of a range, fetched through their addresses.
    pub(crate) async fn playlists(&self, from: UnixMs, to: Option<UnixMs>) -> (String, String) {
        let to = to.map_or_else(String::new, |to| format!("&to={}", to.0));
        let (status, playback) = self
            .get(&self.api(&format!("playback?from={}{to}", from.0)))
            .await;
        assert_eq!(status, 200, "{playback}");
        let master = self.text(playback["url"].as_str().unwrap()).await;
        let media = master.lines().find(|line| !line.starts_with('#')).unwrap();
        let media = self.text(media).await;
        (master, media)
    }

    pub(crate) async fn text(&self, path: &str) -> String {
        let answer = self.world.http.get(self.world.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/vnd.apple.mpegurl");
        answer.text().await.unwrap()
    }

    /// A byte range of an address in a playlist; status and bytes.
    pub(crate) async fn range(&self, path: &str, range: &str) -> (u16, Vec<u8>) {
        let request = self.world.http.get(self.world.url(path)).header("Range", range);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    }
}

/// Bytes that depend on object and position.
pub(crate) fn bytes(id: ObjectId, count: u64) -> Vec<u8> {
    let seed = u64::from(id.as_bytes()[15]);
    (0..count)
        .map(|at| ((at.wrapping_mul(31) >> 3) + seed) as u8)
        .collect()
}

/// A sealed object as it looked in the head while it had `count` segments.
pub(crate) fn growing(object: &SealedObject, count: usize) -> OpenObject {
    OpenObject {
        id: object.id,
        epoch: object.epoch,
        previous: object.previous,
        init: object.init.clone(),
        tracks: object.tracks.clone(),
        segments: SegmentTable(object.segments.0[..count].to_vec()),
    }
}

/// A whole minute about an hour ago.
pub(crate) fn hour_ago() -> UnixMs {
    UnixMs((now().0 / 60_000 - 60) * 60_000)
}
