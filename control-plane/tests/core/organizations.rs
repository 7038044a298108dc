//! Organizations: who sees and changes them, their states, their limits.

use serde_json::{Value, json};
use wire::OrganizationId;
use wire::access::Role;

use crate::people::{camera, organization_of, person};
use crate::support::World;

const PATH: &str = "/api/v1/organizations";

/// An organization made through the API, with an administrator and a user.
pub(crate) struct Tenant {
    pub(crate) id: OrganizationId,
    pub(crate) path: String,
    pub(crate) admin: String,
    pub(crate) user: String,
}

pub(crate) async fn tenant(world: &World, owner: &str, name: &'static str) -> Tenant {
    let body = json!({"name": name, "licensing": "none"});
    let (status, made) = world.call("POST", PATH, owner, Some(body)).await;
    assert_eq!(status, 201, "{made}");
    let id: OrganizationId = made["id"].as_str().unwrap().parse().unwrap();
    let login = |role: &str| -> &'static str { format!("{role}@{name}").to_lowercase().leak() };
    Tenant {
        id,
        path: format!("{PATH}/{id}"),
        admin: person(world, id, login("admin"), Role::OrgAdmin).await.1,
        user: person(world, id, login("user"), Role::OrgUser).await.1,
    }
}

async fn try_sign_in(world: &World, login: &str) -> reqwest::Response {
    let body = json!({"login": login, "password": "a long enough secret"});
    let request = world.http.post(world.url("/api/v1/session")).json(&body);
    request.send().await.unwrap()
}

async fn sign_in(world: &World, login: &str) -> u16 {
    try_sign_in(world, login).await.status().as_u16()
}

async fn cookie(world: &World, login: &str) -> String {
    let answer = try_sign_in(world, login).await;
    let header = answer.headers()["set-cookie"].to_str().unwrap();
    header.split(';').next().unwrap().to_owned()
}

/// A service key of an organization, made by who runs the platform.
async fn service_key(world: &World, owner: &str, tenant: &Tenant) -> String {
    let path = format!("/api/v1/service-keys?organization={}", tenant.id);
    let body = json!({"name": "robot", "scopes": ["cameras:manage"]});
    let (status, made) = world.call("POST", &path, owner, Some(body)).await;
    assert_eq!(status, 201, "{made}");
    made["secret"].as_str().unwrap().to_owned()
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn are_made_found_and_changed_by_who_runs_the_platform() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let body = json!({"name": " Acme_1 ", "quotas": {"cameras": 2, "storage_bytes": 1000}});
    let (status, made) = world.call("POST", PATH, &owner, Some(body)).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(
        (
            &made["name"],
            &made["state"],
            &made["licensing"],
            &made["erase_after"]
        ),
        (
            &json!("Acme_1"),
            &json!("active"),
            &json!("required"),
            &Value::Null
        )
    );
    assert_eq!(
        made["quotas"],
        json!({"cameras": 2, "users": null, "storage_bytes": 1000})
    );
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    assert_eq!(world.call("GET", &path, &owner, None).await, (200, made.clone()));

    let patch = json!({"name": "Acme%1", "quotas": {"users": 7}, "licensing": "none"});
    let (status, changed) = world.call("PATCH", &path, &owner, Some(patch)).await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(
        changed["quotas"],
        json!({"cameras": null, "users": 7, "storage_bytes": null})
    );
    assert_eq!(
        (&changed["licensing"], &changed["revision"]),
        (&json!("none"), &json!(2))
    );
    let (_, again) = world
        .call("PATCH", &path, &owner, Some(json!({"name": "Acme%1"})))
        .await;
    assert_eq!(again["revision"], 2, "nothing changed");

    let request = world
        .http
        .patch(world.url(&path))
        .bearer_auth(&owner)
        .header("if-match", "\"1\"");
    let stale = request.json(&json!({"name": "Late"})).send().await.unwrap();
    assert_eq!(stale.status(), 412);

    for name in ["Beta", "ACME two", "Gamma"] {
        world
            .call("POST", PATH, &owner, Some(json!({"name": name})))
            .await;
    }
    for (query, expected) in [
        ("", vec!["Home", "Acme%1", "Beta", "ACME two", "Gamma"]),
        ("?q=acme", vec!["Acme%1", "ACME two"]),
        ("?q=%25", vec!["Acme%1"]),
        ("?q=_", vec![]),
        ("?state=suspended", vec![]),
        ("?q=a&state=active&limit=2", vec!["Acme%1", "Beta"]),
    ] {
        let (status, list) = world.call("GET", &format!("{PATH}{query}"), &owner, None).await;
        assert_eq!((status, names(&list)), (200, expected), "{query}");
    }
    let mut seen: Vec<String> = Vec::new();
    let mut cursor = String::new();
    loop {
        let (_, page) = world
            .call("GET", &format!("{PATH}?limit=2{cursor}"), &owner, None)
            .await;
        seen.extend(names(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, ["Home", "Acme%1", "Beta", "ACME two", "Gamma"]);
}

#[tokio::test]
async fn a_repeated_creation_makes_one() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let mut made = Vec::new();
    for _ in 0..2 {
        let request = world.http.post(world.url(PATH)).bearer_auth(&owner);
        let request = request
            .header("idempotency-key", "k1")
            .json(&json!({"name": "Once"}));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 201);
        made.push(answer.json::<Value>().await.unwrap());
    }
    assert_eq!(made[0], made[1]);
    let (_, list) = world.call("GET", PATH, &owner, None).await;
    assert_eq!(names(&list), ["Home", "Once"]);
}

