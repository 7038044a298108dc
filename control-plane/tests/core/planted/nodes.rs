//! What a node holds: its token to join, its key, its token for the bus, addresses to upload to; and the
//! addresses of footage that a person is given.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wire::CameraId;
use wire::api::Enrolled;
use wire::bus::{
    CredentialsReply, CredentialsRequest, NodeRequestKind, Reply, StoredReply, StoredRequest, UploadReply,
    UploadRequest, token_statement,
};
use wire::event::{NodeEvent, SealedObject};
use wire::plan::Plan;

use super::program::{Program, text};
use crate::node::{Node, object};

/// A node joins, is told a camera's password, uploads footage; somebody watches it. What they hold.
pub(super) async fn node_and_footage(program: &mut Program, token: &str) -> Vec<String> {
    let made = program
        .shown_once("/api/v1/enrolment-tokens", token, json!({"name": "gate"}))
        .await;
    let joining = text(&made["token"]);
    let key = KeyPair::new_user();
    let body = json!({"token": joining, "public_key": key.public_key(), "name": "", "version": "0"});
    let joined = program.shown_once("/api/v1/enrol", "", body.clone()).await;
    program.ask(("POST", "/api/v1/enrol"), "", Some(body), 401).await;
    let joined: Enrolled = serde_json::from_value(joined).unwrap();
    let (seed, jwt) = (key.seed().unwrap(), joined.access.jwt.clone());
    let mut held = vec![joining, seed.clone(), jwt];
    held.extend(proved(program, &key, &joined).await);
    let node = Node::connect(&program.nats, joined.node, seed, joined.access).await;
    node.report().await;
    let url = "rtsp://somebody:planted-plan-password@192.0.2.9/1";
    let camera = json!({"name": "Plan", "url": url});
    let camera = program
        .ask(("POST", "/api/v1/cameras"), token, Some(camera), 201)
        .await;
    let id: CameraId = text(&camera["id"]).parse().unwrap();
    let is_planned = |plan: &Plan| plan.entries.iter().any(|entry| entry.camera == id);
    node.plan_when("the camera is planned", is_planned).await;
    let request = CredentialsRequest { camera: id };
    let asked = node.ask(NodeRequestKind::Credentials, &request);
    let Reply::Ok(CredentialsReply {
        credentials: Some(told),
        ..
    }) = asked.await
    else {
        panic!("the node of the camera is told its password");
    };
    assert_eq!(told.password, "planted-plan-password");
    // A node speaks of the time in which it has the camera.
    let start = control_plane::state::now().0;
    held.extend(uploaded(program, &node, object(node.id, id, start)).await);
    held.extend(watched(program, token, &text(&camera["id"]), start).await);
    held
}

/// A token against a proof of the key; proof and token.
async fn proved(program: &mut Program, key: &KeyPair, joined: &Enrolled) -> Vec<String> {
    let path = format!("/api/v1/nodes/{}", joined.node);
    let made = program
        .shown_once(&format!("{path}/challenge"), "", json!({}))
        .await;
    let challenge = text(&made["challenge"]);
    let signature = key
        .sign(token_statement(joined.node, &challenge).as_bytes())
        .unwrap();
    let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
    let path = format!("{path}/token");
    let forged = json!({"challenge": challenge, "signature": "planted-signature"});
    program.ask(("POST", &path), "", Some(forged), 401).await;
    let proof = json!({"challenge": challenge, "signature": signature});
    let access = program.shown_once(&path, "", proof).await;
    vec![signature, text(&access["jwt"])]
}

/// An object that is in the index and in the store; the signature of the address it was put to.
async fn uploaded(program: &Program, node: &Node, sealed: SealedObject) -> Vec<String> {
    let bytes = vec![7; usize::try_from(sealed.bytes).unwrap()];
    let sealed = SealedObject {
        sha256: hex::encode(Sha256::digest(&bytes)),
        ..sealed
    };
    let event = NodeEvent::ObjectSealed(sealed.clone());
    node.publish(&event).await;
    node.committed(event.message_id()).await;
    let request = UploadRequest { object: sealed.id };
    let Reply::Ok(UploadReply { url, headers, .. }) = node.ask(NodeRequestKind::Upload, &request).await
    else {
        panic!("the node may upload");
    };
    let tampered = url.replace("sig=", "sig=planted-");
    for (url, expected) in [(&tampered, 403), (&url, 201), (&url, 412)] {
        let mut request = program.http.put(url).body(bytes.clone());
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        assert_eq!(request.send().await.unwrap().status(), expected, "{url}");
    }
    let request = StoredRequest { object: sealed.id };
    let stored = node.ask(NodeRequestKind::Stored, &request).await;
    assert!(matches!(stored, Reply::Ok(StoredReply { stored: true })));
    vec![signature(&url)]
}

/// Somebody watches the footage; the signatures of playlists and objects.
async fn watched(program: &Program, token: &str, camera: &str, start: i64) -> Vec<String> {
    let path = format!(
        "/player-api/cameras/{camera}/playback?from={start}&to={}",
        start + 60_000
    );
    let answer = program.request("GET", &path, token, None).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let playback: Value = answer.json().await.unwrap();
    let mut addresses = vec![text(&playback["url"])];
    let mut at = 0;
    while at < addresses.len() {
        let path = addresses[at].clone();
        let answer = program.request("GET", &path, "", None).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let list = String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned();
        let next = list
            .lines()
            .filter(|line| line.starts_with('/'))
            .map(str::to_owned);
        for next in next.collect::<Vec<_>>() {
            if !addresses.contains(&next) {
                addresses.push(next);
            }
        }
        at += 1;
    }
    assert_eq!(addresses.len(), 3, "{addresses:?}");
    let tampered = addresses[0].replace("sig=", "sig=planted-");
    let answer = program.request("GET", &tampered, "", None).send().await.unwrap();
    assert_eq!(answer.status(), 403);
    addresses.iter().map(|address| signature(address)).collect()
}

fn signature(address: &str) -> String {
    let (_, signature) = address.split_once("sig=").unwrap();
    signature.split('&').next().unwrap().to_owned()
}
