//! What becomes of objects that the control plane does not know, or has already: a real bus, scripted answers.

use std::collections::HashMap;
use std::sync::Mutex;

use futures::StreamExt;
use wire::bus::{REQUEST_SUBJECTS, Reply, ReplyError};
use wire::event::SealedObject;
use wire::media::Init;
use wire::{CameraId, SegmentTable, StreamKind, UnixMs};

use super::*;
use crate::bus::tests::{World, until};
use crate::db::outbox::{INDEXED, REFUSED, STORED};

fn indexed(db: &Db, layout: &Layout, minute: i64) -> ObjectId {
    holding(db, layout, minute, b"mp4!")
}

/// An indexed object of these bytes.
fn holding(db: &Db, layout: &Layout, minute: i64, bytes: &[u8]) -> ObjectId {
    let camera = CameraId::from_bytes([1; 16]);
    let object = SealedObject {
        id: ObjectId::generate(),
        camera,
        stream: StreamKind::Main,
        node: NodeId::from_bytes([2; 16]),
        epoch: 1,
        previous: None,
        start: UnixMs(1_769_846_400_000 + minute * 60_000),
        end: UnixMs(1_769_846_460_000 + minute * 60_000),
        bytes: bytes.len() as u64,
        sha256: String::new(),
        init: Init {
            length: 1,
            digest: String::new(),
        },
        tracks: Vec::new(),
        segments: SegmentTable::default(),
    };
    std::fs::create_dir_all(layout.camera(camera)).unwrap();
    std::fs::write(layout.sealed(camera, object.id), bytes).unwrap();
    db.transaction(|c| {
        objects::add(c, &object)?;
        crate::db::outbox::confirm(c, &[object.id.to_string()])
    })
    .unwrap();
    object.id
}

type Asked = Arc<Mutex<HashMap<(String, ObjectId), u32>>>;

/// Answers `upload` by the object, and that everything asked for is stored.
fn control_plane(client: async_nats::Client, upload: HashMap<ObjectId, ReplyCode>) -> Asked {
    answering(client, move |object| {
        let code = upload.get(&object).copied().unwrap_or(ReplyCode::NotFound);
        let detail = "as it is".to_owned();
        Reply::Err(ReplyError { code, detail })
    })
}

/// Answers `upload` with what `place` says.
fn answering(
    client: async_nats::Client,
    place: impl Fn(ObjectId) -> Reply<UploadReply> + Send + 'static,
) -> Asked {
    let asked = Asked::default();
    let counts = asked.clone();
    tokio::spawn(async move {
        let mut requests = client.subscribe(REQUEST_SUBJECTS).await.unwrap();
        while let Some(message) = requests.next().await {
            let kind = message.subject.rsplit('.').next().unwrap().to_owned();
            let UploadRequest { object } = serde_json::from_slice(&message.payload).unwrap();
            let json = match kind.as_str() {
                "stored" => serde_json::to_vec(&Reply::Ok(StoredReply { stored: true })),
                _ => serde_json::to_vec(&place(object)),
            };
            *counts.lock().unwrap().entry((kind, object)).or_default() += 1;
            let json = json.unwrap();
            client.publish(message.reply.unwrap(), json.into()).await.unwrap();
        }
    });
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_for_again_and_again() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let world = World::new().await;
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::create(dir.path()).unwrap();
    let db = world.db.clone();
    let ids: Vec<ObjectId> = (0..4).map(|minute| indexed(&db, &layout, minute)).collect();
    let codes = [
        ReplyCode::NotFound,
        ReplyCode::Conflict,
        ReplyCode::Invalid,
        ReplyCode::NotFound,
    ];
    let client = until("a connection", || async { world.link.client() }).await;
    let asked = control_plane(client, ids.iter().copied().zip(codes).collect());
    let uploader = Uploader {
        node: NodeId::from_bytes([2; 16]),
        db: db.clone(),
        layout: layout.clone(),
        link: world.link.clone(),
        https: Https::default(),
        concurrency: 2,
        signals: Arc::default(),
        under_way: Arc::default(),
        uplink: Arc::default(),
    };
    let wake = Arc::new(Notify::new());
    tokio::spawn(uploader.run(wake.clone(), world.stop.clone()));
    let state = |id| db.with(|c| objects::find(c, id)).unwrap().unwrap().state;
    let times = |kind: &str, id: ObjectId| {
        let asked = asked.lock().unwrap();
        asked.get(&(kind.to_owned(), id)).copied().unwrap_or(0)
    };
    until("every object is settled", || async {
        let states: Vec<i16> = ids.iter().map(|id| state(*id)).collect();
        (states == [REFUSED, STORED, INDEXED, REFUSED] && times("upload", ids[2]) > 0).then_some(())
    })
    .await;
    // While others come and go, nothing more is asked of these, and little of the one that cannot be placed.
    for minute in 10..40 {
        let other = indexed(&db, &layout, minute);
        wake.notify_one();
        until("another one is settled", || async {
            (state(other) == REFUSED).then_some(())
        })
        .await;
    }
    let settled = [ids[0], ids[1], ids[3]];
    assert_eq!(settled.map(|id| times("upload", id)), [1, 1, 1]);
    assert_eq!(settled.map(|id| times("stored", id)), [0, 1, 0]);
    assert!(times("upload", ids[2]) < 10);
}