#[tokio::test]
async fn bad_values_name_their_field() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let acme = tenant(&world, &owner, "Acme").await;
    for (body, field) in [
        (json!({"name": ""}), json!("name")),
        (json!({"name": "a\u{0}b"}), json!("name")),
        (json!({"name": "x".repeat(101)}), json!("name")),
        (
            json!({"name": "x", "quotas": {"cameras": 1_000_001}}),
            json!("quotas"),
        ),
        (
            json!({"name": "x", "quotas": {"storage_bytes": 9_007_199_254_740_992_u64}}),
            json!("quotas"),
        ),
        (json!({"name": "x", "quotas": {"cameras": -1}}), Value::Null),
        (json!({"name": "x", "quotas": {"cats": 1}}), Value::Null),
        (json!({"name": "x", "licensing": "maybe"}), Value::Null),
        (json!({"name": "x", "state": "active"}), Value::Null),
    ] {
        for (method, path) in [("POST", PATH), ("PATCH", acme.path.as_str())] {
            let (status, problem) = world.call(method, path, &owner, Some(body.clone())).await;
            assert_eq!(status, 400, "{method} {body}");
            assert_eq!(problem.get("field").cloned().unwrap_or_default(), field, "{body}");
        }
    }
    for (query, field) in [
        ("?state=gone", "state"),
        ("?limit=0", "limit"),
        ("?cursor=x", "cursor"),
        (&format!("?q={}", "x".repeat(101)) as &str, "q"),
    ] {
        let (status, problem) = world.call("GET", &format!("{PATH}{query}"), &owner, None).await;
        assert_eq!((status, &problem["field"]), (400, &json!(field)), "{query}");
    }
    for query in ["grace_days=366", "grace_days=-1", "grace_days=x"] {
        let path = format!("{}?{query}", acme.path);
        let (status, problem) = world.call("DELETE", &path, &owner, None).await;
        assert_eq!(
            (status, &problem["field"]),
            (400, &json!("grace_days")),
            "{query}"
        );
    }
    for query in ["grace_days=0", "grace_days=0&confirm=acme", "confirm=Other"] {
        let path = format!("{}?{query}", acme.path);
        let (status, problem) = world.call("DELETE", &path, &owner, None).await;
        assert_eq!((status, &problem["field"]), (400, &json!("confirm")), "{query}");
    }
}

