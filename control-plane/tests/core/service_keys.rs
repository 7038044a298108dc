//! Service keys: made, shown once, used, ended, revoked; never more than their maker.

use control_plane::state::now;
use control_plane::store::access;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::invited::{files_hold, other_organization, person, sql, with_header};
use crate::support::World;

const KEYS: &str = "/api/v1/service-keys";

async fn key(world: &World, token: &str, scopes: &Value) -> (String, String) {
    let body = json!({"name": "robot", "scopes": scopes});
    let (status, made) = world.call("POST", KEYS, token, Some(body)).await;
    assert_eq!(status, 201, "{made}");
    (
        made["key"]["id"].as_str().unwrap().to_owned(),
        made["secret"].as_str().unwrap().to_owned(),
    )
}

#[tokio::test]
async fn a_key_is_made_used_changed_and_revoked() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let body = json!({"name": " Robot ", "scopes": ["audit:read", "cameras:view_live"]});
    let (status, made) = world.call("POST", KEYS, &owner, Some(body)).await;
    assert_eq!(status, 201, "{made}");
    let (key, secret) = (&made["key"], made["secret"].as_str().unwrap());
    assert!(secret.starts_with("cck_") && secret.len() == 47);
    assert_eq!(key["hint"].as_str().unwrap(), &secret[43..]);
    assert_eq!(
        (&key["name"], &key["scopes"], &key["last_used"]),
        (
            &json!("Robot"),
            &json!(["cameras:view_live", "audit:read"]),
            &Value::Null
        )
    );
    assert_eq!(world.call("GET", "/api/v1/cameras", secret, None).await.0, 200);
    let path = format!("{KEYS}/{}", key["id"].as_str().unwrap());
    let (status, used) = world.call("GET", &path, &owner, None).await;
    assert_eq!(status, 200);
    assert!(used["last_used"].is_i64(), "{used}");
    assert!(!used.to_string().contains(secret));
    let (_, list) = world.call("GET", KEYS, &owner, None).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert!(!list.to_string().contains(secret));

    let edit = ("PATCH", path.as_str());
    let patch = json!({"name": "R2", "expires": 4_000_000_000_000_i64});
    let (status, changed) = with_header(&world, edit, &owner, ("if-match", "\"1\""), &patch).await;
    assert_eq!(
        (status, &changed["name"], &changed["revision"]),
        (200, &json!("R2"), &json!(2))
    );
    let (status, _) = with_header(&world, edit, &owner, ("if-match", "\"1\""), &patch).await;
    assert_eq!(status, 412);
    let (_, changed) = world
        .call("PATCH", &path, &owner, Some(json!({"expires": null})))
        .await;
    assert_eq!(
        (&changed["expires"], &changed["name"]),
        (&Value::Null, &json!("R2"))
    );
    assert_eq!(world.call("DELETE", &path, &owner, None).await.0, 204);
    assert_eq!(world.call("GET", "/api/v1/cameras", secret, None).await.0, 401);
    for method in ["GET", "PATCH", "DELETE"] {
        let body = (method == "PATCH").then(|| json!({}));
        let (status, problem) = world.call(method, &path, &owner, body).await;
        assert_eq!(
            (status, &problem["code"]),
            (404, &json!("key_not_found")),
            "{method}"
        );
    }
}

#[tokio::test]
async fn a_key_has_no_right_that_its_maker_lacks() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let (_, admin) = person(&world, &owner, "admin2", "org_admin").await;
    let (_, user) = person(&world, &owner, "user", "org_user").await;
    let (other, _) = other_organization(&world, &owner).await;
    let abroad = format!("{KEYS}?organization={other}");
    let (_, small) = key(&world, &admin, &json!(["keys:manage", "audit:read"])).await;
    for (path, token, scopes, expected) in [
        (KEYS, &admin, json!(["organizations:manage"]), "scope_not_own"),
        (
            KEYS,
            &admin,
            json!(["audit:read", "licences:issue"]),
            "scope_not_own",
        ),
        (KEYS, &user, json!(["cameras:view_live"]), "forbidden"),
        (KEYS, &small, json!(["users:manage"]), "scope_not_own"),
        // Who runs the platform neither watches elsewhere nor leaves the platform's rights there.
        (
            abroad.as_str(),
            &owner,
            json!(["cameras:view_live"]),
            "scope_not_own",
        ),
        (
            abroad.as_str(),
            &owner,
            json!(["organizations:manage"]),
            "scope_not_own",
        ),
    ] {
        let body = json!({"name": "x", "scopes": scopes});
        let (status, problem) = world.call("POST", path, token, Some(body)).await;
        assert_eq!(
            (status, &problem["code"]),
            (403, &json!(expected)),
            "{path} {scopes}"
        );
    }
    key(&world, &small, &json!(["audit:read"])).await;

    let (_, narrow) = key(&world, &admin, &json!(["audit:read"])).await;
    let invite = json!({"login": "x", "role": "org_user"});
    for (path, body) in [
        ("/api/v1/users", invite.clone()),
        (KEYS, json!({"name": "x", "scopes": ["audit:read"]})),
    ] {
        assert_eq!(
            world.call("POST", path, &narrow, Some(body)).await.0,
            403,
            "{path}"
        );
    }
    let (_, people) = key(&world, &admin, &json!(["users:manage"])).await;
    let (status, problem) = world
        .call(
            "POST",
            "/api/v1/users",
            &people,
            Some(json!({"login": "y", "role": "org_admin"})),
        )
        .await;
    assert_eq!((status, &problem["code"]), (403, &json!("role_above_own")));
    assert_eq!(
        world.call("POST", "/api/v1/users", &people, Some(invite)).await.0,
        201
    );

    // Nor does somebody with fewer rights keep a stronger key alive.
    let (strong, _) = key(&world, &owner, &json!(["organizations:manage"])).await;
    let path = format!("{KEYS}/{strong}");
    let (status, problem) = world
        .call("PATCH", &path, &admin, Some(json!({"expires": null})))
        .await;
    assert_eq!((status, &problem["code"]), (403, &json!("scope_not_own")));
    assert_eq!(
        world.call("DELETE", &path, &admin, None).await.0,
        204,
        "but ends it"
    );
}

