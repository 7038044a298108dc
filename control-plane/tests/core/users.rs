//! Users: roles, the walls around them, lists, quotas.

use serde_json::{Value, json};

use crate::invited::{accept, other_organization, person, secret, sign_in, sql, with_header};
use crate::support::World;

const NOBODY: &str = "0190f5fe-7c00-7a00-8000-0123456789ab";

#[tokio::test]
async fn roles_bound_what_may_be_done_to_whom() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let (_, me) = world.call("GET", "/api/v1/me", &owner, None).await;
    let owner_id = me["id"].as_str().unwrap().to_owned();
    let (admin_id, admin) = person(&world, &owner, "admin2", "org_admin").await;
    let (user_id, user) = person(&world, &admin, "user", "org_user").await;

    let invite = json!({"login": "x", "role": "super_admin"});
    let (status, problem) = world.call("POST", "/api/v1/users", &admin, Some(invite)).await;
    assert_eq!((status, &problem["code"]), (403, &json!("role_above_own")));
    for (method, path, body) in [
        (
            "PATCH",
            format!("/api/v1/users/{owner_id}"),
            Some(json!({"name": "x"})),
        ),
        (
            "PATCH",
            format!("/api/v1/users/{user_id}"),
            Some(json!({"role": "super_admin"})),
        ),
        ("POST", format!("/api/v1/users/{owner_id}/password-reset"), None),
        ("POST", format!("/api/v1/users/{owner_id}/invitation"), None),
        (
            "PUT",
            format!("/api/v1/users/{owner_id}/grants"),
            Some(json!({"items": []})),
        ),
    ] {
        let (status, problem) = world.call(method, &path, &admin, body).await;
        assert_eq!(
            (status, &problem["code"]),
            (403, &json!("role_above_own")),
            "{method} {path}"
        );
    }
    for (method, path, body) in [
        ("GET", "/api/v1/users".to_owned(), None),
        (
            "POST",
            "/api/v1/users".to_owned(),
            Some(json!({"login": "x", "role": "org_user"})),
        ),
        ("GET", format!("/api/v1/users/{user_id}"), None),
        (
            "PATCH",
            format!("/api/v1/users/{user_id}"),
            Some(json!({"role": "org_admin"})),
        ),
        ("POST", format!("/api/v1/users/{user_id}/invitation"), None),
        ("POST", format!("/api/v1/users/{user_id}/password-reset"), None),
        ("GET", format!("/api/v1/users/{user_id}/grants"), None),
        (
            "PUT",
            format!("/api/v1/users/{user_id}/grants"),
            Some(json!({"items": []})),
        ),
    ] {
        let (status, problem) = world.call(method, &path, &user, body).await;
        assert_eq!(
            (status, &problem["code"]),
            (403, &json!("forbidden")),
            "{method} {path}"
        );
    }
    let path = format!("/api/v1/users/{admin_id}");
    for patch in [json!({"role": "org_user"}), json!({"state": "disabled"})] {
        let (status, problem) = world.call("PATCH", &path, &admin, Some(patch)).await;
        assert_eq!((status, &problem["code"]), (409, &json!("own_account")));
    }
    let (status, own) = world
        .call("PATCH", &path, &admin, Some(json!({"name": "Me"})))
        .await;
    assert_eq!((status, &own["name"]), (200, &json!("Me")));
    let promoted = json!({"role": "org_admin"});
    let path = format!("/api/v1/users/{user_id}");
    assert_eq!(world.call("PATCH", &path, &admin, Some(promoted)).await.0, 200);
    assert_eq!(
        world.call("GET", "/api/v1/users", &user, None).await.0,
        200,
        "a new role is in force at once"
    );
}

