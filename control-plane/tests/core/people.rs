//! Organizations and people for tests that need several.

use control_plane::app::password;
use control_plane::state::now;
use control_plane::store::organizations;
use control_plane::store::users::{self, UserRow};
use serde_json::{Value, json};
use wire::access::Role;
use wire::api::UserState;
use wire::{OrganizationId, UserId};

use crate::support::World;

/// Another organization.
pub(crate) async fn organization(world: &World, name: &'static str) -> OrganizationId {
    let id = OrganizationId::generate();
    let store = &world.server.state.store;
    store
        .write(move |c| organizations::insert(c, id, name, now()))
        .await
        .unwrap();
    id
}

/// The organization of whoever holds the token.
pub(crate) async fn organization_of(world: &World, token: &str) -> OrganizationId {
    let (_, me) = world.call("GET", "/api/v1/me", token, None).await;
    me["organization"].as_str().unwrap().parse().unwrap()
}

/// A person of an organization, signed in.
pub(crate) async fn person(
    world: &World,
    organization: OrganizationId,
    login: &'static str,
    role: Role,
) -> (UserId, String) {
    let user = UserRow {
        id: UserId::generate(),
        organization,
        organization_name: String::new(),
        login: login.to_owned(),
        name: String::new(),
        role,
        state: UserState::Active,
        password_hash: password::hash("a long enough secret").unwrap(),
    };
    let id = user.id;
    let store = &world.server.state.store;
    store
        .write(move |c| users::insert(c, &user, now()))
        .await
        .unwrap();
    let body = json!({"login": login, "password": "a long enough secret"});
    let request = world.http.post(world.url("/api/v1/session")).json(&body);
    let session: Value = request.send().await.unwrap().json().await.unwrap();
    (id, session["access_token"].as_str().unwrap().to_owned())
}

/// A camera of whoever holds the token; its id.
pub(crate) async fn camera(world: &World, token: &str, name: &str) -> String {
    let body = json!({"name": name, "url": format!("rtsp://10.0.0.5/{name}")});
    let (status, camera) = world.call("POST", "/api/v1/cameras", token, Some(body)).await;
    assert_eq!(status, 201, "{camera}");
    camera["id"].as_str().unwrap().to_owned()
}
