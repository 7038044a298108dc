//! Every route that changes something leaves an entry in the audit log that names the request. A new route is
//! tried too; what leaves none stands in a reviewed list.

use control_plane::domain::totp::code_at;
use control_plane::http::openapi;
use control_plane::state::now;
use control_plane::store::failures;
use nkeys::KeyPair;
use serde_json::{Value, json};
use wire::access::Role;

use super::actors::{Actor, Actors};
use super::resources::{self, Asked, Body};
use crate::invited::secret;
use crate::node::enrolment_token;
use crate::raw;
use crate::support::World;
use crate::support::people::PASSWORD;

/// What is asked with another method than GET and leaves no entry, and why that is right.
const UNAUDITED: [(&str, &str, &str); 8] = [
    ("post", "/api/v1/cameras/{id}/probe", "a look at a camera"),
    ("post", "/api/v1/probe", "a look at a camera"),
    ("post", "/api/v1/recording-jobs/preview", "computes only"),
    ("post", "/api/v1/invitations/look", "a look at a link"),
    (
        "post",
        "/api/v1/session/refresh",
        "goes on with a session that was begun",
    ),
    (
        "post",
        "/api/v1/me/totp",
        "begun; what counts is the confirmation",
    ),
    ("post", "/api/v1/nodes/{id}/challenge", "nothing is kept"),
    ("post", "/api/v1/nodes/{id}/token", "renews what the node has"),
];

/// A request that changes something.
struct Attempt {
    path: String,
    token: String,
    cookie: Option<String>,
    body: Option<Body>,
}

#[tokio::test]
async fn every_change_is_in_the_audit_log_under_its_request() {
    let world = World::without_bus().await;
    let actors = Actors::seed(&world).await;
    let routes = openapi::routes_listed();
    for (method, path, why) in UNAUDITED {
        let is_there = routes
            .iter()
            .any(|route| (route.method, route.path) == (method, path));
        assert!(is_there, "{method} {path} ({why}) is gone");
    }
    let mut missing = Vec::new();
    for route in routes {
        let is_left_out = UNAUDITED
            .iter()
            .any(|(method, path, _)| (route.method, route.path) == (*method, *path));
        if route.method == "get" || is_left_out {
            continue;
        }
        let (status, id) = send(
            &world,
            route.method,
            attempt(&world, &actors, route.method, route.path).await,
        )
        .await;
        assert!(
            (200..300).contains(&status),
            "{} {}: {status}",
            route.method,
            route.path
        );
        let store = &world.server.state.store;
        let dump = store.read(raw::dump).await.unwrap();
        if !dump["audit"].iter().any(|row| row.contains(&id)) {
            missing.push(format!("{} {}", route.method, route.path));
        }
    }
    assert!(missing.is_empty(), "no entry: {missing:#?}");
}

/// Status and id of a request.
async fn send(world: &World, method: &str, attempt: Attempt) -> (u16, String) {
    let method = method.to_uppercase().parse().unwrap();
    let mut request = world
        .http
        .request(method, world.url(&attempt.path))
        .bearer_auth(attempt.token);
    if let Some(cookie) = attempt.cookie {
        request = request.header("cookie", cookie);
    }
    request = match attempt.body {
        Some(Body::Json(body)) => request.json(&body),
        Some(Body::Csv(text)) => request.header("content-type", "text/csv").body(text),
        None => request,
    };
    let answer = request.send().await.unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    (answer.status().as_u16(), id)
}

async fn attempt(world: &World, actors: &Actors, method: &str, path: &str) -> Attempt {
    let owner = actors.token(Actor::Owner).unwrap();
    let own = |body: Value| Attempt {
        path: path.to_owned(),
        token: owner.clone(),
        cookie: None,
        body: Some(Body::Json(body)),
    };
    match (method, path) {
        (_, path) if path.starts_with("/api/v1/me") => on_oneself(world, actors, method, path).await,
        ("post", "/api/v1/session") => {
            let guest = Guest::new(world, actors).await;
            own(json!({"login": guest.login, "password": PASSWORD}))
        }
        ("delete", "/api/v1/session") => Attempt {
            cookie: Some(Guest::new(world, actors).await.sign_in(world).await.1),
            ..own(json!({}))
        },
        ("post", "/api/v1/enrol") => own(json!({
            "token": enrolment_token(world, owner).await, "public_key": KeyPair::new_user().public_key(),
            "name": "gate", "version": "1",
        })),
        ("post", "/api/v1/invitations/accept") => {
            let body = json!({"login": "accepts", "name": "Guest", "role": "org_user"});
            let (_, invited) = world.call("POST", "/api/v1/users", owner, Some(body)).await;
            own(json!({"token": secret(&invited["invitation"]), "password": PASSWORD}))
        }
        (_, path) if path.starts_with("/api/v1/users/{id}/") => {
            let guest = Guest::new(world, actors).await;
            let mut attempt = asked(world, actors, method, path).await;
            match path.rsplit('/').next() {
                Some("lock") => guest.fail(world).await,
                Some("totp") => drop(guest.second_factor(world).await),
                Some("sessions") => {}
                Some("grants") => {
                    let camera = made(
                        world,
                        owner,
                        "/api/v1/cameras",
                        json!({"name": "x", "url": "rtsp://10.0.0.9/g"}),
                    );
                    let grant = json!({"camera": camera.await, "permissions": ["view_live"]});
                    attempt.body = Some(Body::Json(json!({"items": [grant]})));
                }
                _ => return attempt,
            }
            attempt.path = path.replace("{id}", &guest.id);
            attempt
        }
        _ => {
            let attempt = asked(world, actors, method, path).await;
            // What has to be undone is done first.
            let (before, to) = match path.rsplit('/').next() {
                Some("resume") => ("POST", attempt.path.replace("/resume", "/suspend")),
                Some("restore") => ("DELETE", attempt.path.replace("/restore", "")),
                _ => return attempt,
            };
            let (status, answer) = world.call(before, &to, owner, None).await;
            assert_eq!(status, 200, "{to}: {answer}");
            attempt
        }
    }
}

