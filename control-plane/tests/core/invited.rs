//! People who come through the public doors: invited, accepted, signed in.

use control_plane::state::now;
use control_plane::store::organizations;
use reqwest::Method;
use serde_json::{Value, json};
use wire::OrganizationId;

use crate::support::World;

/// What everybody's password is.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A second organization, with the token of its administrator, made through the public doors.
pub(crate) async fn other_organization(world: &World, owner: &str) -> (OrganizationId, String) {
    let id = OrganizationId::generate();
    world
        .server
        .state
        .store
        .write(move |c| organizations::insert(c, id, "Other", now()))
        .await
        .unwrap();
    let path = format!("/api/v1/users?organization={id}");
    let body = json!({"login": "boss@other", "role": "org_admin"});
    let (status, invited) = world.call("POST", &path, owner, Some(body)).await;
    assert_eq!(status, 201, "{invited}");
    accept(world, &secret(&invited["invitation"])).await;
    (id, sign_in(world, "boss@other").await.unwrap())
}

/// A person of the organization of `admin`: id and token.
pub(crate) async fn person(world: &World, admin: &str, login: &str, role: &str) -> (String, String) {
    let body = json!({"login": login, "role": role});
    let (status, invited) = world.call("POST", "/api/v1/users", admin, Some(body)).await;
    assert_eq!(status, 201, "{invited}");
    accept(world, &secret(&invited["invitation"])).await;
    let id = invited["user"]["id"].as_str().unwrap().to_owned();
    (id, sign_in(world, login).await.unwrap())
}

/// The token at the end of a link.
pub(crate) fn secret(link: &Value) -> String {
    let link = link["link"].as_str().unwrap();
    link.rsplit_once('/').unwrap().1.to_owned()
}

/// Uses a link up.
pub(crate) async fn accept(world: &World, token: &str) {
    let body = json!({"token": token, "password": PASSWORD});
    let (status, problem) = public(world, "/api/v1/invitations/accept", &body).await;
    assert_eq!(status, 204, "{problem}");
}

/// A request by nobody.
pub(crate) async fn public(world: &World, path: &str, body: &Value) -> (u16, Value) {
    let answer = world.http.post(world.url(path)).json(body).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or(Value::Null))
}

/// Signs in with everybody's password.
pub(crate) async fn sign_in(world: &World, login: &str) -> Option<String> {
    let body = json!({"login": login, "password": PASSWORD});
    let (status, session) = public(world, "/api/v1/session", &body).await;
    (status == 200).then(|| session["access_token"].as_str().unwrap().to_owned())
}

/// A request with one header more.
pub(crate) async fn with_header(
    world: &World,
    (method, path): (&str, &str),
    token: &str,
    (name, value): (&str, &str),
    body: &Value,
) -> (u16, Value) {
    let method: Method = method.parse().unwrap();
    let request = world.http.request(method, world.url(path)).bearer_auth(token);
    let answer = request.header(name, value).json(body).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or(Value::Null))
}

/// Runs one statement on the database.
pub(crate) async fn sql(world: &World, statement: &'static str) {
    use diesel::connection::SimpleConnection;
    world
        .server
        .state
        .store
        .write(move |c| Ok(c.batch_execute(statement)?))
        .await
        .unwrap();
}

/// Whether a text is in any file of the server.
pub(crate) fn files_hold(world: &World, text: &str) -> bool {
    let mut folders = vec![world.dir.path().to_owned()];
    let mut found = false;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(path).unwrap();
                found |= bytes.windows(text.len()).any(|window| window == text.as_bytes());
            }
        }
    }
    found
}
