//! A stolen node's credential, where it may ask: on its own subject, and at addresses that open by a signature.

use reqwest::Method;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use wire::bus::*;
use wire::event::{NodeEvent, SealedObject};
use wire::{CameraId, NodeId, ObjectId};

use crate::node::{Node, T, object, site};
use crate::upload::{put, stored, upload};

/// Asks on the thief's own subject; the refusal.
async fn refusal<Q: Serialize>(thief: &Node, kind: NodeRequestKind, question: &Q) -> ReplyError {
    match thief.ask::<_, Value>(kind, question).await {
        Reply::Err(refusal) => refusal,
        Reply::Ok(answer) => panic!("{kind:?}: {answer}"),
    }
}

/// The bus vouches for who asks. That the answer is the asker's own affair is for the control plane to see.
#[tokio::test(flavor = "multi_thread")]
async fn ones_own_subject_tells_nothing_of_another_node() {
    let site = site().await;
    let thief = Node::start(&site.nats, &site.world).await;
    let theirs = object(site.node.id, site.camera, T);
    let event = NodeEvent::ObjectSealed(theirs.clone());
    site.node.publish(&event).await;
    site.node.committed(event.message_id()).await;
    // What is another's and what is not there are answered in the same words.
    for (camera, object) in [
        (site.camera, theirs.id),
        (CameraId::generate(), ObjectId::generate()),
    ] {
        let said = [
            refusal(
                &thief,
                NodeRequestKind::Credentials,
                &CredentialsRequest { camera },
            )
            .await,
            refusal(&thief, NodeRequestKind::Upload, &UploadRequest { object }).await,
            refusal(&thief, NodeRequestKind::Stored, &StoredRequest { object }).await,
        ];
        for refusal in said {
            assert_eq!(refusal.code, ReplyCode::NotFound, "{refusal}");
            assert!(!refusal.detail.contains("secret"), "{refusal}");
        }
    }
    let messages = [
        event.message_id(),
        format!("{}-{T}", theirs.id),
        format!("r-{}-1", theirs.id),
    ];
    let confirmed = thief.confirm(&messages).await;
    assert_eq!((confirmed.committed, confirmed.refused), (Vec::new(), Vec::new()));
    // The same questions are answered to whose they are.
    let own: Reply<CredentialsReply> = site
        .node
        .ask(
            NodeRequestKind::Credentials,
            &CredentialsRequest { camera: site.camera },
        )
        .await;
    assert!(matches!(own, Reply::Ok(reply) if reply.credentials.is_some()));
    upload(&site.node, theirs.id).await.unwrap();
    assert!(!stored(&site.node, theirs.id).await.unwrap());
}

/// Addresses that open by their signature take no token for one, and no signature for another address.
#[tokio::test(flavor = "multi_thread")]
async fn no_signed_address_takes_a_node_or_another_address_for_its_own() {
    let site = site().await;
    let bytes: Vec<u8> = (0..10_800_u32).map(|i| i as u8).collect();
    let promised = |node: NodeId, camera: CameraId, start: i64| SealedObject {
        sha256: hex::encode(Sha256::digest(&bytes)),
        ..object(node, camera, start)
    };
    let (mine, other) = (
        promised(site.node.id, site.camera, T),
        promised(site.node.id, site.camera, T + 60_000),
    );
    for object in [&mine, &other] {
        let event = NodeEvent::ObjectSealed(object.clone());
        site.node.publish(&event).await;
        site.node.committed(event.message_id()).await;
    }
    let path = format!(
        "/player-api/cameras/{}/playback?from={T}&to={}",
        site.camera,
        T + 60_000
    );
    let (status, playback) = site.world.call("GET", &path, &site.token, None).await;
    assert_eq!(status, 200, "{playback}");
    let playlist = playback["url"].as_str().unwrap().to_owned();
    let signed = upload(&site.node, mine.id).await.unwrap();
    let (own, foreign) = (&signed.url, upload(&site.node, other.id).await.unwrap().url);
    let key = |url: &str| url.split('?').next().unwrap().to_owned();
    let query = |url: &str| url.split_once('?').unwrap().1.to_owned();
    let jwt = site.node.access.jwt.clone();
    let unsigned = |url: &str| url.split("&sig=").next().unwrap().to_owned();
    let footage = site.world.url(&format!("/footage/{}.mp4", mine.id));
    let playlist = site.world.url(&playlist);
    let get = Method::GET;
    let tries = [
        (get.clone(), key(&playlist)),
        (get.clone(), unsigned(&playlist)),
        (get.clone(), format!("{}&sig={jwt}", unsigned(&playlist))),
        (get.clone(), format!("{}?{}", key(&playlist), query(own))),
        (get.clone(), footage.clone()),
        (
            get.clone(),
            format!("{footage}?camera={}&exp={}&sig={jwt}", site.camera, i64::MAX),
        ),
        (get.clone(), format!("{footage}?{}", query(&playlist))),
        (
            get.clone(),
            format!("{footage}?camera={}&{}", site.camera, query(own)),
        ),
        (get, own.clone()),
        (Method::PUT, key(own)),
        (Method::PUT, unsigned(own)),
        (Method::PUT, format!("{}&sig={jwt}", unsigned(own))),
        // A place of one's own, for another object.
        (Method::PUT, format!("{}?{}", key(&foreign), query(own))),
    ];
    for (method, url) in tries {
        let request = site.world.http.request(method.clone(), &url);
        let answer = request
            .bearer_auth(&jwt)
            .body(bytes.clone())
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        assert!(matches!(status, 400 | 403), "{method} {url}: {status}");
    }
    assert!(!stored(&site.node, mine.id).await.unwrap());
    assert!(!stored(&site.node, other.id).await.unwrap());
    // As they are, both open.
    let answer = site.world.http.get(&playlist).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(put(&site, &signed, bytes.clone()).await, 201);
    assert!(stored(&site.node, mine.id).await.unwrap());
}