/// A store that takes everything; what came when.
async fn store() -> (u16, Arc<Mutex<Vec<(Instant, usize)>>>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let came = Arc::new(Mutex::new(Vec::new()));
    let counts = came.clone();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let counts = counts.clone();
            tokio::spawn(async move {
                let (mut bytes, mut all) = (vec![0; 64 * 1024], Vec::new());
                let is_whole = |all: &[u8]| {
                    let head = all.windows(4).position(|four| four == b"\r\n\r\n");
                    head.is_some_and(|head| all.len() >= head + 4 + BODY)
                };
                while !is_whole(&all) {
                    let count = socket.read(&mut bytes).await.unwrap();
                    assert!(count > 0, "broken off");
                    counts.lock().unwrap().push((Instant::now(), count));
                    all.extend_from_slice(&bytes[..count]);
                }
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                socket.write_all(answer.as_bytes()).await.unwrap();
            });
        }
    });
    (port, came)
}

const BODY: usize = 160 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn uploads_together_keep_to_the_node_s_limit() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let world = World::new().await;
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::create(dir.path()).unwrap();
    let db = world.db.clone();
    let body = vec![7; BODY];
    let ids: Vec<ObjectId> = (0..4)
        .map(|minute| holding(&db, &layout, minute, &body))
        .collect();
    let (port, came) = store().await;
    let client = until("a connection", || async { world.link.client() }).await;
    answering(client, move |object| {
        Reply::Ok(UploadReply {
            url: format!("http://127.0.0.1:{port}/{object}"),
            headers: Vec::new(),
            expires: UnixMs(i64::MAX),
        })
    });
    let uplink = Arc::new(Uplink::default());
    // 160 KiB a second: four seconds for all of it.
    uplink.limit(Some(8 * 160 * 1024));
    let uploader = Uploader {
        node: NodeId::from_bytes([2; 16]),
        db: db.clone(),
        layout,
        link: world.link.clone(),
        https: Https::default(),
        concurrency: 2,
        signals: Arc::default(),
        under_way: Arc::default(),
        uplink,
    };
    tokio::spawn(uploader.run(Arc::default(), world.stop.clone()));
    let state = |id| db.with(|c| objects::find(c, id)).unwrap().unwrap().state;
    until("every object is stored", || async {
        ids.iter().all(|id| state(*id) == STORED).then_some(())
    })
    .await;
    let came = came.lock().unwrap();
    let (first, last) = (came.first().unwrap().0, came.last().unwrap().0);
    let bytes: usize = came.iter().map(|(_, count)| count).sum();
    let rate = bytes as f64 / last.duration_since(first).as_secs_f64();
    let ratio = rate / (160.0 * 1024.0);
    // The first 32 KiB go at once. A busy machine makes it slower, nothing makes it faster.
    assert!((0.4..=1.15).contains(&ratio), "{ratio} of the limit");
}