#[tokio::test]
async fn keys_end_with_their_time_and_their_organization() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let (_, secret) = key(&world, &owner, &json!(["cameras:manage"])).await;
    let camera = || Some(json!({"name": "x", "url": "rtsp://10.0.0.5/"}));
    assert_eq!(
        world.call("POST", "/api/v1/cameras", &secret, camera()).await.0,
        201
    );
    sql(&world, "UPDATE organization SET state = 1").await;
    let (status, problem) = world.call("POST", "/api/v1/cameras", &secret, camera()).await;
    assert_eq!(
        (status, &problem["code"]),
        (403, &json!("organization_suspended"))
    );
    assert_eq!(world.call("GET", "/api/v1/cameras", &secret, None).await.0, 200);
    sql(&world, "UPDATE organization SET state = 2").await;
    assert_eq!(world.call("GET", "/api/v1/cameras", &secret, None).await.0, 401);
    sql(
        &world,
        "UPDATE organization SET state = 0; UPDATE service_key SET expires = 1",
    )
    .await;
    assert_eq!(world.call("GET", "/api/v1/cameras", &secret, None).await.0, 401);
}

#[tokio::test]
async fn another_organizations_keys_are_not_there() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let (_, theirs) = other_organization(&world, &owner).await;
    let (id, secret) = key(&world, &owner, &json!(["cameras:view_live"])).await;
    for method in ["GET", "PATCH", "DELETE"] {
        let body = (method == "PATCH").then(|| json!({"name": "stolen"}));
        let (status, problem) = world.call(method, &format!("{KEYS}/{id}"), &theirs, body).await;
        assert_eq!(
            (status, &problem["code"]),
            (404, &json!("key_not_found")),
            "{method}"
        );
    }
    assert_eq!(
        world.call("GET", KEYS, &theirs, None).await,
        (200, json!({"items": []}))
    );
    assert_eq!(world.call("GET", "/api/v1/cameras", &secret, None).await.0, 200);
}

#[tokio::test]
async fn bad_bodies_and_repeats_are_refused_and_secrets_not_kept() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    for (body, field) in [
        (json!({"name": "", "scopes": ["audit:read"]}), json!("name")),
        (json!({"name": "a\0", "scopes": ["audit:read"]}), json!("name")),
        (json!({"name": "x", "scopes": []}), json!("scopes")),
        (
            json!({"name": "x", "scopes": ["audit:read"], "expires": 5}),
            json!("expires"),
        ),
        (json!({"name": "x", "scopes": ["everything"]}), Value::Null),
        (json!({"name": "x"}), Value::Null),
    ] {
        let (status, problem) = world.call("POST", KEYS, &owner, Some(body.clone())).await;
        assert_eq!(status, 400, "{body}");
        assert_eq!(problem.get("field").cloned().unwrap_or_default(), field, "{body}");
    }
    let body = json!({"name": "x", "scopes": ["audit:read"]});
    let once = ("idempotency-key", "k");
    let (status, made) = with_header(&world, ("POST", KEYS), &owner, once, &body).await;
    assert_eq!(status, 201);
    let (status, problem) = with_header(&world, ("POST", KEYS), &owner, once, &body).await;
    assert_eq!((status, &problem["code"]), (409, &json!("already_created")));
    let secret = made["secret"].as_str().unwrap();
    assert!(!files_hold(&world, secret));
    let hash = Sha256::digest(secret).into();
    let store = &world.server.state.store;
    let found = store
        .read(move |c| access::machine(c, &hash, now()))
        .await
        .unwrap();
    assert!(found.is_some(), "the digest is kept");
}
