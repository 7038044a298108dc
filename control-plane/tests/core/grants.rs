//! Grants: what people without a role may do with single cameras and groups.

use serde_json::{Value, json};

use crate::invited::{other_organization, person, with_header};
use crate::support::World;

async fn camera(world: &World, token: &str, name: &str) -> String {
    let body = json!({"name": name, "url": format!("rtsp://10.0.0.5/{name}")});
    let (status, camera) = world.call("POST", "/api/v1/cameras", token, Some(body)).await;
    assert_eq!(status, 201, "{camera}");
    camera["id"].as_str().unwrap().to_owned()
}

async fn group(world: &World, token: &str, name: &str) -> String {
    let (status, group) = world
        .call("POST", "/api/v1/groups", token, Some(json!({"name": name})))
        .await;
    assert_eq!(status, 201, "{group}");
    group["id"].as_str().unwrap().to_owned()
}

fn grant(camera: &str, permissions: &Value) -> Value {
    json!({"items": [{"camera": camera, "permissions": permissions}]})
}

#[tokio::test]
async fn a_grant_is_in_force_at_the_next_request() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let (id, ann) = person(&world, &owner, "ann", "org_user").await;
    let (door, gate) = (
        camera(&world, &owner, "door").await,
        camera(&world, &owner, "gate").await,
    );
    let one = |camera: &str| format!("/api/v1/cameras/{camera}");
    assert_eq!(
        world.call("GET", &one(&door), &ann, None).await.0,
        404,
        "nothing was granted"
    );

    let path = format!("/api/v1/users/{id}/grants");
    let view = grant(&door, &json!(["view_live"]));
    assert_eq!(
        world.call("PUT", &path, &owner, Some(view.clone())).await,
        (200, view.clone())
    );
    assert_eq!(world.call("GET", &path, &owner, None).await, (200, view));
    let (status, seen) = world.call("GET", &one(&door), &ann, None).await;
    assert_eq!((status, &seen["name"]), (200, &json!("door")));
    assert_eq!(seen["permissions"], json!(["view_live"]));
    assert_eq!(world.call("GET", &one(&gate), &ann, None).await.0, 404);
    let (_, list) = world.call("GET", "/api/v1/cameras", &ann, None).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(list["items"][0]["permissions"], json!(["view_live"]));
    let rename = || Some(json!({"name": "x"}));
    assert_eq!(world.call("PATCH", &one(&door), &ann, rename()).await.0, 403);

    let manage = grant(&door, &json!(["manage"]));
    assert_eq!(world.call("PUT", &path, &owner, Some(manage)).await.0, 200);
    assert_eq!(world.call("PATCH", &one(&door), &ann, rename()).await.0, 200);
    assert_eq!(
        world.call("DELETE", &one(&door), &ann, None).await.0,
        403,
        "deleting is not granted"
    );
    assert_eq!(
        world
            .call("PUT", &path, &owner, Some(json!({"items": []})))
            .await
            .0,
        200
    );
    assert_eq!(world.call("GET", &one(&door), &ann, None).await.0, 404);
}

#[tokio::test]
async fn grants_are_one_list_with_the_revision_of_the_user() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let (id, _) = person(&world, &owner, "ann", "org_user").await;
    let (door, yard) = (
        camera(&world, &owner, "door").await,
        group(&world, &owner, "yard").await,
    );
    let path = format!("/api/v1/users/{id}/grants");
    let items = json!({"items": [
        {"camera": door, "permissions": ["view_live", "manage"]},
        {"group": yard, "permissions": ["view_footage"]},
    ]});
    let (_, user) = world
        .call("GET", &format!("/api/v1/users/{id}"), &owner, None)
        .await;
    let tag = format!("\"{}\"", user["revision"]);
    let put = ("PUT", path.as_str());
    let (status, kept) = with_header(&world, put, &owner, ("if-match", &tag), &items).await;
    assert_eq!((status, &kept), (200, &items));
    let (status, problem) = with_header(&world, put, &owner, ("if-match", &tag), &items).await;
    assert_eq!((status, &problem["code"]), (412, &json!("stale")));
    assert_eq!(world.call("GET", &path, &owner, None).await, (200, items));
    let (_, changed) = world
        .call("GET", &format!("/api/v1/users/{id}"), &owner, None)
        .await;
    assert_eq!(
        changed["revision"].as_i64().unwrap(),
        user["revision"].as_i64().unwrap() + 1
    );
}

