//! A person's data: handed over whole, erased without a trace but the facts.

use std::collections::BTreeSet;

use control_plane::state::now;
use control_plane::store::failures;
use serde_json::{Value, json};

use crate::invited::{PASSWORD, other_organization, person, public, sign_in, with_header};
use crate::raw;
use crate::support::World;

const AGENT: &str = "Planted-Browser/7";

/// Signs in as a browser that is known again.
async fn browser(world: &World, login: &str) -> String {
    let body = json!({"login": login, "password": PASSWORD});
    let request = world.http.post(world.url("/api/v1/session")).json(&body);
    let session: Value = request
        .header("user-agent", AGENT)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    session["access_token"].as_str().unwrap().to_owned()
}

async fn audit(world: &World, token: &str) -> Vec<Value> {
    let (status, log) = world.call("GET", "/api/v1/audit?limit=1000", token, None).await;
    assert_eq!(status, 200, "{log}");
    log["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_export_holds_everything_of_the_person_and_nothing_of_others() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let (id, _) = person(&world, &owner, "ann@planted", "org_admin").await;
    let ann = browser(&world, "ann@planted").await;
    let (bob, _) = person(&world, &ann, "bob@planted", "org_user").await;
    let camera = json!({"name": "door", "url": "rtsp://10.0.0.5/"});
    let (_, camera) = world.call("POST", "/api/v1/cameras", &ann, Some(camera)).await;
    let grants = json!({"items": [{"camera": camera["id"], "permissions": ["view_live"]}]});
    let path = format!("/api/v1/users/{id}");
    world
        .call("PUT", &format!("{path}/grants"), &owner, Some(grants.clone()))
        .await;
    world
        .call("PATCH", &path, &owner, Some(json!({"name": "Ann Planted"})))
        .await;
    let wrong = json!({"login": "ann@planted", "password": "wrong password"});
    public(&world, "/api/v1/session", &wrong).await;

    let (status, by_admin) = world.call("GET", &format!("{path}/export"), &owner, None).await;
    assert_eq!(status, 200, "{by_admin}");
    let (status, own) = world.call("GET", "/api/v1/me/export", &ann, None).await;
    assert_eq!(status, 200, "{own}");
    let (_, me) = world.call("GET", "/api/v1/me", &owner, None).await;
    let owner_id = me["id"].as_str().unwrap();
    for export in [&by_admin, &own] {
        assert_eq!(export["user"]["name"], "Ann Planted");
        assert_eq!(export["organization_name"], "Home");
        assert_eq!(export["grants"], grants["items"]);
        let sessions = export["sessions"].as_array().unwrap();
        assert!(sessions.iter().any(|one| one["agent"] == AGENT), "{export}");
        let log = export["log"].as_array().unwrap();
        let has = |action: &str, by: bool, about: bool| {
            log.iter().any(|entry| {
                (&entry["action"], &entry["by_person"], &entry["about_person"])
                    == (&json!(action), &json!(by), &json!(about))
            })
        };
        assert!(has("user.create", false, true), "{export}");
        assert!(has("user.accept_invitation", true, true));
        assert!(has("camera.create", true, false));
        assert!(has("user.create", true, false), "inviting bob");
        let text = export.to_string();
        for other in ["bob@planted", bob.as_str(), "\"admin\"", owner_id] {
            assert!(!text.contains(other), "{other} in {text}");
        }
        assert!(!text.contains("argon2"));
    }
    let exported = audit(&world, &owner).await;
    let exports = exported
        .iter()
        .filter(|entry| entry["action"] == "user.export")
        .count();
    assert_eq!(exports, 2, "each is itself noted");
}

#[tokio::test]
async fn an_erased_person_leaves_facts_under_an_id_alone() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let (id, _) = person(&world, &owner, "ann@planted", "org_admin").await;
    let ann = browser(&world, "ann@planted").await;
    let body = json!({"name": "door", "url": "rtsp://10.0.0.5/"});
    let once = ("idempotency-key", "k");
    with_header(&world, ("POST", "/api/v1/cameras"), &ann, once, &body).await;
    let path = format!("/api/v1/users/{id}");
    world
        .call("PATCH", &path, &owner, Some(json!({"name": "Ann Planted"})))
        .await;
    // The tenth failure locks the login; more by HTTP would meet the limit of attempts first.
    let store = &world.server.state.store;
    for _ in 0..9 {
        let add = |c: &mut _| failures::add(c, "ann@planted", now());
        store.write(add).await.unwrap();
    }
    let wrong = json!({"login": "ann@planted", "password": "wrong password"});
    public(&world, "/api/v1/session", &wrong).await;
    world
        .call("POST", &format!("{path}/password-reset"), &owner, None)
        .await;
    let before = audit(&world, &owner).await;
    assert!(
        before
            .iter()
            .any(|entry| entry.to_string().contains("ann@planted"))
    );

    let (status, problem) = with_header(
        &world,
        ("DELETE", &path),
        &owner,
        ("if-match", "\"1\""),
        &json!({}),
    )
    .await;
    assert_eq!((status, &problem["code"]), (412, &json!("stale")));
    assert_eq!(world.call("DELETE", &path, &owner, None).await.0, 204);
    for (method, path) in [
        ("GET", path.clone()),
        ("DELETE", path.clone()),
        ("GET", format!("{path}/export")),
    ] {
        assert_eq!(
            world.call(method, &path, &owner, None).await.0,
            404,
            "{method} {path}"
        );
    }
    assert_eq!(
        world.call("GET", "/api/v1/me", &ann, None).await.0,
        401,
        "sessions end"
    );
    assert_eq!(sign_in(&world, "ann@planted").await, None);

    let after = audit(&world, &owner).await;
    assert_eq!(after.len(), before.len() + 1, "no entry is lost");
    assert_eq!(
        (&after[0]["action"], &after[0]["subject"], &after[0]["actor_name"]),
        (&json!("user.erase"), &json!(id), &json!("admin"))
    );
    let (mut by_ann, mut locked) = (0, 0);
    for entry in &after {
        let text = entry.to_string();
        assert!(
            !text.contains("ann@planted") && !text.contains("Ann Planted"),
            "{text}"
        );
        if entry["actor"] == json!(id) {
            by_ann += 1;
            assert_eq!(
                (&entry["actor_name"], &entry["address"]),
                (&Value::Null, &Value::Null)
            );
        }
        if entry["subject"] == json!(id) {
            assert_eq!((&entry["before"], &entry["after"]), (&Value::Null, &Value::Null));
        }
        if entry["action"] == "user.lock" {
            locked += 1;
            assert_eq!(entry["address"], Value::Null, "where the person was, perhaps");
        }
    }
    assert_eq!(locked, 1);
    assert!(by_ann >= 2, "the id stays as a pseudonym: {after:?}");
    // The login is free for somebody else.
    let again = json!({"login": "ann@planted", "role": "org_user"});
    assert_eq!(
        world.call("POST", "/api/v1/users", &owner, Some(again)).await.0,
        201
    );
}

