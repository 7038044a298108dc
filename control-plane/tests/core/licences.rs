//! Licences: issue, filters, assignment, renewal, states, usage, tenants.

use serde_json::{Value, json};
use wire::access::Role;
use wire::{OrganizationId, UnixMs};

use crate::people::{camera, organization, organization_of, person};
use crate::support::World;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn now() -> UnixMs {
    control_plane::state::now()
}

fn plan() -> Value {
    json!({
        "features": ["recording", "live"], "retention_days": 30,
        "max_width": 3840, "max_height": 2160, "max_bitrate_bps": 16_000_000,
    })
}

/// What issues `count` licences, valid from and to so many days from now.
fn new(from: i64, to: i64, grace_days: u16, count: u16) -> Value {
    json!({
        "name": "Standard", "plan": plan(), "count": count, "grace_days": grace_days,
        "valid_from": now().0 + from * DAY_MS, "valid_to": now().0 + to * DAY_MS,
    })
}

/// Issues to an organization as its platform's owner; the ids.
async fn issue(world: &World, owner: &str, organization: OrganizationId, body: Value) -> Vec<String> {
    let path = format!("/api/v1/licences?organization={organization}");
    let (status, issued) = world.call("POST", &path, owner, Some(body)).await;
    assert_eq!(status, 201, "{issued}");
    let items = issued["items"].as_array().unwrap();
    items
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

/// An organization with its administrator's token, and the platform owner's.
async fn tenant(world: &World) -> (OrganizationId, String, String) {
    let owner = world.sign_in().await;
    let id = organization(world, "Tenant").await;
    let (_, admin) = person(world, id, "admin@tenant", Role::OrgAdmin).await;
    (id, admin, owner)
}

fn at(id: &str, action: &str) -> String {
    format!("/api/v1/licences/{id}{action}")
}

#[tokio::test]
async fn only_the_owner_issues_and_the_tenant_sees() {
    let world = World::without_bus().await;
    let (tenant, admin, owner) = tenant(&world).await;
    let ids = issue(&world, &owner, tenant, new(0, 30, 7, 3)).await;
    assert_eq!(ids.len(), 3);
    let (status, one) = world.call("GET", &at(&ids[0], ""), &admin, None).await;
    assert_eq!(status, 200);
    assert_eq!(
        (&one["state"], &one["camera"], &one["organization"], &one["plan"]),
        (
            &json!("active"),
            &Value::Null,
            &json!(tenant.to_string()),
            &plan()
        )
    );
    assert_eq!(
        one["lapses"].as_i64().unwrap() - one["valid_to"].as_i64().unwrap(),
        7 * DAY_MS
    );
    for (path, body) in [
        ("/api/v1/licences".to_owned(), new(0, 30, 0, 1)),
        (at(&ids[0], "/renew"), json!({"valid_to": now().0 + DAY_MS})),
        (at(&ids[0], "/suspend"), Value::Null),
        (at(&ids[0], "/resume"), Value::Null),
    ] {
        let (status, problem) = world.call("POST", &path, &admin, Some(body)).await;
        assert_eq!((status, &problem["code"]), (403, &json!("forbidden")), "{path}");
    }
    let (status, _) = world
        .call("PATCH", &at(&ids[0], ""), &admin, Some(json!({"name": "x"})))
        .await;
    assert_eq!(status, 403);
    let (_, mine) = world.call("GET", "/api/v1/licences", &owner, None).await;
    assert_eq!(
        mine,
        json!({"items": []}),
        "they are the tenant's, not the owner's"
    );
}

#[tokio::test]
async fn a_thousand_are_issued_at_once_and_once() {
    let world = World::without_bus().await;
    let (tenant, admin, owner) = tenant(&world).await;
    let path = world.url(&format!("/api/v1/licences?organization={tenant}"));
    let body = new(0, 30, 0, 1000);
    let mut answers = Vec::new();
    for _ in 0..2 {
        let request = world.http.post(&path).bearer_auth(&owner).json(&body);
        let answer = request
            .header("Idempotency-Key", "order-17")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 201);
        answers.push(answer.json::<Value>().await.unwrap());
    }
    assert_eq!(answers[0]["items"].as_array().unwrap().len(), 1000);
    assert!(answers[0] == answers[1], "the same licences");
    let (_, usage) = world.call("GET", "/api/v1/licences/usage", &admin, None).await;
    assert_eq!(usage["total"], 1000);

    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/licences?limit=400{cursor}");
        let (_, page) = world.call("GET", &path, &admin, None).await;
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["id"].clone()),
        );
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let issued: Vec<_> = answers[0]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].clone())
        .collect();
    assert!(seen == issued, "each once, in the order of issue");
}

