//! One's own account: password and sessions; old hashes.

use control_plane::state::now;
use control_plane::store::users::{self, UserRow};
use serde_json::{Value, json};
use wire::access::Role;
use wire::api::UserState;
use wire::{OrganizationId, UserId};

use crate::people::{organization, organization_of, person};
use crate::support::World;

const PASSWORD: &str = "a long enough secret";

/// Signs in once more; the access token and the cookie, when it works.
async fn sign_in(world: &World, login: &str, password: &str) -> Option<(String, String)> {
    let body = json!({"login": login, "password": password});
    let request = world
        .http
        .post(world.url("/api/v1/session"))
        .header("user-agent", "a browser");
    let answer = request.json(&body).send().await.unwrap();
    if answer.status() != 200 {
        return None;
    }
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let session: Value = answer.json().await.unwrap();
    Some((session["access_token"].as_str().unwrap().to_owned(), cookie))
}

async fn refreshes(world: &World, cookie: &str) -> bool {
    let request = world.http.post(world.url("/api/v1/session/refresh"));
    request.header("cookie", cookie).send().await.unwrap().status() == 200
}

async fn works(world: &World, token: &str) -> bool {
    world.call("GET", "/api/v1/me", token, None).await.0 == 200
}

async fn ann(world: &World) -> (OrganizationId, UserId, String) {
    let home = organization_of(world, &world.sign_in().await).await;
    let (id, token) = person(world, home, "ann", Role::OrgUser).await;
    (home, id, token)
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let world = World::without_bus().await;
    let (_, _, token) = ann(&world).await;
    let (other, cookie) = sign_in(&world, "ann", PASSWORD).await.unwrap();
    let change = async |current: &str, new: &str| {
        let body = json!({"current": current, "new": new});
        world
            .call("POST", "/api/v1/me/password", &token, Some(body))
            .await
    };
    for weak in ["short", &"x".repeat(1025)] {
        let (status, problem) = change(PASSWORD, weak).await;
        assert_eq!((status, &problem["field"]), (400, &json!("new")), "{weak}");
    }
    assert!(works(&world, &other).await);
    assert_eq!(change(PASSWORD, "another long secret").await.0, 204);
    assert!(works(&world, &token).await, "this one goes on");
    assert!(!works(&world, &other).await && !refreshes(&world, &cookie).await);
    assert!(sign_in(&world, "ann", PASSWORD).await.is_none());
    assert!(sign_in(&world, "ann", "another long secret").await.is_some());
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_and_together() {
    let world = World::without_bus().await;
    let (_, _, token) = ann(&world).await;
    let (second, cookie) = sign_in(&world, "ann", PASSWORD).await.unwrap();
    let (third, _) = sign_in(&world, "ann", PASSWORD).await.unwrap();
    let (_, page) = world.call("GET", "/api/v1/me/sessions", &second, None).await;
    let items = page["items"].as_array().unwrap();
    let current: Vec<bool> = items.iter().map(|item| item["current"] == true).collect();
    assert_eq!(current, [false, true, false]);
    assert_eq!(
        (&items[1]["agent"], &items[1]["address"]),
        (&json!("a browser"), &json!("127.0.0.1"))
    );

    let (_, first) = world
        .call("GET", "/api/v1/me/sessions?limit=2", &second, None)
        .await;
    let rest = format!(
        "/api/v1/me/sessions?limit=2&cursor={}",
        first["next"].as_str().unwrap()
    );
    let (_, last) = world.call("GET", &rest, &second, None).await;
    assert_eq!(last, json!({"items": [items[2]]}));

    let one = format!("/api/v1/me/sessions/{}", items[1]["id"].as_str().unwrap());
    let foreign = world.sign_in().await;
    for (path, by, expected) in [
        (one.as_str(), &foreign, 404),
        ("/api/v1/me/sessions/x", &token, 404),
        (&one, &token, 204),
        (&one, &token, 404),
    ] {
        assert_eq!(world.call("DELETE", path, by, None).await.0, expected, "{path}");
    }
    assert!(!works(&world, &second).await && !refreshes(&world, &cookie).await);
    assert_eq!(
        world.call("DELETE", "/api/v1/me/sessions", &token, None).await.0,
        204
    );
    assert!(works(&world, &token).await && !works(&world, &third).await);
    assert!(works(&world, &foreign).await, "others' sessions go on");
}

#[tokio::test]
async fn administrators_see_and_end_sessions_of_their_own_organization_only() {
    let world = World::without_bus().await;
    let (home, id, token) = ann(&world).await;
    let other = organization(&world, "Other").await;
    let (_, admin) = person(&world, home, "bob", Role::OrgAdmin).await;
    let (_, eve) = person(&world, other, "eve", Role::OrgAdmin).await;
    let path = format!("/api/v1/users/{id}/sessions");
    for (by, expected) in [(&token, 403), (&eve, 404)] {
        assert_eq!(world.call("GET", &path, by, None).await.0, expected);
        assert_eq!(world.call("DELETE", &path, by, None).await.0, expected);
    }
    let (status, page) = world.call("GET", &path, &admin, None).await;
    assert_eq!((status, page["items"].as_array().unwrap().len()), (200, 1));
    assert_eq!(world.call("DELETE", &path, &admin, None).await.0, 204);
    assert!(!works(&world, &token).await && works(&world, &admin).await);
}

#[tokio::test]
async fn a_hash_of_the_system_before_works_and_is_replaced() {
    let world = World::without_bus().await;
    let home = organization_of(&world, &world.sign_in().await).await;
    let hash = bcrypt::hash("pass", 4).unwrap().replace("$2b$", "$2y$");
    let user = UserRow {
        id: UserId::generate(),
        organization: home,
        organization_name: String::new(),
        login: "old".to_owned(),
        name: String::new(),
        role: Role::OrgUser,
        state: UserState::Active,
        password_hash: hash.clone(),
    };
    let (id, store) = (user.id, &world.server.state.store);
    store
        .write(move |c| users::insert(c, &user, now()))
        .await
        .unwrap();
    let kept = async || {
        let user = store.read(move |c| users::by_id(c, id)).await.unwrap();
        user.unwrap().password_hash
    };
    assert!(sign_in(&world, "old", "wrong").await.is_none());
    assert_eq!(kept().await, hash);
    assert!(sign_in(&world, "old", "pass").await.is_some());
    let better = kept().await;
    assert!(better.starts_with("$argon2id$"));
    assert!(sign_in(&world, "old", "pass").await.is_some());
    assert_eq!(kept().await, better);
}

#[tokio::test]
async fn who_has_not_answered_an_invitation_cannot_sign_in() {
    let world = World::without_bus().await;
    let home = organization_of(&world, &world.sign_in().await).await;
    let user = UserRow {
        id: UserId::generate(),
        organization: home,
        organization_name: String::new(),
        login: "new".to_owned(),
        name: String::new(),
        role: Role::OrgUser,
        state: UserState::Invited,
        password_hash: String::new(),
    };
    let store = &world.server.state.store;
    store
        .write(move |c| users::insert(c, &user, now()))
        .await
        .unwrap();
    let body = json!({"login": "new", "password": "x"});
    let request = world.http.post(world.url("/api/v1/session")).json(&body);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], "wrong_credentials");
}
