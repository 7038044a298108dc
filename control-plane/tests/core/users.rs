//! Users: invitations, links, roles, the walls around them.

use control_plane::app::invitations;
use control_plane::state::now;
use control_plane::store::one_time;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::invited::{
    PASSWORD, accept, files_hold, other_organization, person, public, secret, sign_in, sql, with_header,
};
use crate::support::World;

const NOBODY: &str = "0190f5fe-7c00-7a00-8000-0123456789ab";

#[tokio::test]
async fn somebody_is_invited_looks_accepts_and_signs_in() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let body = json!({"login": " Ann@Example.ORG ", "name": " Ann ", "role": "org_user"});
    let (status, invited) = world.call("POST", "/api/v1/users", &owner, Some(body)).await;
    assert_eq!(status, 201, "{invited}");
    let user = &invited["user"];
    assert_eq!(
        (&user["login"], &user["name"], &user["role"], &user["state"]),
        (
            &json!("ann@example.org"),
            &json!("Ann"),
            &json!("org_user"),
            &json!("invited")
        )
    );
    let link = invited["invitation"]["link"].as_str().unwrap();
    assert!(link.starts_with(&format!("{}/#/invite/", world.base)), "{link}");
    let token = secret(&invited["invitation"]);
    assert_eq!(token.len(), 43);
    assert_eq!(
        sign_in(&world, "ann@example.org").await,
        None,
        "nobody signs in before"
    );

    let (status, shown) = public(&world, "/api/v1/invitations/look", &json!({"token": token})).await;
    assert_eq!(status, 200, "{shown}");
    assert_eq!(
        (&shown["login"], &shown["organization_name"], &shown["purpose"]),
        (&json!("ann@example.org"), &json!("Home"), &json!("invitation"))
    );
    for (password, code) in [
        ("short", "weak_password"),
        ("ann@example.org", "weak_password"),
        ("password123", "weak_password"),
    ] {
        let body = json!({"token": token, "password": password});
        let (status, problem) = public(&world, "/api/v1/invitations/accept", &body).await;
        assert_eq!((status, &problem["code"]), (400, &json!(code)), "{password}");
        assert_eq!(problem["field"], "password");
    }
    accept(&world, &token).await;
    let ann = sign_in(&world, "\u{ff21}NN@example.org")
        .await
        .expect("any spelling");
    assert_eq!(
        world.call("GET", "/api/v1/me", &ann, None).await.1["role"],
        "org_user"
    );

    for path in ["look", "accept"] {
        let body = match path {
            "look" => json!({"token": token}),
            _ => json!({"token": token, "password": PASSWORD}),
        };
        let (status, problem) = public(&world, &format!("/api/v1/invitations/{path}"), &body).await;
        assert_eq!(
            (status, &problem["code"]),
            (401, &json!("link_over")),
            "{path}: used"
        );
    }
    let path = format!("/api/v1/users/{}/invitation", user["id"].as_str().unwrap());
    let (status, problem) = world.call("POST", &path, &owner, None).await;
    assert_eq!((status, &problem["code"]), (409, &json!("not_invited")));
}

#[tokio::test]
async fn links_that_are_unknown_renewed_expired_or_of_disabled_users_work_not() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let body = json!({"login": "ann", "role": "org_user"});
    let (_, invited) = world.call("POST", "/api/v1/users", &owner, Some(body)).await;
    let id = invited["user"]["id"].as_str().unwrap();
    let first = secret(&invited["invitation"]);
    let path = format!("/api/v1/users/{id}/invitation");
    let (status, renewed) = world.call("POST", &path, &owner, None).await;
    assert_eq!(status, 200, "{renewed}");
    let second = secret(&renewed);
    let over = async |token: &str| {
        let (status, problem) = public(&world, "/api/v1/invitations/look", &json!({"token": token})).await;
        (status, problem["code"].clone()) == (401, json!("link_over"))
    };
    for token in [
        "",
        "x",
        "\0",
        &"A".repeat(43),
        &"ä".repeat(43),
        &first,
        &second.to_lowercase(),
    ] {
        assert!(over(token).await, "{token:?}");
    }
    assert!(!over(&second).await);

    let state = &world.server.state;
    let week = now().plus(7 * 24 * 60 * 60 * 1000 + 60_000);
    let look = wire::api::LookAtLink {
        token: second.clone(),
    };
    let address = [127, 0, 0, 1].into();
    assert!(invitations::look(state, &look, address, now()).await.is_ok());
    assert!(
        invitations::look(state, &look, address, week).await.is_err(),
        "expired"
    );

    let path = format!("/api/v1/users/{id}");
    let (status, ann) = world
        .call("PATCH", &path, &owner, Some(json!({"state": "disabled"})))
        .await;
    assert_eq!((status, &ann["state"]), (200, &json!("disabled")));
    assert!(over(&second).await, "disabled");
    let (status, ann) = world
        .call("PATCH", &path, &owner, Some(json!({"state": "active"})))
        .await;
    assert_eq!(
        (status, &ann["state"]),
        (200, &json!("invited")),
        "no password was chosen yet"
    );
    assert!(over(&second).await, "a dead link stays dead");
}