#[tokio::test]
async fn wrong_fields_are_named() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let with = |field: &str, value: Value| {
        let mut body = new(0, 30, 0, 1);
        body[field] = value;
        body
    };
    let with_plan = |field: &str, value: Value| {
        let mut body = new(0, 30, 0, 1);
        body["plan"][field] = value;
        body
    };
    for (body, field) in [
        (with("name", json!(" ")), json!("name")),
        (with("count", json!(0)), json!("count")),
        (with("count", json!(1001)), json!("count")),
        (with("grace_days", json!(366)), json!("grace_days")),
        (with("valid_from", json!(-1)), json!("valid_from")),
        (with("valid_to", json!(now().0 - DAY_MS)), json!("valid_to")),
        (with("valid_to", json!(i64::MAX)), json!("valid_to")),
        (with_plan("features", json!([])), json!("plan.features")),
        (
            with_plan("retention_days", json!(0)),
            json!("plan.retention_days"),
        ),
        (with_plan("max_width", json!(1)), json!("plan.max_width")),
        (with_plan("max_height", json!(20_000)), json!("plan.max_height")),
        (
            with_plan("max_bitrate_bps", json!(1)),
            json!("plan.max_bitrate_bps"),
        ),
        (with_plan("features", json!(["flying"])), Value::Null),
        (with("camera", json!("x")), Value::Null),
    ] {
        let (status, problem) = world
            .call("POST", "/api/v1/licences", &token, Some(body.clone()))
            .await;
        assert_eq!(status, 400, "{body}");
        assert_eq!(
            problem.get("field").cloned().unwrap_or_default(),
            field,
            "{body}: {problem}"
        );
    }
    for query in [
        "state=dead",
        "camera=x",
        "assigned=perhaps",
        "limit=0",
        "cursor=x",
    ] {
        let (status, problem) = world
            .call("GET", &format!("/api/v1/licences?{query}"), &token, None)
            .await;
        assert_eq!(
            (status, &problem["field"]),
            (400, &json!(query.split('=').next().unwrap())),
            "{query}"
        );
    }
}

