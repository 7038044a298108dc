//! Footage that is still on its node, which answers over a real bus.

use futures::StreamExt;
use wire::StreamKind;
use wire::bus::{
    ControlRequestKind, READ_HEADER, READ_MAX_BYTES, ReadReply, ReadRequest, Reply, ReplyCode, ReplyError,
    node_subject,
};
use wire::event::{Head, NodeEvent};
use wire::{NodeId, ObjectId};

use crate::fixture::{Site, growing, hour_ago};
use crate::support::{Nats, World, poll};

/// Answers for a node that has one object, as the recorder does, until the client is dropped.
async fn serve(client: async_nats::Client, node: NodeId, object: ObjectId, bytes: Vec<u8>) {
    let mut requests = client
        .subscribe(node_subject(node, ControlRequestKind::Read))
        .await
        .unwrap();
    client.flush().await.unwrap();
    tokio::spawn(async move {
        while let Some(message) = requests.next().await {
            let request: ReadRequest = serde_json::from_slice(&message.payload).unwrap();
            assert!(request.length <= READ_MAX_BYTES);
            let (head, body) = if request.object == object {
                let start = usize::try_from(request.offset).unwrap().min(bytes.len());
                let end = (start + request.length as usize).min(bytes.len());
                let size = bytes.len() as u64;
                (Reply::Ok(ReadReply { size }), bytes[start..end].to_vec())
            } else {
                let error = ReplyError {
                    code: ReplyCode::NotFound,
                    detail: "gone".to_owned(),
                };
                (Reply::Err(error), Vec::new())
            };
            let mut headers = async_nats::HeaderMap::new();
            headers.insert(READ_HEADER, serde_json::to_string(&head).unwrap());
            client
                .publish_with_headers(message.reply.unwrap(), headers, body.into())
                .await
                .unwrap();
        }
    });
}

#[tokio::test]
async fn footage_on_its_node_plays_and_stays_where_it_is_when_stored() {
    let nats = Nats::start();
    let site = Site::new(World::with_bus(&nats.url()).await).await;
    site.world.ready().await;
    let (object, bytes) = site.object(hour_ago(), 20);
    site.world.server.state.heads.put(Head {
        camera: site.camera,
        stream: StreamKind::Main,
        node: site.node,
        objects: vec![growing(&object, 20)],
    });
    let (_, media) = site.playlists(object.start, Some(object.end)).await;
    let url = media
        .lines()
        .find(|line| line.starts_with("/footage/"))
        .unwrap()
        .to_owned();

    let answer = site.world.http.get(site.world.url(&url)).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));

    serve(nats.nodes_client().await, site.node, object.id, bytes.clone()).await;
    poll("the node answers", async || {
        (site.range(&url, "bytes=0-0").await.0 == 206).then_some(())
    })
    .await;
    check(&site, &url, &bytes).await;
    site.index(NodeEvent::ObjectSealed(object.clone())).await;
    check(&site, &url, &bytes).await;
    site.upload(object.id, bytes.clone()).await;
    check(&site, &url, &bytes).await;
    drop(nats);
    check(&site, &url, &bytes).await;
}

#[tokio::test]
async fn an_object_that_its_node_gave_up_is_not_there() {
    let nats = Nats::start();
    let site = Site::new(World::with_bus(&nats.url()).await).await;
    site.world.ready().await;
    let (object, _) = site.object(hour_ago(), 2);
    site.index(NodeEvent::ObjectSealed(object.clone())).await;
    serve(
        nats.nodes_client().await,
        site.node,
        ObjectId::generate(),
        Vec::new(),
    )
    .await;
    let (_, media) = site.playlists(object.start, Some(object.end)).await;
    let url = media.lines().find(|line| line.starts_with("/footage/")).unwrap();
    assert_eq!(site.range(url, "bytes=0-9").await.0, 404);
}

/// 2 MB, so that an answer takes several pieces.
async fn check(site: &Site, url: &str, bytes: &[u8]) {
    let last = bytes.len() - 1;
    for (range, part) in [
        ("bytes=0-799".to_owned(), &bytes[..800]),
        ("bytes=700000-1900000".to_owned(), &bytes[700_000..=1_900_000]),
        (format!("bytes={last}-"), &bytes[last..]),
        ("bytes=-600000".to_owned(), &bytes[bytes.len() - 600_000..]),
    ] {
        assert!(site.range(url, &range).await == (206, part.to_vec()), "{range}");
    }
    assert_eq!(site.range(url, &format!("bytes={}-", bytes.len())).await.0, 416);
    let whole = site.world.http.get(site.world.url(url)).send().await.unwrap();
    assert!(whole.bytes().await.unwrap() == bytes);
    let head = site.world.http.head(site.world.url(url)).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], bytes.len().to_string());
}