#[tokio::test]
async fn the_last_who_run_something_stay() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let (other, boss) = other_organization(&world, &owner).await;
    let (_, me) = world.call("GET", "/api/v1/me", &boss, None).await;
    let boss_path = format!(
        "/api/v1/users/{}?organization={other}",
        me["id"].as_str().unwrap()
    );
    for patch in [json!({"state": "disabled"}), json!({"role": "org_user"})] {
        let (status, problem) = world.call("PATCH", &boss_path, &owner, Some(patch)).await;
        assert_eq!((status, &problem["code"]), (409, &json!("last_admin")));
    }
    let in_other = format!("/api/v1/users?organization={other}");
    let invite = json!({"login": "second", "role": "org_admin"});
    let (_, invited) = world.call("POST", &in_other, &owner, Some(invite)).await;
    let disable = Some(json!({"state": "disabled"}));
    let (status, _) = world.call("PATCH", &boss_path, &owner, disable.clone()).await;
    assert_eq!(status, 409, "an invited administrator runs nothing yet");
    accept(&world, &secret(&invited["invitation"])).await;
    assert_eq!(world.call("PATCH", &boss_path, &owner, disable).await.0, 200);
    assert_eq!(
        world.call("GET", "/api/v1/me", &boss, None).await.0,
        401,
        "sessions end at once"
    );
    assert_eq!(sign_in(&world, "boss@other").await, None);

    let super_admin = json!({"login": "third", "role": "super_admin"});
    let (status, problem) = world.call("POST", &in_other, &owner, Some(super_admin)).await;
    assert_eq!((status, &problem["code"]), (403, &json!("role_not_here")));
    // A machine that may do everything still cannot take the platform's last owner away.
    let all = world.call("GET", "/api/v1/me", &owner, None).await.1["rights"].clone();
    let (status, key) = world
        .call(
            "POST",
            "/api/v1/service-keys",
            &owner,
            Some(json!({"name": "all", "scopes": all})),
        )
        .await;
    assert_eq!(status, 201, "{key}");
    let key = key["secret"].as_str().unwrap();
    let (_, me) = world.call("GET", "/api/v1/me", &owner, None).await;
    let path = format!("/api/v1/users/{}", me["id"].as_str().unwrap());
    let demote = Some(json!({"role": "org_admin"}));
    let (status, problem) = world.call("PATCH", &path, key, demote).await;
    assert_eq!((status, &problem["code"]), (409, &json!("last_super_admin")));
}

#[tokio::test]
async fn another_organization_has_no_users_here() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let (_, theirs) = other_organization(&world, &owner).await;
    let (_, mine) = person(&world, &owner, "admin2", "org_admin").await;
    let (id, _) = person(&world, &mine, "user", "org_user").await;
    for (method, path, body) in [
        ("GET", format!("/api/v1/users/{id}"), None),
        ("PATCH", format!("/api/v1/users/{id}"), Some(json!({"name": "x"}))),
        ("POST", format!("/api/v1/users/{id}/invitation"), None),
        ("POST", format!("/api/v1/users/{id}/password-reset"), None),
        ("GET", format!("/api/v1/users/{id}/grants"), None),
        (
            "PUT",
            format!("/api/v1/users/{id}/grants"),
            Some(json!({"items": []})),
        ),
        ("GET", format!("/api/v1/users/{NOBODY}"), None),
        ("GET", "/api/v1/users/x".to_owned(), None),
    ] {
        let (status, problem) = world.call(method, &path, &theirs, body).await;
        assert_eq!(
            (status, &problem["code"]),
            (404, &json!("user_not_found")),
            "{method} {path}"
        );
    }
    let (_, list) = world.call("GET", "/api/v1/users", &theirs, None).await;
    let logins: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| &user["login"])
        .collect();
    assert_eq!(logins, ["boss@other"]);
    let (status, _) = world
        .call(
            "GET",
            &format!("/api/v1/users?organization={NOBODY}"),
            &theirs,
            None,
        )
        .await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    for (login, name, role) in [
        ("ann@x", "Ann Percent 100%", "org_user"),
        ("bob@x", "Bob", "org_user"),
        ("cy@x", "", "org_admin"),
    ] {
        let body = json!({"login": login, "name": name, "role": role});
        assert_eq!(
            world.call("POST", "/api/v1/users", &owner, Some(body)).await.0,
            201
        );
    }
    for (query, expected) in [
        ("", vec!["admin", "ann@x", "bob@x", "cy@x"]),
        ("?role=org_user", vec!["ann@x", "bob@x"]),
        ("?state=active", vec!["admin"]),
        ("?state=invited&role=org_admin", vec!["cy@x"]),
        ("?q=PERCENT", vec!["ann@x"]),
        ("?q=0%25", vec!["ann@x"]),
        ("?q=%25", vec!["ann@x"]),
        ("?q=_", vec![]),
        ("?q=%40X&role=org_user", vec!["ann@x", "bob@x"]),
        ("?q=", vec!["admin", "ann@x", "bob@x", "cy@x"]),
    ] {
        let (status, list) = world
            .call("GET", &format!("/api/v1/users{query}"), &owner, None)
            .await;
        assert_eq!(status, 200, "{query}: {list}");
        let logins: Vec<_> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| &user["login"])
            .collect();
        assert_eq!(logins, expected, "{query}");
    }
    for query in [
        "?role=king",
        "?state=x",
        "?q=%00",
        "?limit=0",
        &format!("?q={}", "x".repeat(101)),
    ] {
        let (status, _) = world
            .call("GET", &format!("/api/v1/users{query}"), &owner, None)
            .await;
        assert_eq!(status, 400, "{query}");
    }
    let (mut seen, mut path) = (Vec::new(), "/api/v1/users?limit=3".to_owned());
    loop {
        let (_, page) = world.call("GET", &path, &owner, None).await;
        seen.extend(page["items"].as_array().unwrap().clone());
        match page.get("next") {
            Some(next) => path = format!("/api/v1/users?limit=3&cursor={}", next.as_str().unwrap()),
            None => break,
        }
    }
    assert_eq!(seen.len(), 4);
}

