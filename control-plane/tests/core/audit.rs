//! The audit log: what stands in it, who reads it, that it only grows.

use control_plane::state::now;
use control_plane::store::audit::{self, AuditRow};
use serde_json::{Value, json};
use wire::OrganizationId;
use wire::api::ActorKind;

use crate::organizations::{Tenant, tenant};
use crate::people::camera;
use crate::raw;
use crate::support::World;

const PATH: &str = "/api/v1/audit";

fn entry(organization: OrganizationId, actor_name: Option<&str>, action: String) -> AuditRow {
    AuditRow {
        organization,
        actor_kind: ActorKind::System,
        actor: None,
        actor_name: actor_name.map(str::to_owned),
        address: None,
        request_id: None,
        action,
        subject: "n".to_owned(),
        old_value: None,
        new_value: None,
    }
}

/// Puts entries `n.<index>` in the log.
async fn fill(world: &World, organization: OrganizationId, range: std::ops::Range<usize>) {
    let put = move |c: &mut control_plane::store::Connection| {
        for index in range {
            let row = entry(organization, None, format!("n.{index}"));
            audit::insert(c, &row, now())?;
        }
        Ok(())
    };
    world.server.state.store.write(put).await.unwrap();
}

/// What was done; who signed in is another test's.
async fn entries(world: &World, token: &str, query: &str) -> Vec<Value> {
    let (status, list) = world.call("GET", &format!("{PATH}{query}"), token, None).await;
    assert_eq!(status, 200, "{query} {list}");
    let mut entries = list["items"].as_array().unwrap().clone();
    entries.retain(|entry| entry["action"] != "user.sign_in");
    entries
}

fn actions(entries: &[Value]) -> Vec<&str> {
    entries
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect()
}

async fn acme(world: &World) -> (String, Tenant) {
    let owner = world.sign_in().await;
    let acme = tenant(world, &owner, "Acme").await;
    (owner, acme)
}

#[tokio::test]
async fn says_who_did_what_and_what_was_before() {
    let world = World::without_bus().await;
    let (owner, acme) = acme(&world).await;
    world
        .call("PATCH", &acme.path, &acme.admin, Some(json!({"name": "Acme 2"})))
        .await;
    let door = camera(&world, &acme.admin, "door").await;
    let log = entries(&world, &acme.admin, "").await;
    assert_eq!(
        actions(&log),
        ["camera.create", "organization.change", "organization.create"]
    );
    let change = &log[1];
    assert_eq!(
        (&change["before"]["name"], &change["after"]["name"]),
        (&json!("Acme"), &json!("Acme 2"))
    );
    assert_eq!(
        (&change["actor_kind"], &change["actor_name"]),
        (&json!("user"), &json!("admin@acme"))
    );
    assert_eq!(change["subject"], json!(acme.id.to_string()));
    assert!(change["address"].is_string() && change["request_id"].is_string());
    assert_eq!(
        (&log[0]["before"], &log[0]["subject"]),
        (&Value::Null, &json!(door))
    );
    assert_eq!(log[2]["actor_name"], "admin", "made by who runs the platform");

    let admin = log[0]["actor"].as_str().unwrap();
    let at = log[1]["at"].as_i64().unwrap();
    for (query, expected) in [
        (
            format!("?actor={admin}"),
            vec!["camera.create", "organization.change"],
        ),
        ("?actor_kind=system".to_owned(), vec![]),
        ("?action=camera.create".to_owned(), vec!["camera.create"]),
        ("?action=camera".to_owned(), vec![]),
        (
            "?action=organization.".to_owned(),
            vec!["organization.change", "organization.create"],
        ),
        ("?action=%25.".to_owned(), vec![]),
        (format!("?subject={door}"), vec!["camera.create"]),
        (
            format!("?actor={admin}&action=organization.&subject={}", acme.id),
            vec!["organization.change"],
        ),
        (format!("?from={}", at + 3_600_000), vec![]),
        (format!("?to={}", at - 3_600_000), vec![]),
    ] {
        assert_eq!(
            actions(&entries(&world, &acme.admin, &query).await),
            expected,
            "{query}"
        );
    }
    let (from, to) = (log[2]["at"].as_i64().unwrap(), log[0]["at"].as_i64().unwrap() + 1);
    assert_eq!(
        entries(&world, &acme.admin, &format!("?from={from}&to={to}")).await,
        log
    );
    let home = entries(&world, &owner, "").await;
    assert!(
        home.iter()
            .all(|entry| entry["subject"] != json!(acme.id.to_string()))
    );
}

