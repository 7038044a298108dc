//! What is asked for: a resource of its own for each cell, and a body that would be taken.

use std::sync::atomic::{AtomicU64, Ordering};

use control_plane::state::now;
use control_plane::store::recordings;
use nkeys::KeyPair;
use serde_json::{Value, json};
use wire::NodeId;
use wire::access::Role;

use super::actors::{Actor, Actors, Target};
use crate::node::{enrolment_token, join};
use crate::recordings::session;
use crate::support::World;
use crate::support::people::PASSWORD;

/// A body.
pub(super) enum Body {
    Json(Value),
    Csv(String),
}

const YEAR_MS: i64 = 365 * 24 * 3600 * 1000;
const NOBODY: &str = "0190f5fe-7c00-7a00-8000-0123456789ab";

/// A number that no other call got.
fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A request: its path and query, and its body.
pub(super) struct Asked {
    pub(super) path: String,
    pub(super) body: Option<Body>,
}

/// A request of `path` for something fresh that belongs to `target`, which would be taken from who may.
pub(super) async fn asked(
    world: &World,
    actors: &Actors,
    target: &Target,
    actor: Actor,
    (method, path): (&str, &str),
) -> Asked {
    let address = address(world, actors, target, actor, (method, path)).await;
    let cameras = match path.rsplit("{id}").next() {
        Some("/camera") if method == "put" => {
            Some(json!({"camera": camera(world, actors, target, actor).await}))
        }
        Some("/transfer") => {
            let (_, licence) = world
                .call("GET", address.trim_end_matches("/transfer"), &target.maker, None)
                .await;
            Some(json!({"from": licence["camera"], "to": camera(world, actors, target, actor).await}))
        }
        _ => None,
    };
    Asked {
        body: cameras.map(Body::Json).or_else(|| body(method, &address)),
        path: address,
    }
}

async fn address(
    world: &World,
    actors: &Actors,
    target: &Target,
    actor: Actor,
    (method, path): (&str, &str),
) -> String {
    let id = match path
        .split('/')
        .nth(if path.starts_with("/player-api") { 2 } else { 3 })
    {
        _ if !path.contains('{') => String::new(),
        Some("cameras") => camera(world, actors, target, actor).await,
        Some("recording-jobs") => job(world, actors, target, actor).await,
        Some("recordings") => recording(world, actors, target, actor).await,
        Some("overrides") => {
            let camera = camera(world, actors, target, actor).await;
            let path = format!("/api/v1/cameras/{camera}/overrides");
            made(world, target, &path, &json!({"kind": "pause"})).await
        }
        Some("licences") => {
            licence(
                world,
                actors,
                target,
                (method, path) != ("put", "/api/v1/licences/{id}/camera"),
            )
            .await
        }
        Some("groups") => made(world, target, "/api/v1/groups", &json!({"name": name("group")})).await,
        Some("users") if !path.ends_with("/invitation") => world
            .member(target.organization, &name("user"), Role::OrgUser)
            .await
            .to_string(),
        Some("users") => {
            let body = json!({"login": name("guest"), "name": "Guest", "role": "org_user"});
            made(world, target, "/api/v1/users", &body).await
        }
        Some("service-keys") => {
            let body = json!({"name": "machine", "scopes": ["nodes:read"]});
            made(world, target, "/api/v1/service-keys", &body).await
        }
        Some("enrolment-tokens") => {
            made(
                world,
                target,
                "/api/v1/enrolment-tokens",
                &json!({"name": "gate"}),
            )
            .await
        }
        Some("nodes") => node(world, target).await,
        Some("organizations") if matches!(actor, Actor::Owner | Actor::OwnerElsewhere) => {
            world.organization("Fresh").await.to_string()
        }
        Some("organizations") => target.organization.to_string(),
        Some("me") => {
            let own = actors.session(world, actor).await;
            own.map_or_else(|| NOBODY.to_owned(), |(id, _)| id)
        }
        other => panic!("nobody has said what {other:?} in {path} is"),
    };
    let path = path.replacen("{id}", &id, 1);
    match path.rsplit('/').next() {
        Some("completeness") => format!("{path}?from=2026-01-01&to=2026-02-01"),
        Some("days") => format!("{path}?from=2026-01-01&to=2026-02-01"),
        Some("coverage" | "playback") => format!("{path}?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z"),
        _ => path,
    }
}

