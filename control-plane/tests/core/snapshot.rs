//! Snapshots through the API, with a node that answers what a real one would.

use futures::StreamExt;
use serde_json::Value;
use wire::bus::*;
use wire::{CameraId, UnixMs};

use crate::node::{Site, site};
use crate::support::poll;

const JPEG: &[u8] = b"\xff\xd8 not quite \xff\xd9";

/// The node has a picture of one camera, and another one is about to come.
fn answer(site: &Site, recorded: CameraId, first: CameraId) -> tokio::task::JoinHandle<()> {
    let subject = node_subject(site.node.id, ControlRequestKind::Snapshot);
    let client = site.node.client.clone();
    tokio::spawn(async move {
        let mut requests = client.subscribe(subject).await.unwrap();
        while let Some(message) = requests.next().await {
            let asked: SnapshotRequest = serde_json::from_slice(&message.payload).unwrap();
            let err = |code| {
                Reply::Err(ReplyError {
                    code,
                    detail: "as it is".to_owned(),
                })
            };
            let (reply, body) = if asked.camera == recorded {
                let captured = UnixMs(1_769_846_400_250);
                let reply = SnapshotReply {
                    captured,
                    width: asked.max_width,
                    height: 2,
                };
                (Reply::Ok(reply), JPEG)
            } else if asked.camera == first {
                (err(ReplyCode::Unavailable), &b""[..])
            } else {
                (err(ReplyCode::NotFound), &b""[..])
            };
            let mut headers = async_nats::HeaderMap::new();
            headers.insert(SNAPSHOT_HEADER, serde_json::to_string(&reply).unwrap());
            let to = message.reply.unwrap();
            client
                .publish_with_headers(to, headers, body.into())
                .await
                .unwrap();
        }
    })
}

async fn get(site: &Site, camera: CameraId, query: &str) -> reqwest::Response {
    let path = format!("/api/v1/cameras/{camera}/snapshot{query}");
    let request = site
        .world
        .http
        .get(site.world.url(&path))
        .bearer_auth(&site.token);
    request.send().await.unwrap()
}

async fn code(answer: reqwest::Response) -> (u16, String) {
    let status = answer.status().as_u16();
    (
        status,
        answer.json::<Value>().await.unwrap()["code"]
            .as_str()
            .unwrap()
            .to_owned(),
    )
}

async fn camera(site: &Site, name: &str) -> CameraId {
    let url = format!("rtsp://10.0.0.9/{name}");
    let id = crate::node::camera(
        &site.world,
        &site.token,
        serde_json::json!({"name": name, "url": url}),
    )
    .await;
    let planned = |plan: &wire::plan::Plan| plan.entries.iter().any(|entry| entry.camera == id);
    site.node.plan_when("the camera is planned", planned).await;
    id
}

#[actix_web::test]
async fn a_picture_comes_or_the_reason_why_not() {
    let site = site().await;
    assert_eq!(
        code(get(&site, site.camera, "").await).await,
        (503, "node_offline".to_owned())
    );
    let (first, idle) = (camera(&site, "first").await, camera(&site, "idle").await);
    let node = answer(&site, site.camera, first);
    let picture = poll("the node answers", async || {
        let picture = get(&site, site.camera, "?width=640").await;
        (picture.status() == 200).then_some(picture)
    })
    .await;
    let header = |name: &str| picture.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "image/jpeg");
    assert_eq!(header("cache-control"), "private, max-age=2");
    assert_eq!(header("x-capture-time"), "1769846400250");
    assert_eq!(picture.bytes().await.unwrap(), JPEG);
    let said = code(get(&site, first, "").await).await;
    assert_eq!(said, (503, "snapshot_unavailable".to_owned()));
    assert_eq!(
        code(get(&site, idle, "").await).await,
        (404, "snapshot_not_found".to_owned())
    );
    let stranger = CameraId::generate();
    assert_eq!(
        code(get(&site, stranger, "").await).await,
        (404, "camera_not_found".to_owned())
    );
    for width in ["0", "15", "3841", "-1", "1e3", "", "99999999999999999999"] {
        let said = code(get(&site, site.camera, &format!("?width={width}")).await).await;
        assert_eq!(said, (400, "invalid_field".to_owned()), "{width}");
    }
    node.abort();
}