/// The tables with a row that holds one of these texts, in lower case or as bytes.
async fn tables_with(world: &World, texts: &[String]) -> BTreeSet<String> {
    let all = world.server.state.store.read(raw::dump).await.unwrap();
    let holds = |rows: &BTreeSet<String>| rows.iter().any(|row| texts.iter().any(|text| row.contains(text)));
    let found = all.into_iter().filter(|(_, rows)| holds(rows));
    found.map(|(table, _)| table).collect()
}

/// Ann does what leaves a row somewhere: signs in from two places, fails, is granted, makes things.
async fn leave_traces(world: &World, owner: &str, id: &str, ann: &str) {
    let body = json!({"name": "door", "url": "rtsp://10.0.0.5/"});
    let once = ("idempotency-key", "k");
    let (status, camera) = with_header(world, ("POST", "/api/v1/cameras"), ann, once, &body).await;
    assert_eq!(status, 201, "{camera}");
    let camera = camera["id"].as_str().unwrap();
    let hour = 3_600_000;
    let now = now().0;
    let erasure = json!({"from": now - 2 * hour, "to": now - hour, "reason": "a wish"});
    let permissions = json!({"items": [{"camera": camera, "permissions": ["view_live"]}]});
    for (method, path, token, body, expected) in [
        (
            "PATCH",
            format!("/api/v1/users/{id}"),
            owner,
            json!({"name": "Ann Planted"}),
            200,
        ),
        (
            "PUT",
            format!("/api/v1/users/{id}/grants"),
            owner,
            permissions,
            200,
        ),
        (
            "POST",
            "/api/v1/service-keys".to_owned(),
            ann,
            json!({"name": "gate", "scopes": ["nodes:read"]}),
            201,
        ),
        (
            "POST",
            "/api/v1/enrolment-tokens".to_owned(),
            ann,
            json!({"name": "gate"}),
            201,
        ),
        (
            "POST",
            format!("/api/v1/cameras/{camera}/overrides"),
            ann,
            json!({"kind": "pause"}),
            201,
        ),
        (
            "POST",
            format!("/api/v1/cameras/{camera}/erasures"),
            ann,
            erasure,
            201,
        ),
        (
            "POST",
            "/api/v1/me/totp".to_owned(),
            ann,
            json!({"password": PASSWORD}),
            200,
        ),
        // Ends the sessions.
        (
            "POST",
            format!("/api/v1/users/{id}/password-reset"),
            owner,
            json!({}),
            200,
        ),
    ] {
        let (status, answer) = world.call(method, &path, token, Some(body)).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
    }
    let wrong = json!({"login": "ann@planted", "password": "wrong password"});
    assert_eq!(public(world, "/api/v1/session", &wrong).await.0, 401);
}