#[tokio::test]
async fn others_see_their_own_only() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let (acme, beta) = (
        tenant(&world, &owner, "Acme").await,
        tenant(&world, &owner, "Beta").await,
    );
    for (token, limits) in [(&acme.admin, true), (&acme.user, false)] {
        let (status, own) = world.call("GET", &acme.path, token, None).await;
        assert_eq!(
            (status, own["quotas"].is_object(), own["usage"].is_object()),
            (200, limits, limits)
        );
        let (_, list) = world.call("GET", PATH, token, None).await;
        assert_eq!(names(&list), ["Acme"]);
        let (_, list) = world.call("GET", &format!("{PATH}?q=beta"), token, None).await;
        assert_eq!(names(&list), Vec::<&str>::new());
        let foreign = [
            ("GET", beta.path.clone()),
            ("PATCH", beta.path.clone()),
            ("DELETE", beta.path.clone()),
            ("POST", format!("{}/suspend", beta.path)),
            ("POST", format!("{}/resume", beta.path)),
            ("POST", format!("{}/restore", beta.path)),
        ];
        for (method, path) in foreign {
            let (status, problem) = world.call(method, &path, token, Some(json!({}))).await;
            assert_eq!(
                (status, &problem["code"]),
                (404, &json!("organization_not_found")),
                "{method} {path}"
            );
        }
        let own = [
            ("POST", PATH.to_owned(), json!({"name": "x"})),
            ("DELETE", acme.path.clone(), json!({})),
            ("POST", format!("{}/suspend", acme.path), json!({})),
            ("POST", format!("{}/restore", acme.path), json!({})),
            ("PATCH", acme.path.clone(), json!({"licensing": "none"})),
            ("PATCH", acme.path.clone(), json!({"quotas": {}})),
        ];
        for (method, path, body) in own {
            let (status, problem) = world.call(method, &path, token, Some(body)).await;
            assert_eq!(
                (status, &problem["code"]),
                (403, &json!("forbidden")),
                "{method} {path}"
            );
        }
    }
    let rename = json!({"name": "Acme & Sons"});
    let (status, _) = world
        .call("PATCH", &acme.path, &acme.user, Some(rename.clone()))
        .await;
    assert_eq!(status, 403);
    let (status, renamed) = world.call("PATCH", &acme.path, &acme.admin, Some(rename)).await;
    assert_eq!((status, &renamed["name"]), (200, &json!("Acme & Sons")));
    let (_, same) = world.call("GET", &beta.path, &owner, None).await;
    assert_eq!(
        (&same["name"], &same["state"]),
        (&json!("Beta"), &json!("active"))
    );
}

#[tokio::test]
async fn a_suspended_one_is_watched_but_not_changed() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let acme = tenant(&world, &owner, "Acme").await;
    let door = camera(&world, &acme.admin, "door").await;
    let suspend = format!("{}/suspend", acme.path);
    for _ in 0..2 {
        let (status, shown) = world.call("POST", &suspend, &owner, None).await;
        assert_eq!(
            (status, &shown["state"], &shown["revision"]),
            (200, &json!("suspended"), &json!(2))
        );
    }
    let door = format!("/api/v1/cameras/{door}");
    assert_eq!(world.call("GET", &door, &acme.admin, None).await.0, 200);
    for (path, body) in [
        (door.as_str(), json!({"name": "gate"})),
        (acme.path.as_str(), json!({"name": "Other"})),
    ] {
        let (status, problem) = world.call("PATCH", path, &acme.admin, Some(body)).await;
        assert_eq!(
            (status, &problem["code"]),
            (403, &json!("organization_suspended"))
        );
    }
    let (_, list) = world
        .call("GET", &format!("{PATH}?state=suspended"), &owner, None)
        .await;
    assert_eq!(names(&list), ["Acme"]);
    let (status, shown) = world
        .call("POST", &format!("{}/resume", acme.path), &owner, None)
        .await;
    assert_eq!((status, &shown["state"]), (200, &json!("active")));
    let (status, _) = world
        .call("PATCH", &door, &acme.admin, Some(json!({"name": "gate"})))
        .await;
    assert_eq!(status, 200);
    let (status, problem) = world
        .call("POST", &format!("{}/restore", acme.path), &owner, None)
        .await;
    assert_eq!(
        (status, &problem["code"]),
        (409, &json!("organization_not_deleting"))
    );
}