#[tokio::test]
async fn of_many_who_accept_one_invitation_one_wins() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let body = json!({"login": "ann", "role": "org_user"});
    let (_, invited) = world.call("POST", "/api/v1/users", &owner, Some(body)).await;
    let token = secret(&invited["invitation"]);
    let attempts = (0..6).map(|n| {
        let body = json!({"token": token, "password": format!("password of number {n}")});
        let world = &world;
        async move { (n, public(world, "/api/v1/invitations/accept", &body).await.0) }
    });
    let answers = futures::future::join_all(attempts).await;
    let winners: Vec<_> = answers.iter().filter(|(_, status)| *status == 204).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    assert!(
        answers.iter().all(|(_, status)| matches!(status, 204 | 401)),
        "{answers:?}"
    );
    let body = json!({"login": "ann", "password": format!("password of number {}", winners[0].0)});
    assert_eq!(public(&world, "/api/v1/session", &body).await.0, 200);
}

#[tokio::test]
async fn an_invitation_repeated_makes_nothing_and_shows_nothing() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let body = json!({"login": "ann", "role": "org_user"});
    let key = ("idempotency-key", "once");
    let post = ("POST", "/api/v1/users");
    let (status, invited) = with_header(&world, post, &owner, key, &body).await;
    assert_eq!(status, 201);
    let (status, problem) = with_header(&world, post, &owner, key, &body).await;
    assert_eq!((status, &problem["code"]), (409, &json!("already_created")));
    assert!(problem.get("invitation").is_none());
    let other = json!({"login": "bob", "role": "org_user"});
    let (status, problem) = with_header(&world, post, &owner, key, &other).await;
    assert_eq!(
        (status, &problem["code"]),
        (409, &json!("idempotency_key_reused"))
    );
    let (status, problem) = world.call("POST", "/api/v1/users", &owner, Some(body)).await;
    assert_eq!((status, &problem["code"]), (409, &json!("login_taken")));
    accept(&world, &secret(&invited["invitation"])).await;
}

#[tokio::test]
async fn a_reset_ends_sessions_and_its_link_sets_a_password() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let (id, ann) = person(&world, &owner, "ann", "org_user").await;
    let path = format!("/api/v1/users/{id}/password-reset");
    let (status, link) = world.call("POST", &path, &owner, None).await;
    assert_eq!(status, 200, "{link}");
    assert!(link["link"].as_str().unwrap().contains("#/reset/"));
    assert_eq!(
        world.call("GET", "/api/v1/me", &ann, None).await.0,
        401,
        "the session is over"
    );
    let token = secret(&link);
    let (_, shown) = public(&world, "/api/v1/invitations/look", &json!({"token": token})).await;
    assert_eq!(shown["purpose"], "password_reset");
    let body = json!({"token": token, "password": "another fine secret"});
    assert_eq!(public(&world, "/api/v1/invitations/accept", &body).await.0, 204);
    assert_eq!(sign_in(&world, "ann").await, None, "the old password");
    let body = json!({"login": "ann", "password": "another fine secret"});
    assert_eq!(public(&world, "/api/v1/session", &body).await.0, 200);

    let (_, me) = world.call("GET", "/api/v1/me", &owner, None).await;
    let own = format!("/api/v1/users/{}/password-reset", me["id"].as_str().unwrap());
    let (status, problem) = world.call("POST", &own, &owner, None).await;
    assert_eq!((status, &problem["code"]), (409, &json!("own_account")));
}

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

#[tokio::test]
async fn only_digests_of_links_are_kept() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let body = json!({"login": "ann", "role": "org_user"});
    let (_, invited) = world.call("POST", "/api/v1/users", &owner, Some(body)).await;
    let token = secret(&invited["invitation"]);
    assert!(!files_hold(&world, &token));
    let hash = Sha256::digest(&token).into();
    let store = &world.server.state.store;
    let found = store
        .read(move |c| one_time::find(c, &hash, now()))
        .await
        .unwrap();
    assert!(found.is_some(), "the digest is");
}