#[tokio::test]
async fn who_reads_it() {
    let world = World::without_bus().await;
    let (owner, acme) = acme(&world).await;
    let beta = tenant(&world, &owner, "Beta").await;
    let inside = format!("?organization={}", acme.id);
    let seen = entries(&world, &owner, &inside).await;
    assert_eq!(seen, entries(&world, &acme.admin, "").await);
    for path in [PATH, "/api/v1/audit.csv"] {
        for (token, query, expected) in [
            (&acme.user, "", 403),
            (&beta.admin, inside.as_str(), 404),
            (&beta.user, inside.as_str(), 404),
        ] {
            let (status, _) = world.call("GET", &format!("{path}{query}"), token, None).await;
            assert_eq!(status, expected, "{path}{query}");
        }
        for (query, field) in [
            ("?actor=x", "actor"),
            ("?actor_kind=cat", "actor_kind"),
            ("?action=", "action"),
            ("?subject=%00", "subject"),
            ("?from=yesterday", "from"),
            ("?to=x", "to"),
        ] {
            let (status, problem) = world
                .call("GET", &format!("{path}{query}"), &acme.admin, None)
                .await;
            assert_eq!((status, &problem["field"]), (400, &json!(field)), "{path}{query}");
        }
    }
    assert_eq!(
        actions(&entries(&world, &beta.admin, "").await),
        ["organization.create"]
    );
}