#[tokio::test]
async fn filters_and_usage_agree_on_every_state() {
    let world = World::without_bus().await;
    let (tenant, admin, owner) = tenant(&world).await;
    let camera_id = camera(&world, &admin, "door").await;
    camera(&world, &admin, "gate").await;
    let mut by_state = Vec::new();
    for (state, body) in [
        ("pending", new(1, 30, 0, 1)),
        ("active", new(-1, 30, 0, 2)),
        ("grace", new(-30, -1, 7, 3)),
        ("expired", new(-30, -7, 7, 4)),
        ("suspended", new(-1, 30, 0, 5)),
    ] {
        by_state.push((state, issue(&world, &owner, tenant, body).await));
    }
    for id in &by_state[4].1 {
        let path = format!("{}?organization={tenant}", at(id, "/suspend"));
        assert_eq!(
            world.call("POST", &path, &owner, None).await.1["state"],
            "suspended"
        );
    }
    let active = &by_state[1].1[0];
    let body = json!({"camera": camera_id});
    assert_eq!(
        world
            .call("PUT", &at(active, "/camera"), &admin, Some(body))
            .await
            .0,
        200
    );

    let listed = async |query: &str| {
        let path = format!("/api/v1/licences?{query}");
        let (status, page) = world.call("GET", &path, &admin, None).await;
        assert_eq!(status, 200, "{page}");
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for (state, ids) in &by_state {
        assert_eq!(&listed(&format!("state={state}")).await, ids, "{state}");
    }
    assert_eq!(listed("assigned=true").await, [active.as_str()]);
    assert_eq!(listed("assigned=false").await.len(), 14);
    assert_eq!(listed("assigned=false&state=active").await, by_state[1].1[1..]);
    assert_eq!(listed(&format!("camera={camera_id}")).await, [active.as_str()]);
    let (_, usage) = world.call("GET", "/api/v1/licences/usage", &admin, None).await;
    assert_eq!(
        usage,
        json!({
            "total": 15, "assigned": 1, "cameras": 2, "cameras_without_licence": 1,
            "by_state": {"pending": 1, "active": 2, "grace": 3, "expired": 4, "suspended": 5},
        })
    );
}

#[tokio::test]
async fn one_licence_a_camera_and_one_camera_a_licence() {
    let world = World::without_bus().await;
    let (tenant, admin, owner) = tenant(&world).await;
    let (door, gate) = (
        camera(&world, &admin, "door").await,
        camera(&world, &admin, "gate").await,
    );
    let ids = issue(&world, &owner, tenant, new(0, 30, 0, 2)).await;
    let assign = async |id: &str, camera: &str| {
        let body = json!({"camera": camera});
        let (status, answer) = world.call("PUT", &at(id, "/camera"), &admin, Some(body)).await;
        (status, answer["code"].as_str().map(str::to_owned))
    };
    let conflict = |code: &str| (409, Some(code.to_owned()));
    assert_eq!(assign(&ids[0], &door).await, (200, None));
    assert_eq!(assign(&ids[0], &door).await, (200, None), "again is no change");
    assert_eq!(assign(&ids[0], &gate).await, conflict("licence_assigned"));
    assert_eq!(assign(&ids[1], &door).await, conflict("camera_licensed"));
    let transfer = async |id: &str, from: &str, to: &str| {
        let body = json!({"from": from, "to": to});
        let (status, answer) = world.call("POST", &at(id, "/transfer"), &admin, Some(body)).await;
        (status, answer["code"].as_str().map(str::to_owned))
    };
    assert_eq!(transfer(&ids[0], &door, &gate).await, (200, None));
    assert_eq!(
        transfer(&ids[0], &door, &gate).await,
        conflict("licence_elsewhere")
    );
    assert_eq!(
        assign(&ids[1], &door).await,
        (200, None),
        "the camera is free again"
    );
    assert_eq!(transfer(&ids[0], &gate, &door).await, conflict("camera_licensed"));
    let (status, free) = world.call("DELETE", &at(&ids[0], "/camera"), &admin, None).await;
    assert_eq!((status, &free["camera"]), (200, &Value::Null));

    // A deleted camera gives its licence back.
    let path = format!("/api/v1/cameras/{door}");
    assert_eq!(world.call("DELETE", &path, &admin, None).await.0, 204);
    let (_, back) = world.call("GET", &at(&ids[1], ""), &admin, None).await;
    assert_eq!(back["camera"], Value::Null);
    assert_eq!(assign(&ids[1], &door).await.0, 404, "it is gone");
}

#[tokio::test]
async fn from_many_sides_at_once_exactly_one_wins() {
    let world = World::without_bus().await;
    let (tenant, admin, owner) = tenant(&world).await;
    let ids = issue(&world, &owner, tenant, new(0, 30, 0, 20)).await;
    let mut cameras = Vec::new();
    for number in 0..20 {
        cameras.push(camera(&world, &admin, &format!("camera-{number}")).await);
    }
    let race = async |requests: Vec<(String, String)>| {
        let calls = requests.into_iter().map(|(licence, camera)| {
            let body = json!({"camera": camera});
            let (world, admin) = (&world, &admin);
            async move {
                world
                    .call("PUT", &at(&licence, "/camera"), admin, Some(body))
                    .await
            }
        });
        let answers = futures::future::join_all(calls).await;
        let won = answers.iter().filter(|(status, _)| *status == 200).count();
        let lost = answers.iter().filter(|(status, _)| *status == 409).count();
        (won, lost)
    };
    // One camera, many licences; then one licence, many cameras.
    let many = ids.iter().map(|id| (id.clone(), cameras[0].clone())).collect();
    assert_eq!(race(many).await, (1, 19));
    let (_, page) = world
        .call("GET", "/api/v1/licences?assigned=false", &admin, None)
        .await;
    let free = page["items"][0]["id"].as_str().unwrap().to_owned();
    let many = cameras[1..]
        .iter()
        .map(|camera| (free.clone(), camera.clone()))
        .collect();
    assert_eq!(race(many).await, (1, 18));
    let (_, usage) = world.call("GET", "/api/v1/licences/usage", &admin, None).await;
    assert_eq!(
        (&usage["assigned"], &usage["cameras_without_licence"]),
        (&json!(2), &json!(18))
    );
}

#[tokio::test]
async fn an_end_is_moved_and_a_lapse_is_said() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let home = organization_of(&world, &owner).await;
    let id = issue(&world, &owner, home, new(-10, -1, 0, 1)).await.remove(0);
    let post =
        async |action: &str, body: Value| world.call("POST", &at(&id, action), &owner, Some(body)).await;
    let later = now().0 + 30 * DAY_MS;
    let (status, renewed) = post("/renew", json!({"valid_to": later})).await;
    assert_eq!(
        (status, &renewed["state"], &renewed["valid_to"]),
        (200, &json!("active"), &json!(later))
    );
    let past = now().0 - DAY_MS;
    let (status, problem) = post("/renew", json!({"valid_to": past})).await;
    assert_eq!((status, &problem["field"]), (400, &json!("valid_to")));
    let (status, over) = post("/renew", json!({"valid_to": past, "may_lapse": true})).await;
    assert_eq!((status, &over["state"]), (200, &json!("expired")));

    post("/renew", json!({"valid_to": later})).await;
    assert_eq!(post("/suspend", Value::Null).await.1["state"], "suspended");
    let (_, twice) = post("/suspend", Value::Null).await;
    let (_, resumed) = post("/resume", Value::Null).await;
    assert_eq!(resumed["state"], "active");
    assert_eq!(
        resumed["revision"].as_u64(),
        twice["revision"].as_u64().map(|revision| revision + 1)
    );
    let smaller = json!({"plan": {
        "features": ["live"], "retention_days": 1, "max_width": 640, "max_height": 480,
        "max_bitrate_bps": 1_000_000,
    }, "grace_days": 3, "name": "Small"});
    let (status, changed) = world
        .call("PATCH", &at(&id, ""), &owner, Some(smaller.clone()))
        .await;
    assert_eq!(
        (status, &changed["plan"], &changed["name"]),
        (200, &smaller["plan"], &json!("Small"))
    );
    assert_eq!(changed["lapses"].as_i64().unwrap(), later + 3 * DAY_MS);
}

