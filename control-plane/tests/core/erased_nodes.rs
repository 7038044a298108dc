//! The nodes of an erased organization are out at once, and stay out.

use std::time::Duration;

use nkeys::KeyPair;
use serde_json::{Value, json};

use crate::enrolment::{prove, watched};
use crate::erase::{erase_now, erased};
use crate::node::{Node, enrolment_token, join};
use crate::organizations::tenant;
use crate::support::nats::options;
use crate::support::{Nats, World, poll};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_out_when_its_organization_is_erased() {
    let mut nats = Nats::start();
    let world = World::with_bus(&nats.url()).await;
    world.ready().await;
    let owner = world.sign_in().await;
    let acme = tenant(&world, &owner, "Acme").await;
    let beta = tenant(&world, &owner, "Beta").await;
    let node = Node::enrol(&nats, &world, &acme.admin).await;
    let other = Node::enrol(&nats, &world, &beta.admin).await;
    let (_client, mut seen) = watched(&nats, &node).await;

    erase_now(&world, &owner, &acme, "Acme").await;
    erased(&world, &owner, &acme).await;
    let said = seen.wait_for(|all| all.iter().any(|event| event.contains("authentication revoked")));
    let is_said = tokio::time::timeout(Duration::from_secs(5), said).await.is_ok();
    assert!(is_said, "{:?}", seen.borrow());

    // Whoever proves the key learns it, and stops recording; whoever does not, nothing.
    let (status, problem, _) = prove(&world, node.id, &node.seed).await;
    assert_eq!((status, &problem["code"]), (403, &json!("node_removed")));
    let stranger = KeyPair::new_user().seed().unwrap();
    assert_eq!(prove(&world, node.id, &stranger).await.0, 401);

    // Neither the key nor the id comes back in another organization.
    let token = enrolment_token(&world, &beta.admin).await;
    let key = KeyPair::from_seed(&node.seed).unwrap().public_key();
    let (status, problem) = join(&world, &token, &key).await;
    assert_eq!((status, &problem["code"]), (409, &json!("node_enrolled")));
    let body = json!({"token": token, "public_key": KeyPair::new_user().public_key(), "name": "gate",
        "version": "1", "node": node.id});
    let (status, problem): (u16, Value) = world.call("POST", "/api/v1/enrol", "", Some(body)).await;
    assert_eq!((status, &problem["code"]), (409, &json!("node_enrolled")));

    // A bus that lost what it was told is told again; nobody else suffers from it.
    nats.lose_everything();
    world.ready().await;
    poll("the bus refuses the erased node", async || {
        let connecting = options(&node.seed, &node.access.jwt).connect(nats.url());
        matches!(
            connecting.await.map_err(|error| error.kind()),
            Err(async_nats::ConnectErrorKind::AuthorizationViolation)
        )
        .then_some(())
    })
    .await;
    poll("the bus takes the other node", async || {
        options(&other.seed, &other.access.jwt)
            .connect(nats.url())
            .await
            .ok()
    })
    .await;
}
