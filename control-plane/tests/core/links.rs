//! One-time links: invitations and new passwords, from making to using up.

use control_plane::app::invitations;
use control_plane::state::now;
use control_plane::store::one_time;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::invited::{PASSWORD, accept, files_hold, person, public, secret, sign_in, with_header};
use crate::support::World;

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