#[tokio::test]
async fn a_deleted_one_is_closed_until_it_is_restored() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let acme = tenant(&world, &owner, "Acme").await;
    camera(&world, &acme.admin, "door").await;
    world
        .call("POST", &format!("{}/suspend", acme.path), &owner, None)
        .await;
    let key = service_key(&world, &owner, &acme).await;
    let cookie = cookie(&world, "admin@acme").await;
    assert_eq!(world.call("GET", "/api/v1/cameras", &key, None).await.0, 200);
    let (status, gone) = world.call("DELETE", &acme.path, &owner, None).await;
    let days = (gone["erase_after"].as_i64().unwrap() - gone["state_since"].as_i64().unwrap()) / 86_400_000;
    assert_eq!((status, &gone["state"], days), (200, &json!("deleting"), 30));
    for token in [&acme.admin, &acme.user] {
        assert_eq!(world.call("GET", "/api/v1/me", token, None).await.0, 401);
    }
    assert_eq!(world.call("GET", "/api/v1/cameras", &key, None).await.0, 401);
    assert_eq!(sign_in(&world, "admin@acme").await, 401);
    let refresh = world.http.post(world.url("/api/v1/session/refresh"));
    let refreshed = refresh.header("cookie", cookie).send().await.unwrap();
    assert_eq!(refreshed.status(), 401);
    for step in ["suspend", "resume"] {
        let (status, problem) = world
            .call("POST", &format!("{}/{step}", acme.path), &owner, None)
            .await;
        assert_eq!((status, &problem["code"]), (409, &json!("organization_deleting")));
    }
    let inside = format!("/api/v1/cameras?organization={}", acme.id);
    let (status, cameras) = world.call("GET", &inside, &owner, None).await;
    assert_eq!(
        (status, names(&cameras)),
        (200, vec!["door"]),
        "nothing is lost yet"
    );
    let (_, sooner) = world
        .call("DELETE", &format!("{}?grace_days=1", acme.path), &owner, None)
        .await;
    assert!(sooner["erase_after"].as_i64() < gone["erase_after"].as_i64());

    let (status, back) = world
        .call("POST", &format!("{}/restore", acme.path), &owner, None)
        .await;
    assert_eq!((status, &back["state"]), (200, &json!("suspended")), "as it was");
    assert_eq!(back["erase_after"], Value::Null);
    assert_eq!(sign_in(&world, "admin@acme").await, 200);
    assert_eq!(world.call("GET", "/api/v1/me", &acme.admin, None).await.0, 200);
    assert_eq!(world.call("GET", "/api/v1/cameras", &key, None).await.0, 200);
}

#[tokio::test]
async fn somebody_is_always_left_to_run_the_platform() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let home = organization_of(&world, &owner).await;
    let path = format!("{PATH}/{home}");
    let (status, problem) = world.call("DELETE", &path, &owner, None).await;
    assert_eq!((status, &problem["code"]), (409, &json!("last_super_admin")));
    let acme = tenant(&world, &owner, "Acme").await;
    let (_, second) = person(&world, acme.id, "second", Role::SuperAdmin).await;
    let (status, _) = world.call("DELETE", &path, &owner, None).await;
    assert_eq!(status, 200, "the second one is left");
    let (status, problem) = world.call("DELETE", &acme.path, &second, None).await;
    assert_eq!((status, &problem["code"]), (409, &json!("last_super_admin")));
    let (status, _) = world
        .call("POST", &format!("{path}/restore"), &second, None)
        .await;
    assert_eq!(status, 200);
    assert_eq!(world.call("GET", "/api/v1/me", &owner, None).await.0, 200);
}

#[tokio::test]
async fn usage_counts_what_quotas_limit() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let acme = tenant(&world, &owner, "Acme").await;
    let door = camera(&world, &acme.admin, "door").await;
    camera(&world, &acme.admin, "gate").await;
    let patch = json!({"quotas": {"storage_bytes": 10}});
    world.call("PATCH", &acme.path, &owner, Some(patch)).await;
    let usage = async || world.call("GET", &acme.path, &acme.admin, None).await.1["usage"].clone();
    assert_eq!(
        usage().await,
        json!({"cameras": 2, "users": 2, "stored_bytes": 0, "storage_full": false})
    );
    let (store, id) = (world.server.state.store.clone(), acme.id);
    let stored = move |c: &mut control_plane::store::Connection| {
        control_plane::store::organizations::add_stored(c, id, 10)
    };
    store.write(stored).await.unwrap();
    world
        .call("DELETE", &format!("/api/v1/cameras/{door}"), &acme.admin, None)
        .await;
    world
        .call("PATCH", &acme.path, &acme.admin, Some(json!({"name": "New"})))
        .await;
    assert_eq!(
        usage().await,
        json!({"cameras": 1, "users": 2, "stored_bytes": 10, "storage_full": true})
    );
}