#[tokio::test]
async fn only_what_the_organization_has_is_granted() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let (_, theirs) = other_organization(&world, &owner).await;
    let (id, _) = person(&world, &owner, "ann", "org_user").await;
    let door = camera(&world, &owner, "door").await;
    let (far_camera, far_group) = (
        camera(&world, &theirs, "far").await,
        group(&world, &theirs, "far").await,
    );
    let path = format!("/api/v1/users/{id}/grants");
    let before = grant(&door, &json!(["export"]));
    assert_eq!(
        world.call("PUT", &path, &owner, Some(before.clone())).await.0,
        200
    );
    let view = json!(["view_live"]);
    for (items, status, code) in [
        (
            json!([{"camera": far_camera, "permissions": view}]),
            404,
            "camera_not_found",
        ),
        (
            json!([{"group": far_group, "permissions": view}]),
            404,
            "group_not_found",
        ),
        (
            json!([{"camera": door, "permissions": view}, {"group": far_group, "permissions": view}]),
            404,
            "group_not_found",
        ),
        (json!([{"permissions": view}]), 400, "invalid_field"),
        (
            json!([{"camera": door, "group": far_group, "permissions": view}]),
            400,
            "invalid_field",
        ),
        (json!([{"camera": door, "permissions": []}]), 400, "invalid_field"),
        (
            json!([{"camera": door, "permissions": view}, {"camera": door, "permissions": view}]),
            400,
            "invalid_field",
        ),
        (json!([{"camera": "x", "permissions": view}]), 400, "invalid_body"),
        (
            json!([{"camera": door, "permissions": ["fly"]}]),
            400,
            "invalid_body",
        ),
    ] {
        let (answered, problem) = world
            .call("PUT", &path, &owner, Some(json!({"items": items})))
            .await;
        assert_eq!((answered, &problem["code"]), (status, &json!(code)), "{items}");
    }
    let many: Vec<Value> = (0..1001)
        .map(|_| json!({"camera": wire::CameraId::generate(), "permissions": view}))
        .collect();
    let (status, problem) = world
        .call("PUT", &path, &owner, Some(json!({"items": many})))
        .await;
    assert_eq!(
        (status, &problem["field"]),
        (400, &json!("items")),
        "long lists are read"
    );
    assert_eq!(
        world.call("GET", &path, &owner, None).await,
        (200, before),
        "nothing was changed"
    );
}

#[tokio::test]
async fn a_grant_on_a_group_is_one_on_its_cameras_and_adds_up() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let (id, ann) = person(&world, &owner, "ann", "org_user").await;
    let yard = group(&world, &owner, "yard").await;
    let body = json!({"name": "shed", "url": "rtsp://10.0.0.9/", "group": yard});
    let (_, shed) = world.call("POST", "/api/v1/cameras", &owner, Some(body)).await;
    assert_eq!(
        shed["permissions"],
        json!(["view_live", "view_footage", "export", "manage"]),
        "administrators may do everything"
    );
    let path = format!("/api/v1/users/{id}/grants");
    let items = json!({"items": [
        {"group": yard, "permissions": ["view_footage"]},
        {"camera": shed["id"], "permissions": ["manage"]},
    ]});
    assert_eq!(world.call("PUT", &path, &owner, Some(items)).await.0, 200);
    let camera = format!("/api/v1/cameras/{}", shed["id"].as_str().unwrap());
    let (_, seen) = world.call("GET", &camera, &ann, None).await;
    assert_eq!(seen["permissions"], json!(["view_footage", "manage"]));
    let (status, changed) = world
        .call("PATCH", &camera, &ann, Some(json!({"name": "hut"})))
        .await;
    assert_eq!((status, &changed["permissions"]), (200, &seen["permissions"]));
    let out = json!({"group": null});
    assert_eq!(world.call("PATCH", &camera, &owner, Some(out)).await.0, 200);
    let (_, seen) = world.call("GET", &camera, &ann, None).await;
    assert_eq!(seen["permissions"], json!(["manage"]), "out of the group");
    let (_, log) = world
        .call("GET", "/api/v1/audit?action=camera.change", &owner, None)
        .await;
    assert!(
        log["items"][0]["after"].get("permissions").is_none(),
        "facts, not views"
    );
}
