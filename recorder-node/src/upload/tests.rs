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
        bytes: 4,
        sha256: String::new(),
        init: Init {
            length: 1,
            digest: String::new(),
        },
        tracks: Vec::new(),
        segments: SegmentTable::default(),
    };
    std::fs::create_dir_all(layout.camera(camera)).unwrap();
    std::fs::write(layout.sealed(camera, object.id), b"mp4!").unwrap();
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
    let asked = Asked::default();
    let counts = asked.clone();
    tokio::spawn(async move {
        let mut requests = client.subscribe(REQUEST_SUBJECTS).await.unwrap();
        while let Some(message) = requests.next().await {
            let kind = message.subject.rsplit('.').next().unwrap().to_owned();
            let UploadRequest { object } = serde_json::from_slice(&message.payload).unwrap();
            let reply = match kind.as_str() {
                "stored" => Reply::Ok(StoredReply { stored: true }),
                _ => Reply::Err(ReplyError {
                    code: upload.get(&object).copied().unwrap_or(ReplyCode::NotFound),
                    detail: "as it is".to_owned(),
                }),
            };
            *counts.lock().unwrap().entry((kind, object)).or_default() += 1;
            let json = serde_json::to_vec(&reply).unwrap();
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
