//! PostgreSQL goes away: crashed, frozen, read-only.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::Value;
use tokio::task::JoinSet;
use wire::event::NodeEvent;

use super::{add, assert_unavailable, assert_whole, body, send};
use crate::node::{Site, T, object, site_with};
use crate::support::database::Server;
use crate::support::{DEADLINE, Nats, World, poll};

async fn site(server: &Server) -> (Site, String) {
    let (url, nats) = (server.database(), Nats::start());
    let world = World::on_database(&nats.url(), &url).await;
    (site_with(nats, world).await, url)
}

/// What clients saw that added cameras all the time.
#[derive(Default)]
struct Seen {
    made: AtomicUsize,
    refused: AtomicUsize,
    is_over: AtomicBool,
}

/// Adds cameras until it is over; the names that were answered with success.
async fn client(seen: Arc<Seen>, http: reqwest::Client, url: String, token: String, n: usize) -> Vec<String> {
    let mut made = Vec::new();
    for round in 0.. {
        if seen.is_over.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("camera-{n}-{round}");
        let request = http.post(&url).bearer_auth(&token).json(&body(&name)).send();
        let answer = tokio::time::timeout(DEADLINE, request).await.unwrap().unwrap();
        match answer.status().as_u16() {
            201 => {
                made.push(name);
                seen.made.fetch_add(1, Ordering::Relaxed);
            }
            // More requests than one user may make.
            429 => tokio::task::yield_now().await,
            _ => {
                assert_unavailable(answer).await;
                seen.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    made
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_under_load_loses_nothing_that_was_answered() {
    let server = Server::start();
    let (site, url) = site(&server).await;
    let (world, seen) = (&site.world, Arc::new(Seen::default()));
    let mut clients = JoinSet::new();
    for n in 0..6 {
        let path = world.url("/api/v1/cameras");
        clients.spawn(client(
            Arc::clone(&seen),
            world.http.clone(),
            path,
            site.token.clone(),
            n,
        ));
    }
    let at_least = async |what: &str, counter: &AtomicUsize, least: usize| {
        poll(what, async || {
            (counter.load(Ordering::Relaxed) >= least).then_some(())
        })
        .await;
    };
    at_least("cameras are added", &seen.made, 20).await;
    server.crash();
    let event = NodeEvent::ObjectSealed(object(site.node.id, site.camera, T));
    site.node.publish(&event).await;
    at_least("requests are refused", &seen.refused, 20).await;
    assert_unavailable(send(world, "GET", "/api/v1/cameras", &site.token, None).await).await;
    server.resume();
    let before = seen.made.load(Ordering::Relaxed);
    at_least("cameras are added again", &seen.made, before + 20).await;
    seen.is_over.store(true, Ordering::Relaxed);
    let made: HashSet<String> = clients.join_all().await.into_iter().flatten().collect();
    site.node.committed(event.message_id()).await;
    assert_whole(&url);
    let there = names(world, &site.token).await;
    let lost: Vec<_> = made.difference(&there).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

async fn names(world: &World, token: &str) -> HashSet<String> {
    let mut names = HashSet::new();
    let mut path = "/api/v1/cameras?limit=100".to_owned();
    loop {
        let (status, page) = world.call("GET", &path, token, None).await;
        assert_eq!(status, 200, "{page}");
        let items = page["items"].as_array().unwrap();
        names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        match &page["next"] {
            Value::String(next) => path = format!("/api/v1/cameras?limit=100&cursor={next}"),
            _ => return names,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_is_given_up_and_used_again() {
    let server = Server::start();
    let (site, url) = site(&server).await;
    let (world, token) = (&site.world, &site.token);
    server.freeze();
    let event = NodeEvent::ObjectSealed(object(site.node.id, site.camera, T));
    site.node.publish(&event).await;
    let answers = futures::future::join_all((0..20).map(|n| async move {
        let name = format!("frozen-{n}");
        add(world, token, &name).await
    }));
    for answer in answers.await {
        assert_unavailable(answer).await;
    }
    server.thaw();
    poll("cameras can be added again", async || {
        (add(world, token, "after").await.status() == 201).then_some(())
    })
    .await;
    site.node.committed(event.message_id()).await;
    assert_eq!(assert_whole(&url), 2, "the site's own and the one after");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_server_refuses_changes() {
    let server = Server::start();
    let (site, url) = site(&server).await;
    let world = &site.world;
    let read_only = |on: &str| {
        server.administer(&format!("ALTER SYSTEM SET default_transaction_read_only = {on}"));
        server.administer("SELECT pg_reload_conf()");
    };
    read_only("on");
    let refused = poll("the server is read-only", async || {
        let answer = add(world, &site.token, "early").await;
        (answer.status() != 201).then_some(answer)
    });
    assert_unavailable(refused.await).await;
    let before = assert_whole(&url);
    let event = NodeEvent::ObjectSealed(object(site.node.id, site.camera, T));
    site.node.publish(&event).await;
    assert_unavailable(add(world, &site.token, "during").await).await;
    let reading = send(world, "GET", "/api/v1/cameras", &site.token, None).await;
    assert_eq!(reading.status(), 200);
    let nothing = site.node.confirm(&[event.message_id()]).await;
    assert!(nothing.committed.is_empty() && nothing.refused.is_empty());
    assert_eq!(assert_whole(&url), before);
    read_only("off");
    site.node.committed(event.message_id()).await;
    assert_eq!(add(world, &site.token, "after").await.status(), 201);
    assert_eq!(assert_whole(&url), before + 1);
}
