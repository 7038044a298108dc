//! Several servers on one PostgreSQL: leases, wakes, starting at the same moment, being killed.

mod balancer;
mod follow;
mod killed;
mod load;
mod process;

use control_plane::server::Server;
use control_plane::store::lease::{self, Grant, Taking};
use control_plane::store::{Connection, Store, StoreError, Target, transaction};
use futures::StreamExt;
use serde_json::json;
use wire::bus::WAKE_SUBJECT;

use crate::node::Node;
use crate::support::database::{count, postgres, postgres_without_tables};
use crate::support::{Nats, World, config, poll};

const LONG_MS: i64 = 3_600_000;

fn take(connection: &mut Connection, holder: &str, ttl_ms: i64) -> Taking {
    transaction(connection, |c| lease::take(c, "planner", holder, ttl_ms)).unwrap()
}

fn granted(taking: Taking) -> Grant {
    match taking {
        Taking::Taken(grant) => grant,
        Taking::Held(ms) => panic!("held for {ms} ms"),
    }
}

fn fenced(connection: &mut Connection, grant: &Grant) -> bool {
    match transaction(connection, |c| lease::guard(c, grant)) {
        Ok(()) => false,
        Err(StoreError::Fenced("planner")) => true,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_lease_is_one_holders_until_it_ends_or_is_let_go() {
    let mut connection = Target::parse(&postgres()).unwrap().connect().unwrap();
    let c = &mut connection;
    let first = granted(take(c, "a", LONG_MS));
    assert_eq!((first.epoch, first.holder.as_str()), (1, "a"));
    assert!(matches!(take(c, "b", LONG_MS), Taking::Held(ms) if (1..=LONG_MS).contains(&ms)));
    assert!(
        matches!(take(c, "a", LONG_MS), Taking::Held(_)),
        "one process has one"
    );
    assert!(!fenced(c, &first));

    // It ended, and the holder was too late to renew it.
    assert!(transaction(c, |c| lease::renew(c, &first, -1)).unwrap());
    let second = granted(take(c, "b", LONG_MS));
    assert_eq!((second.epoch, second.holder.as_str()), (2, "b"));
    assert!(!transaction(c, |c| lease::renew(c, &first, LONG_MS)).unwrap());
    assert!(fenced(c, &first) && !fenced(c, &second));

    // The former holder cannot let go what is another's.
    transaction(c, |c| lease::release(c, &first)).unwrap();
    assert!(matches!(take(c, "a", LONG_MS), Taking::Held(_)));
    transaction(c, |c| lease::release(c, &second)).unwrap();
    assert_eq!(granted(take(c, "a", LONG_MS)).epoch, 3);
}

#[test]
fn a_file_has_one_server_and_what_a_former_one_held_is_taken_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("db").display());
    drop(Store::open(&url).unwrap());
    let mut connection = Target::parse(&url).unwrap().connect().unwrap();
    let first = granted(take(&mut connection, "killed", LONG_MS));
    assert_eq!(granted(take(&mut connection, "next", LONG_MS)).epoch, 2);
    assert!(fenced(&mut connection, &first));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_anywhere_wakes_the_planner_and_its_end_hands_over() {
    let nats = Nats::start();
    let url = postgres();
    let first = World::on_database(&nats.url(), &url).await;
    let token = first.sign_in().await;
    let planner = |server: &Server| {
        let what = format!(
            "lease WHERE name = 'planner' AND holder = '{}'",
            server.state.replica
        );
        count(&url, &what) == 1
    };
    poll("the first one plans", async || {
        planner(&first.server).then_some(())
    })
    .await;
    let node = Node::start(&nats, &first).await;
    node.plan_when("an empty plan", |plan| plan.entries.is_empty())
        .await;

    // The second one shares the folder with the keys, as the bus and the database.
    let second = Server::start(config(first.dir.path(), &nats.url()))
        .await
        .unwrap();
    let client = nats.client().await;
    let mut wakes = client.subscribe(WAKE_SUBJECT).await.unwrap();
    client.flush().await.unwrap();
    let answer = first
        .http
        .post(format!("http://{}/api/v1/cameras", second.address))
        .bearer_auth(&token)
        .json(&json!({"name": "Door", "url": "rtsp://192.0.2.1/1"}))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    let from = second.state.replica.to_string();
    poll("the second one tells", async || {
        let wake = wakes.next().await?;
        let wake: serde_json::Value = serde_json::from_slice(&wake.payload).unwrap();
        (wake["task"] == "planner" && wake["from"] == json!(from)).then_some(())
    })
    .await;
    let plan = node
        .plan_when("the camera's plan", |plan| plan.entries.len() == 1)
        .await;
    assert!(planner(&first.server) && !planner(&second));

    // An orderly stop hands over without waiting for the lease's end.
    let World { server, http, .. } = first;
    server.stop().await.unwrap();
    poll("the second one plans", async || planner(&second).then_some(())).await;
    let answer = http
        .delete(format!(
            "http://{}/api/v1/cameras/{}",
            second.address, plan.entries[0].camera
        ))
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 204);
    let last = node
        .plan_when("a plan without the camera", |plan| plan.entries.is_empty())
        .await;
    assert!(last.revision > plan.revision);
    second.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_start_at_once_on_nothing_make_one_administrator() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let nats = Nats::start();
    for is_shared in [true, false] {
        let url = postgres_without_tables();
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let folder = |index: usize| folders[if is_shared { 0 } else { index }].path();
        for index in 0..2 {
            crate::support::database::choose(folder(index), &url);
        }
        let starts = (0..2).map(|index| Server::start(config(folder(index), &nats.url())));
        let servers = futures::future::try_join_all(starts).await.unwrap();
        assert_eq!(count(&url, "\"user\""), 1);
        assert_eq!(count(&url, "organization"), 1);
        // Every password that was left behind is right.
        let mut passwords: Vec<String> = (0..2)
            .filter_map(|index| std::fs::read_to_string(folder(index).join("data/admin-password")).ok())
            .collect();
        passwords.dedup();
        assert_eq!(passwords.len(), 1);
        for server in &servers {
            let body = json!({"login": "admin", "password": passwords[0].trim()});
            let answer = reqwest::Client::new()
                .post(format!("http://{}/api/v1/session", server.address))
                .json(&body)
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 200);
        }
        for server in servers {
            server.stop().await.unwrap();
        }
    }
}
