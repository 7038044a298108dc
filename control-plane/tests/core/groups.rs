//! Groups of cameras: names, who sees them, what deleting one takes along.

use serde_json::{Value, json};
use wire::{GrantId, GroupId, OrganizationId, UserId};

use crate::organizations::tenant;
use crate::people::camera;
use crate::raw;
use crate::support::World;

const PATH: &str = "/api/v1/groups";

async fn group(world: &World, token: &str, name: &str) -> (GroupId, String) {
    let (status, made) = world.call("POST", PATH, token, Some(json!({"name": name}))).await;
    assert_eq!((status, &made["cameras"]), (201, &json!(0)), "{made}");
    let id = made["id"].as_str().unwrap();
    (id.parse().unwrap(), format!("{PATH}/{id}"))
}

async fn put_in(world: &World, group: GroupId, camera: &str) {
    let camera: wire::CameraId = camera.parse().unwrap();
    let (store, sql) = (
        &world.server.state.store,
        move |c: &control_plane::store::Connection| {
            format!(
                "UPDATE camera SET camera_group = {} WHERE id = {}",
                raw::bytes(c, group.as_bytes()),
                raw::bytes(c, camera.as_bytes())
            )
        },
    );
    let sql = store.read(move |c| Ok(sql(c))).await.unwrap();
    raw::execute(store, sql).await.unwrap();
}

async fn grant(world: &World, organization: OrganizationId, user: UserId, group: GroupId) {
    let store = &world.server.state.store;
    let sql = store
        .read(move |c| {
            Ok(format!(
                "INSERT INTO access_grant (id, organization, \"user\", camera_group, permissions) \
                 VALUES ({}, {}, {}, {}, 1)",
                raw::bytes(c, GrantId::generate().as_bytes()),
                raw::bytes(c, organization.as_bytes()),
                raw::bytes(c, user.as_bytes()),
                raw::bytes(c, group.as_bytes()),
            ))
        })
        .await
        .unwrap();
    raw::execute(store, sql).await.unwrap();
}

async fn me(world: &World, token: &str) -> UserId {
    let (_, me) = world.call("GET", "/api/v1/me", token, None).await;
    me["id"].as_str().unwrap().parse().unwrap()
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn names_are_unique_in_an_organization() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let (acme, beta) = (
        tenant(&world, &owner, "Acme").await,
        tenant(&world, &owner, "Beta").await,
    );
    let (_, north) = group(&world, &acme.admin, "North").await;
    let (_, south) = group(&world, &acme.admin, "South").await;
    group(&world, &beta.admin, "North").await;
    let taken = (409, json!("name_taken"));
    let answers = [
        world
            .call("POST", PATH, &acme.admin, Some(json!({"name": " North "})))
            .await,
        world
            .call("PATCH", &south, &acme.admin, Some(json!({"name": "North"})))
            .await,
    ];
    for (status, problem) in answers {
        assert_eq!((status, problem["code"].clone()), taken);
    }
    for body in [
        json!({"name": ""}),
        json!({"name": "a\u{0}b"}),
        json!({"name": 1}),
        json!({"x": 1}),
    ] {
        for (method, path) in [("POST", PATH), ("PATCH", south.as_str())] {
            let (status, problem) = world.call(method, path, &acme.admin, Some(body.clone())).await;
            assert_eq!(status, 400, "{method} {body} {problem}");
        }
    }
    let (status, renamed) = world
        .call("PATCH", &north, &acme.admin, Some(json!({"name": "East"})))
        .await;
    assert_eq!((status, &renamed["revision"]), (200, &json!(2)));
    let stale = world
        .http
        .delete(world.url(&north))
        .bearer_auth(&acme.admin)
        .header("if-match", "\"1\"");
    assert_eq!(stale.send().await.unwrap().status(), 412);
    let (_, list) = world.call("GET", PATH, &acme.admin, None).await;
    assert_eq!(names(&list), ["East", "South"]);
    let (_, page) = world
        .call("GET", &format!("{PATH}?limit=1"), &acme.admin, None)
        .await;
    assert_eq!(names(&page), ["East"]);
    let next = format!("{PATH}?limit=1&cursor={}", page["next"].as_str().unwrap());
    let (_, page) = world.call("GET", &next, &acme.admin, None).await;
    assert_eq!((names(&page), page.get("next")), (vec!["South"], None));
}