#[tokio::test]
async fn another_organization_finds_no_licence() {
    let world = World::without_bus().await;
    let (tenant, admin, owner) = tenant(&world).await;
    let other = organization(&world, "Other").await;
    let (_, stranger) = person(&world, other, "admin@other", Role::OrgAdmin).await;
    let (_, user) = person(&world, tenant, "user@tenant", Role::OrgUser).await;
    let mine = camera(&world, &admin, "door").await;
    let theirs = camera(&world, &stranger, "door").await;
    let id = issue(&world, &owner, tenant, new(0, 30, 0, 1)).await.remove(0);
    for (method, action, body) in [
        ("GET", "", None),
        ("PUT", "/camera", Some(json!({"camera": theirs}))),
        ("PUT", "/camera", Some(json!({"camera": mine}))),
        ("DELETE", "/camera", None),
        ("POST", "/transfer", Some(json!({"from": mine, "to": theirs}))),
    ] {
        let (status, problem) = world
            .call(method, &at(&id, action), &stranger, body.clone())
            .await;
        assert_eq!(status, 404, "{method} {action}: {problem}");
        let (status, _) = world.call(method, &at(&id, action), &user, body).await;
        assert_eq!(status, 403, "{method} {action}");
    }
    let (status, problem) = world
        .call(
            "PUT",
            &at(&id, "/camera"),
            &admin,
            Some(json!({"camera": theirs})),
        )
        .await;
    assert_eq!(
        (status, &problem["code"]),
        (404, &json!("camera_not_found")),
        "not to their camera either"
    );
    for path in ["/api/v1/licences", &format!("/api/v1/licences?camera={mine}")] {
        assert_eq!(
            world.call("GET", path, &stranger, None).await,
            (200, json!({"items": []}))
        );
    }
    let (_, usage) = world.call("GET", "/api/v1/licences/usage", &stranger, None).await;
    assert_eq!((&usage["total"], &usage["cameras"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn what_happens_to_a_licence_stands_in_its_organizations_log() {
    let world = World::without_bus().await;
    let (tenant, admin, owner) = tenant(&world).await;
    let door = camera(&world, &admin, "door").await;
    let id = issue(&world, &owner, tenant, new(0, 30, 0, 1)).await.remove(0);
    let body = json!({"camera": door});
    for _ in 0..2 {
        let (status, _) = world
            .call("PUT", &at(&id, "/camera"), &admin, Some(body.clone()))
            .await;
        assert_eq!(status, 200);
    }
    let (status, _) = world
        .call("DELETE", &format!("/api/v1/cameras/{door}"), &admin, None)
        .await;
    assert_eq!(status, 204);
    let (status, log) = world
        .call("GET", &format!("/api/v1/audit?subject={id}"), &admin, None)
        .await;
    assert_eq!(status, 200, "{log}");
    let entries = log["items"].as_array().unwrap();
    let mut actions: Vec<_> = entries
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    actions.sort_unstable();
    assert_eq!(
        actions,
        ["licence.assign", "licence.issue", "licence.unassign"],
        "what changes nothing leaves no entry"
    );
    let assigned = entries.iter().find(|entry| entry["action"] == "licence.assign");
    assert_eq!(assigned.unwrap()["after"]["camera"], json!(door), "{assigned:?}");
}
