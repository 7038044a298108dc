//! Uploads: stored only once verified.

use sha2::{Digest, Sha256};
use wire::ObjectId;
use wire::bus::*;
use wire::event::{NodeEvent, SealedObject};

use crate::node::{Node, Site, T, object, site};

pub(crate) async fn put(site: &Site, signed: &UploadReply, body: Vec<u8>) -> u16 {
    let mut request = site.world.http.put(&signed.url).body(body);
    for (name, value) in &signed.headers {
        request = request.header(name, value);
    }
    request.send().await.unwrap().status().as_u16()
}

pub(crate) async fn upload(node: &Node, object: ObjectId) -> Result<UploadReply, ReplyError> {
    match node.ask(NodeRequestKind::Upload, &UploadRequest { object }).await {
        Reply::Ok(reply) => Ok(reply),
        Reply::Err(error) => Err(error),
    }
}

pub(crate) async fn stored(node: &Node, object: ObjectId) -> Result<bool, ReplyError> {
    match node
        .ask::<_, StoredReply>(NodeRequestKind::Stored, &StoredRequest { object })
        .await
    {
        Reply::Ok(reply) => Ok(reply.stored),
        Reply::Err(error) => Err(error),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_stored_once_it_was_put_whole() {
    let site = site().await;
    let body: Vec<u8> = (0..10_800_u32).map(|i| i as u8).collect();
    let object = SealedObject {
        sha256: hex::encode(Sha256::digest(&body)),
        ..object(site.node.id, site.camera, T)
    };
    let event = NodeEvent::ObjectSealed(object.clone());
    assert_eq!(
        upload(&site.node, object.id).await.unwrap_err().code,
        ReplyCode::NotFound
    );
    site.node.publish(&event).await;
    site.node.committed(event.message_id()).await;

    let other = Node::start(&site.nats, &site.world).await;
    assert_eq!(
        upload(&other, object.id).await.unwrap_err().code,
        ReplyCode::NotFound
    );
    assert_eq!(
        stored(&other, object.id).await.unwrap_err().code,
        ReplyCode::NotFound
    );

    let signed = upload(&site.node, object.id).await.unwrap();
    assert!(
        !stored(&site.node, object.id).await.unwrap(),
        "nothing is there yet"
    );
    let mut damaged = body.clone();
    damaged[5_000] ^= 1;
    assert!(put(&site, &signed, damaged).await >= 400);
    assert!(
        !stored(&site.node, object.id).await.unwrap(),
        "not before it is verified"
    );
    assert!((200..300).contains(&put(&site, &signed, body.clone()).await));
    assert!(stored(&site.node, object.id).await.unwrap());
    assert!(
        stored(&site.node, object.id).await.unwrap(),
        "asked again, answered again"
    );
    assert_eq!(put(&site, &signed, body).await, 412, "no second PUT");
    assert_eq!(
        upload(&site.node, object.id).await.unwrap_err().code,
        ReplyCode::Conflict
    );
}