#[tokio::test]
async fn a_repeated_creation_makes_one() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    for (name, status) in [("North", 201), ("North", 201), ("South", 409)] {
        let request = world.http.post(world.url(PATH)).bearer_auth(&token);
        let request = request
            .header("idempotency-key", "k")
            .json(&json!({"name": name}));
        assert_eq!(request.send().await.unwrap().status(), status, "{name}");
    }
    let (_, list) = world.call("GET", PATH, &token, None).await;
    assert_eq!(names(&list), ["North"]);
}

#[tokio::test]
async fn who_sees_and_changes_them() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let (acme, beta) = (
        tenant(&world, &owner, "Acme").await,
        tenant(&world, &owner, "Beta").await,
    );
    let (north, north_path) = group(&world, &acme.admin, "North").await;
    let (_, south_path) = group(&world, &acme.admin, "South").await;
    grant(&world, acme.id, me(&world, &acme.user).await, north).await;
    let (_, list) = world.call("GET", PATH, &acme.user, None).await;
    assert_eq!(names(&list), ["North"], "granted");
    assert_eq!(world.call("GET", &north_path, &acme.user, None).await.0, 200);
    let rename = || Some(json!({"name": "x"}));
    for (method, path, token, expected) in [
        ("POST", PATH, &acme.user, 403),
        ("PATCH", &north_path, &acme.user, 403),
        ("DELETE", &north_path, &acme.user, 403),
        ("GET", &south_path, &acme.user, 404),
        ("PATCH", &south_path, &acme.user, 404),
        ("DELETE", &south_path, &acme.user, 404),
        ("GET", &north_path, &beta.admin, 404),
        ("PATCH", &north_path, &beta.admin, 404),
        ("DELETE", &north_path, &beta.admin, 404),
        ("GET", &north_path, &owner, 404),
    ] {
        let (status, _) = world.call(method, path, token, rename()).await;
        assert_eq!(status, expected, "{method} {path}");
    }
    let (_, list) = world.call("GET", PATH, &beta.admin, None).await;
    assert_eq!(names(&list), Vec::<&str>::new());
    let inside = format!("{north_path}?organization={}", acme.id);
    let (status, renamed) = world.call("PATCH", &inside, &owner, rename()).await;
    assert_eq!(
        (status, &renamed["name"]),
        (200, &json!("x")),
        "who runs the platform"
    );
}

#[tokio::test]
async fn a_deleted_group_leaves_its_cameras_and_takes_its_grants() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let acme = tenant(&world, &owner, "Acme").await;
    let (north, path) = group(&world, &acme.admin, "North").await;
    let door = camera(&world, &acme.admin, "door").await;
    put_in(&world, north, &door).await;
    grant(&world, acme.id, me(&world, &acme.user).await, north).await;
    let (_, shown) = world.call("GET", &path, &acme.admin, None).await;
    assert_eq!(shown["cameras"], 1);
    let door = format!("/api/v1/cameras/{door}");
    let (status, before) = world.call("GET", &door, &acme.user, None).await;
    assert_eq!(status, 200, "through the group");
    assert_eq!(world.call("DELETE", &path, &acme.admin, None).await.0, 204);
    assert_eq!(world.call("GET", &path, &acme.admin, None).await.0, 404);
    assert_eq!(world.call("GET", &door, &acme.user, None).await.0, 404);
    let (status, after) = world.call("GET", &door, &acme.admin, None).await;
    assert_eq!(status, 200);
    assert_ne!(before["revision"], after["revision"], "the camera has changed");
    let subject = format!("/api/v1/audit?subject={north}");
    let (_, log) = world.call("GET", &subject, &acme.admin, None).await;
    let actions: Vec<&str> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["group.delete", "group.create"]);
}