#[tokio::test]
async fn pages_neither_repeat_nor_lose_while_it_grows() {
    let world = World::without_bus().await;
    let (_, acme) = acme(&world).await;
    fill(&world, acme.id, 0..100).await;
    let mut seen: Vec<String> = Vec::new();
    let (mut cursor, mut grown) = (String::new(), 100);
    loop {
        let path = format!("{PATH}?action=n.&limit=7{cursor}");
        let (_, page) = world.call("GET", &path, &acme.admin, None).await;
        let items = page["items"].as_array().unwrap();
        seen.extend(
            items
                .iter()
                .map(|entry| entry["action"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
        fill(&world, acme.id, grown..grown + 5).await;
        grown += 5;
    }
    let expected: Vec<String> = (0..100).rev().map(|index| format!("n.{index}")).collect();
    assert_eq!(seen, expected);
    let newest = entries(&world, &acme.admin, "?limit=1").await;
    assert_eq!(actions(&newest), [format!("n.{}", grown - 1)]);
}

#[tokio::test]
async fn the_table_has_every_entry_and_computes_nothing() {
    let world = World::without_bus().await;
    let (_, acme) = acme(&world).await;
    camera(&world, &acme.admin, "door").await;
    let formula = entry(acme.id, Some("=cmd|' /c calc'!a1, \"x\""), "named".to_owned());
    let store = &world.server.state.store;
    store
        .write(move |c| audit::insert(c, &formula, now()))
        .await
        .unwrap();
    fill(&world, acme.id, 0..2_500).await;
    let get = async |query: &str| {
        let request = world
            .http
            .get(world.url(&format!("/api/v1/audit.csv{query}")))
            .bearer_auth(&acme.admin);
        request.send().await.unwrap()
    };
    let answer = get("").await;
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert!(header("content-type").starts_with("text/csv"));
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"audit.csv\""
    );
    let text = answer.text().await.unwrap();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(
        lines[0],
        "time,id,actor_kind,actor,actor_name,address,request_id,action,subject,before,after"
    );
    let sign_ins = lines
        .iter()
        .filter(|line| line.contains(",user.sign_in,"))
        .count();
    assert_eq!((lines.len() - sign_ins, sign_ins), (1 + 2_500 + 3, 2));
    let numbered: Vec<&str> = lines[1..=2_500]
        .iter()
        .map(|line| line.split(',').nth(7).unwrap())
        .collect();
    let expected: Vec<String> = (0..2_500).rev().map(|index| format!("n.{index}")).collect();
    assert_eq!(numbered, expected);
    assert!(
        lines[2_501].contains(",\"'=cmd|' /c calc'!a1, \"\"x\"\"\","),
        "{}",
        lines[2_501]
    );
    assert!(lines[2_502].contains("\"{\"\""), "the values: {}", lines[2_502]);
    let filtered = get("?action=camera.").await.text().await.unwrap();
    assert_eq!(filtered.matches("\r\n").count(), 2);
    let none = get("?action=nothing.").await.text().await.unwrap();
    assert_eq!(none.matches("\r\n").count(), 1, "the header alone");
}

#[tokio::test]
async fn it_cannot_be_changed_or_deleted() {
    let world = World::without_bus().await;
    let (_, acme) = acme(&world).await;
    camera(&world, &acme.admin, "door").await;
    let before = entries(&world, &acme.admin, "").await;
    let store = &world.server.state.store;
    for statement in [
        "DELETE FROM audit",
        "DELETE FROM audit WHERE action = 'camera.create'",
        "UPDATE audit SET action = 'x'",
        "UPDATE audit SET subject = 'x'",
        "UPDATE audit SET happened = happened + 1",
        "UPDATE audit SET \"user\" = NULL",
        "UPDATE audit SET actor_kind = 2",
        "UPDATE audit SET request_id = NULL",
        "UPDATE audit SET actor_name = 'somebody else'",
        "UPDATE audit SET address = '10.0.0.1'",
        "UPDATE audit SET old_value = '{}' WHERE old_value IS NULL",
        "UPDATE audit SET new_value = '{}'",
    ] {
        let refused = raw::execute(store, statement.to_owned()).await;
        let text = refused.expect_err(statement).to_string();
        assert!(text.contains("append-only"), "{statement}: {text}");
    }
    assert_eq!(entries(&world, &acme.admin, "").await, before);
    let blank = "UPDATE audit SET actor_name = NULL, address = NULL, old_value = NULL";
    raw::execute(store, blank.to_owned()).await.unwrap();
    let after = entries(&world, &acme.admin, "").await;
    assert_eq!(actions(&after), actions(&before));
    assert!(
        after.iter().all(|entry| entry["actor_name"].is_null()),
        "a person can be forgotten"
    );
}

#[tokio::test]
async fn a_change_and_its_entry_are_one() {
    let world = World::without_bus().await;
    let (_, acme) = acme(&world).await;
    let body = || Some(json!({"name": "North"}));
    world.call("POST", "/api/v1/groups", &acme.admin, body()).await;
    let before = entries(&world, &acme.admin, "").await;
    let (status, _) = world.call("POST", "/api/v1/groups", &acme.admin, body()).await;
    assert_eq!(status, 409);
    let stale = world
        .http
        .patch(world.url(&acme.path))
        .bearer_auth(&acme.admin)
        .header("if-match", "\"99\"");
    assert_eq!(
        stale.json(&json!({"name": "x"})).send().await.unwrap().status(),
        412
    );
    assert_eq!(
        entries(&world, &acme.admin, "").await,
        before,
        "a failed change leaves no entry"
    );

    let store = &world.server.state.store;
    let rename = |from: &str, to: &str| format!("ALTER TABLE {from} RENAME TO {to}");
    raw::execute(store, rename("audit", "audit_away")).await.unwrap();
    let (status, _) = world
        .call(
            "POST",
            "/api/v1/groups",
            &acme.admin,
            Some(json!({"name": "South"})),
        )
        .await;
    assert!(status >= 500, "{status}");
    let (status, _) = world
        .call("PATCH", &acme.path, &acme.admin, Some(json!({"name": "x"})))
        .await;
    assert!(status >= 500, "{status}");
    raw::execute(store, rename("audit_away", "audit")).await.unwrap();
    let (_, groups) = world.call("GET", "/api/v1/groups", &acme.admin, None).await;
    assert_eq!(
        groups["items"].as_array().unwrap().len(),
        1,
        "no change without its entry"
    );
    let (_, same) = world.call("GET", &acme.path, &acme.admin, None).await;
    assert_eq!(same["name"], "Acme");
}

#[tokio::test]
async fn a_new_password_of_a_camera_is_marked_and_not_told() {
    let world = World::without_bus().await;
    let (_, acme) = acme(&world).await;
    let body = json!({"name": "x", "url": "rtsp://10.0.0.5/", "username": "a", "password": "planted-1"});
    let (_, camera) = world
        .call("POST", "/api/v1/cameras", &acme.admin, Some(body))
        .await;
    let path = format!("/api/v1/cameras/{}", camera["id"].as_str().unwrap());
    for (patch, mark) in [
        (json!({"password": "planted-2"}), json!("changed")),
        (json!({"password": "planted-2", "name": "y"}), Value::Null),
        (json!({"username": "b"}), Value::Null),
        (json!({"url": "rtsp://c:planted-3@10.0.0.5/"}), json!("changed")),
        (json!({"username": null}), json!("changed")),
    ] {
        let (status, _) = world.call("PATCH", &path, &acme.admin, Some(patch.clone())).await;
        assert_eq!(status, 200, "{patch}");
        let log = entries(&world, &acme.admin, "?action=camera.change&limit=1").await;
        assert_eq!(log[0]["after"]["password"], mark, "{patch}");
        assert_eq!(log[0]["before"]["password"], Value::Null, "{patch}");
        assert!(!log[0].to_string().contains("planted"), "{}", log[0]);
    }
}