#[tokio::test]
async fn bad_bodies_quotas_and_stale_edits_are_refused() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    for (body, field) in [
        (json!({"login": "", "role": "org_user"}), json!("login")),
        (json!({"login": "a b", "role": "org_user"}), json!("login")),
        (json!({"login": "a\0", "role": "org_user"}), json!("login")),
        (
            json!({"login": "x".repeat(255), "role": "org_user"}),
            json!("login"),
        ),
        (
            json!({"login": "a", "name": "\0", "role": "org_user"}),
            json!("name"),
        ),
        (json!({"login": "a", "role": "king"}), Value::Null),
        (json!({"login": "a"}), Value::Null),
        (
            json!({"login": "a", "role": "org_user", "password": "x"}),
            Value::Null,
        ),
    ] {
        let (status, problem) = world
            .call("POST", "/api/v1/users", &owner, Some(body.clone()))
            .await;
        assert_eq!(status, 400, "{body}");
        assert_eq!(problem.get("field").cloned().unwrap_or_default(), field, "{body}");
    }
    sql(&world, "UPDATE organization SET quota_users = 2").await;
    let body = |login: &str| Some(json!({"login": login, "role": "org_user"}));
    let (_, ann) = world.call("POST", "/api/v1/users", &owner, body("ann")).await;
    let (status, problem) = world.call("POST", "/api/v1/users", &owner, body("bob")).await;
    assert_eq!((status, &problem["code"]), (409, &json!("quota_exceeded")));

    let path = format!("/api/v1/users/{}", ann["user"]["id"].as_str().unwrap());
    let patch = json!({"name": "Ann"});
    let edit = ("PATCH", path.as_str());
    let (status, changed) = with_header(&world, edit, &owner, ("if-match", "\"1\""), &patch).await;
    assert_eq!((status, &changed["revision"]), (200, &json!(2)));
    let (status, problem) = with_header(&world, edit, &owner, ("if-match", "\"1\""), &patch).await;
    assert_eq!((status, &problem["code"]), (412, &json!("stale")));
    let (status, _) = world
        .call("PATCH", &path, &owner, Some(json!({"state": "invited"})))
        .await;
    assert_eq!(status, 400);
}
