//! The database is there, but busy: locked by others, all connections in use, a query that does not end.

use std::sync::mpsc;

use control_plane::store::{StoreError, organizations};
use serde_json::json;
use wire::{OrganizationId, UnixMs};

use super::{add, assert_unavailable, assert_whole, send};
use crate::support::{World, database, poll};

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_database_refuses_changes_and_goes_on_reading() {
    let world = World::without_bus().await;
    let url = database::url_of(world.dir.path());
    let token = world.sign_in().await;
    let camera: serde_json::Value = add(&world, &token, "before").await.json().await.unwrap();
    let path = format!("/api/v1/cameras/{}", camera["id"].as_str().unwrap());
    let lock = world.lock_database();
    let login = json!({"login": "admin", "password": world.password()});
    let answers = tokio::join!(
        add(&world, &token, "during"),
        send(&world, "PATCH", &path, &token, Some(json!({"name": "changed"}))),
        send(&world, "DELETE", &path, &token, None),
        send(&world, "POST", "/api/v1/session", &token, Some(login)),
        send(&world, "GET", &path, &token, None),
    );
    assert_unavailable(answers.0).await;
    assert_unavailable(answers.1).await;
    assert_unavailable(answers.2).await;
    assert_unavailable(answers.3).await;
    assert_eq!(answers.4.status(), 200);
    drop(lock);
    assert_eq!(assert_whole(&url), 1);
    assert_eq!(world.call("GET", &path, &token, None).await.1, camera);
    assert_eq!(add(&world, &token, "after").await.status(), 201);
    assert_eq!(assert_whole(&url), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_a_connection_ends_and_holds_no_thread() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let store = &world.server.state.store.patient();
    let (inside, is_inside) = mpsc::channel();
    let held: Vec<_> = (0..8)
        .map(|_| {
            let (release, is_released) = mpsc::channel::<()>();
            let (store, inside) = (store.clone(), inside.clone());
            let query = tokio::spawn(async move {
                store
                    .read(move |_| {
                        inside.send(()).unwrap();
                        let _ = is_released.recv();
                        Ok(())
                    })
                    .await
            });
            (release, query)
        })
        .collect();
    for _ in 0..8 {
        is_inside.recv().unwrap();
    }
    // More than there are threads to block on.
    let waiting = (0..600).map(|_| async {
        let answer = send(&world, "GET", "/api/v1/cameras", &token, None).await;
        assert_unavailable(answer).await;
    });
    let healthy = async {
        // Answered while the others wait.
        assert_eq!(send(&world, "GET", "/healthz", &token, None).await.status(), 200);
        assert_eq!(send(&world, "GET", "/readyz", &token, None).await.status(), 503);
    };
    tokio::join!(futures::future::join_all(waiting), healthy);
    for (release, query) in held {
        drop(release);
        query.await.unwrap().unwrap();
    }
    assert_eq!(
        send(&world, "GET", "/api/v1/cameras", &token, None)
            .await
            .status(),
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_not_waited_for_any_more_is_taken_back() {
    let world = World::without_bus().await;
    let store = world.server.state.store.clone();
    let url = database::url_of(world.dir.path());
    let (release, is_released) = mpsc::channel::<()>();
    let refused = store
        .write(move |c| {
            organizations::insert(c, OrganizationId::generate(), "Slow", UnixMs(0))?;
            let _ = is_released.recv();
            Ok(())
        })
        .await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    drop(release);
    let written = poll("the writer is free again", async || {
        store
            .write(|c| organizations::insert(c, OrganizationId::generate(), "Quick", UnixMs(0)))
            .await
            .ok()
    });
    written.await;
    assert_eq!(database::count(&url, "organization WHERE name = 'Quick'"), 1);
    assert_eq!(database::count(&url, "organization WHERE name = 'Slow'"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_takes_its_transaction_back() {
    let world = World::without_bus().await;
    let store = &world.server.state.store;
    let url = database::url_of(world.dir.path());
    let panicked: Result<(), StoreError> = store
        .write(|c| {
            organizations::insert(c, OrganizationId::generate(), "Panic", UnixMs(0))?;
            panic!("a fault of the test");
        })
        .await;
    assert!(matches!(panicked, Err(StoreError::Broken(_))), "{panicked:?}");
    let token = world.sign_in().await;
    assert_eq!(add(&world, &token, "after").await.status(), 201);
    assert_eq!(database::count(&url, "organization WHERE name = 'Panic'"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_without_end_is_given_up() {
    if !database::is_postgres() {
        return;
    }
    let world = World::without_bus().await;
    let store = &world.server.state.store;
    let refused = store
        .read(|c| {
            use diesel::RunQueryDsl;
            diesel::sql_query("SELECT pg_sleep(60)").execute(c)?;
            Ok(())
        })
        .await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    let started = poll("its connection is free", async || {
        let url = database::url_of(world.dir.path());
        let asleep = "pg_stat_activity WHERE datname = current_database() \
                      AND state = 'active' AND query LIKE '%pg_sleep(60)' AND pid <> pg_backend_pid()";
        (database::count(&url, asleep) == 0).then_some(())
    });
    started.await;
}