async fn asked(world: &World, actors: &Actors, method: &str, path: &str) -> Attempt {
    let target = actors.target(Actor::Owner);
    let Asked { path, body } = resources::asked(world, actors, target, Actor::Owner, (method, path)).await;
    Attempt {
        path,
        token: actors.token(Actor::Owner).unwrap().clone(),
        cookie: None,
        body,
    }
}

async fn made(world: &World, token: &str, path: &str, body: Value) -> Value {
    let (status, made) = world.call("POST", path, token, Some(body)).await;
    assert_eq!(status, 201, "{made}");
    made["id"].clone()
}

async fn on_oneself(world: &World, actors: &Actors, method: &str, path: &str) -> Attempt {
    let guest = Guest::new(world, actors).await;
    let with = |path: &str, body: Value| Attempt {
        path: path.to_owned(),
        token: guest.token.clone(),
        cookie: None,
        body: Some(Body::Json(body)),
    };
    match (method, path) {
        ("post", "/api/v1/me/password") => {
            with(path, json!({"current": PASSWORD, "new": "another fine password"}))
        }
        ("delete", "/api/v1/me/sessions") => {
            guest.sign_in(world).await;
            with(path, json!({}))
        }
        ("delete", "/api/v1/me/sessions/{id}") => {
            guest.sign_in(world).await;
            let (_, sessions) = world.call("GET", "/api/v1/me/sessions", &guest.token, None).await;
            let other = sessions["items"]
                .as_array()
                .unwrap()
                .iter()
                .find(|one| one["current"] == false);
            with(
                &path.replace("{id}", other.unwrap()["id"].as_str().unwrap()),
                json!({}),
            )
        }
        ("post", "/api/v1/me/totp/confirm") => {
            let code = guest.begin(world).await.0;
            with(path, json!({"code": code}))
        }
        ("post", "/api/v1/me/totp/recovery-codes") => {
            let code = guest.second_factor(world).await;
            with(path, json!({"code": code}))
        }
        ("delete", "/api/v1/me/totp") => {
            let code = guest.second_factor(world).await;
            with(path, json!({"password": PASSWORD, "code": code}))
        }
        _ => panic!("nobody has said how {method} {path} changes something"),
    }
}

/// Somebody who is signed in.
struct Guest {
    id: String,
    login: String,
    token: String,
}

impl Guest {
    async fn new(world: &World, actors: &Actors) -> Self {
        let login = format!("guest-{}", wire::ObjectId::generate());
        let home = actors.target(Actor::Owner).organization;
        let (id, token) = world.person(home, &login, Role::OrgUser).await;
        Self {
            id: id.to_string(),
            login,
            token,
        }
    }

    /// Signs in once more; access token and cookie.
    async fn sign_in(&self, world: &World) -> (String, String) {
        let body = json!({"login": self.login, "password": PASSWORD});
        let request = world.http.post(world.url("/api/v1/session")).json(&body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let session: Value = answer.json().await.unwrap();
        (session["access_token"].as_str().unwrap().to_owned(), cookie)
    }

    async fn fail(&self, world: &World) {
        let login = self.login.clone();
        let store = &world.server.state.store;
        store
            .write(move |c| failures::add(c, &login, now()))
            .await
            .unwrap();
    }

    /// Begins with a second factor; the code of now, and the next one.
    async fn begin(&self, world: &World) -> (String, String) {
        let body = json!({"password": PASSWORD});
        let (_, begun) = world
            .call("POST", "/api/v1/me/totp", &self.token, Some(body))
            .await;
        let secret = totp_rs::Secret::try_from_base32(begun["secret"].as_str().unwrap()).unwrap();
        let code = |after_ms| code_at(secret.as_bytes(), now().plus(after_ms)).unwrap();
        (code(0), code(30_000))
    }

    /// Puts a second factor in force; a code that was not used.
    async fn second_factor(&self, world: &World) -> String {
        let (code, next) = self.begin(world).await;
        let path = "/api/v1/me/totp/confirm";
        let (status, answer) = world
            .call("POST", path, &self.token, Some(json!({"code": code})))
            .await;
        assert_eq!(status, 200, "{answer}");
        next
    }
}