#[tokio::test]
async fn no_table_knows_an_erased_person() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let (id, _) = person(&world, &owner, "ann@planted", "org_admin").await;
    let ann = browser(&world, "ann@planted").await;
    leave_traces(&world, &owner, &id, &ann).await;
    let named = ["ann@planted", "ann planted", "planted-browser"].map(str::to_owned);
    let ids = [id.clone(), id.replace('-', "")];
    let set = |tables: &[&str]| {
        tables
            .iter()
            .map(|table| (*table).to_owned())
            .collect::<BTreeSet<_>>()
    };
    let before = tables_with(&world, &named).await;
    assert_eq!(before, set(&["audit", "login_failure", "user"]));
    let by_id = tables_with(&world, &ids).await;
    for table in ["access_grant", "idempotency", "one_time_token", "user"] {
        assert!(by_id.contains(table), "{table}: {by_id:?}");
    }

    let path = format!("/api/v1/users/{id}");
    assert_eq!(world.call("DELETE", &path, &owner, None).await.0, 204);
    assert_eq!(tables_with(&world, &named).await, BTreeSet::new());
    // A pseudonym: who made what, and did what.
    let allowed = set(&[
        "audit",
        "enrolment_token",
        "event",
        "recording_override",
        "service_key",
    ]);
    let left = tables_with(&world, &ids).await;
    assert!(left.contains("audit") && left.is_subset(&allowed), "{left:?}");
}

#[tokio::test]
async fn nobody_erases_oneself_the_last_or_others_above_or_elsewhere() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let (other, boss) = other_organization(&world, &owner).await;
    let (admin_id, admin) = person(&world, &owner, "admin2", "org_admin").await;
    let (user_id, user) = person(&world, &admin, "user", "org_user").await;
    let (_, me) = world.call("GET", "/api/v1/me", &owner, None).await;
    let owner_id = me["id"].as_str().unwrap();
    let (_, me) = world.call("GET", "/api/v1/me", &boss, None).await;
    let boss_id = me["id"].as_str().unwrap();
    for (token, path, status, code) in [
        (&admin, format!("/api/v1/users/{admin_id}"), 409, "own_account"),
        (&admin, format!("/api/v1/users/{owner_id}"), 403, "role_above_own"),
        (&user, format!("/api/v1/users/{user_id}"), 403, "forbidden"),
        (&boss, format!("/api/v1/users/{user_id}"), 404, "user_not_found"),
        (&owner, format!("/api/v1/users/{boss_id}"), 404, "user_not_found"),
        (
            &owner,
            format!("/api/v1/users/{boss_id}?organization={other}"),
            409,
            "last_admin",
        ),
    ] {
        let (answered, problem) = world.call("DELETE", &path, token, None).await;
        assert_eq!((answered, &problem["code"]), (status, &json!(code)), "{path}");
    }
    for (token, id, status) in [
        (&user, admin_id.as_str(), 403),
        (&admin, owner_id, 403),
        (&boss, admin_id.as_str(), 404),
        (&admin, user_id.as_str(), 200),
    ] {
        let path = format!("/api/v1/users/{id}/export");
        assert_eq!(world.call("GET", &path, token, None).await.0, status, "{path}");
    }
    let (status, own) = world.call("GET", "/api/v1/me/export", &user, None).await;
    assert_eq!(
        (status, &own["user"]["id"]),
        (200, &json!(user_id)),
        "one's own needs no right"
    );
}