/// A body that the route would take from who may send one.
fn body(method: &str, path: &str) -> Option<Body> {
    let path = path.split('?').next().unwrap_or(path);
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let json = |value| Some(Body::Json(value));
    match (method, parts.as_slice()) {
        ("get" | "delete", [.., "totp"]) => json(json!({"password": PASSWORD, "code": "000000"})),
        ("get" | "delete", _) => None,
        (_, [.., "import"]) => Some(Body::Csv(format!("name,url\nGate,{}\n", address_of_camera()))),
        (_, ["api", "v1", "session"]) => json(json!({"login": name("nobody"), "password": "wrong"})),
        (_, [.., "look"]) => json(json!({"token": name("unknown")})),
        (_, [.., "accept"]) => json(json!({"token": name("unknown"), "password": PASSWORD})),
        (_, [.., "me", "password"]) => json(json!({"current": "wrong", "new": "another password"})),
        (_, [.., "me", "totp"]) => json(json!({"password": "wrong"})),
        (_, [.., "totp", "confirm" | "recovery-codes"]) => json(json!({"code": "000000"})),
        (_, [.., "probe"]) if parts.len() == 3 => json(json!({"url": "rtsp://192.0.2.1/1"})),
        ("post", [.., "cameras"]) => json(json!({"name": "Door", "url": address_of_camera()})),
        ("post", [.., "erasures"]) => {
            let (from, to) = (now().plus(-7_200_000), now().plus(-3_600_000));
            json(json!({"from": from, "to": to, "reason": "asked for by a visitor"}))
        }
        ("post", [.., "recording-jobs"]) => json(new_job()),
        ("post", [.., "overrides"]) => json(json!({"kind": "pause"})),
        ("post", [.., "preview"]) => json(json!({"schedule": {"kind": "continuous"}, "time_zone": "UTC"})),
        ("post", [.., "licences"]) => json(new_licences()),
        ("post", [.., "renew"]) => json(json!({"valid_to": now().plus(2 * YEAR_MS)})),
        ("put", [.., "grants"]) => json(json!({"items": []})),
        ("post", [.., "groups"]) => json(json!({"name": name("group")})),
        ("post", [.., "users"]) => {
            json(json!({"login": name("invited"), "name": "Invited", "role": "org_user"}))
        }
        ("post", [.., "service-keys"]) => json(json!({"name": "machine", "scopes": ["nodes:read"]})),
        ("post", [.., "enrolment-tokens"]) => json(json!({"name": "gate"})),
        // Nobody has such a token, and nobody can sign.
        (_, [.., "enrol"]) => json(json!({
            "token": "cce_none", "public_key": KeyPair::new_user().public_key(), "name": "", "version": ""
        })),
        (_, [.., "nodes", _, "token"]) => json(json!({"challenge": "1.x", "signature": "x"})),
        ("post", [.., "organizations"]) => json(json!({"name": name("organization")})),
        ("patch", [.., "users", _]) => json(json!({"name": "Renamed"})),
        ("patch", _) => json(json!({"name": name("renamed")})),
        _ => None,
    }
}

fn name(noun: &str) -> String {
    format!("{noun}-{}", unique())
}

fn address_of_camera() -> String {
    format!("rtsp://camera-{}.example/1", unique())
}

fn new_job() -> Value {
    json!({"name": "Always", "schedule": {"kind": "continuous"}})
}

fn new_licences() -> Value {
    let plan = json!({
        "features": ["recording"], "retention_days": 30, "max_width": 1920, "max_height": 1080,
        "max_bitrate_bps": 4_000_000,
    });
    json!({"name": "Standard", "plan": plan, "valid_from": now(), "valid_to": now().plus(YEAR_MS)})
}

async fn made(world: &World, target: &Target, path: &str, body: &Value) -> String {
    let (status, answer) = world.call("POST", path, &target.maker, Some(body.clone())).await;
    assert_eq!(status, 201, "{path}: {answer}");
    let thing = ["user", "key", "enrolment"]
        .iter()
        .find_map(|noun| answer.get(noun))
        .unwrap_or(&answer);
    thing["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
        .to_owned()
}

async fn camera(world: &World, actors: &Actors, target: &Target, actor: Actor) -> String {
    let mut body = json!({"name": "Door", "url": address_of_camera()});
    if actor == Actor::Grouped {
        body["group"] = json!(actors.group);
    }
    let camera = made(world, target, "/api/v1/cameras", &body).await;
    if !actor.granted().is_empty() {
        let grant = json!({"camera": camera, "permissions": actor.granted()});
        actors.grant(world, actor, &target.maker, grant).await;
    }
    camera
}

/// A node that has joined the target's organization.
async fn node(world: &World, target: &Target) -> String {
    let token = enrolment_token(world, &target.maker).await;
    let (status, joined) = join(world, &token, &KeyPair::new_user().public_key()).await;
    assert_eq!(status, 200, "{joined}");
    joined["node"].as_str().unwrap().to_owned()
}

async fn job(world: &World, actors: &Actors, target: &Target, actor: Actor) -> String {
    let camera = camera(world, actors, target, actor).await;
    let path = format!("/api/v1/cameras/{camera}/recording-jobs");
    made(world, target, &path, &new_job()).await
}

async fn recording(world: &World, actors: &Actors, target: &Target, actor: Actor) -> String {
    let camera = camera(world, actors, target, actor).await.parse().unwrap();
    let row = session(target.organization, camera, NodeId::generate());
    let id = row.session.id.to_string();
    let store = &world.server.state.store;
    store.write(move |c| recordings::put(c, &row)).await.unwrap();
    id
}

async fn licence(world: &World, actors: &Actors, target: &Target, assigned: bool) -> String {
    let owner = actors.token(Actor::Owner).unwrap();
    let path = format!("/api/v1/licences?organization={}", target.organization);
    let (status, answer) = world.call("POST", &path, owner, Some(new_licences())).await;
    assert_eq!(status, 201, "{answer}");
    let licence = answer["items"][0]["id"].as_str().unwrap().to_owned();
    if assigned {
        let camera = camera(world, actors, target, Actor::User).await;
        let path = format!("/api/v1/licences/{licence}/camera");
        let body = json!({"camera": camera});
        let (status, answer) = world.call("PUT", &path, &target.maker, Some(body)).await;
        assert_eq!(status, 200, "{answer}");
    }
    licence
}
