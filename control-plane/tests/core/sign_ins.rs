//! Who comes and goes stands in the audit log of their organization.

use control_plane::app::token;
use control_plane::state::now;
use control_plane::store::failures;
use reqwest::Response;
use serde_json::{Value, json};
use wire::access::Role;

use crate::people::{organization_of, person};
use crate::support::World;

const SESSION: &str = "/api/v1/session";

async fn sign_in(world: &World) -> Response {
    let body = json!({"login": "admin", "password": world.password()});
    world
        .http
        .post(world.url(SESSION))
        .json(&body)
        .send()
        .await
        .unwrap()
}

async fn with_cookie(world: &World, method: &str, path: &str, cookie: &str) -> Response {
    let request = world.http.request(method.parse().unwrap(), world.url(path));
    request.header("cookie", cookie).send().await.unwrap()
}

fn cookie(answer: &Response) -> String {
    let header = answer.headers()["set-cookie"].to_str().unwrap();
    header.split(';').next().unwrap().to_owned()
}

fn request_id(answer: &Response) -> Value {
    json!(answer.headers()["x-request-id"].to_str().unwrap())
}

#[tokio::test]
async fn signing_in_and_out_and_reuse_are_logged() {
    let world = World::without_bus().await;
    let first = sign_in(&world).await;
    let (stolen, began) = (cookie(&first), request_id(&first));
    let refreshed = with_cookie(&world, "POST", "/api/v1/session/refresh", &stolen).await;
    assert_eq!(refreshed.status(), 200);
    let reused = with_cookie(&world, "POST", "/api/v1/session/refresh", &stolen).await;
    assert_eq!(reused.status(), 401);
    let second = cookie(&sign_in(&world).await);
    let ended = with_cookie(&world, "DELETE", SESSION, &second).await;
    assert_eq!(ended.status(), 204);
    // What is over already is no news.
    with_cookie(&world, "DELETE", SESSION, &second).await;

    let token = world.sign_in().await;
    let home = organization_of(&world, &token).await;
    let (_, me) = world.call("GET", "/api/v1/me", &token, None).await;
    for (action, count, request, actor) in [
        ("user.sign_in", 3, &began, &me["id"]),
        ("user.refresh_reuse", 1, &request_id(&reused), &Value::Null),
        ("user.sign_out", 1, &request_id(&ended), &me["id"]),
    ] {
        let path = format!("/api/v1/audit?action={action}&organization={home}");
        let (_, log) = world.call("GET", &path, &token, None).await;
        let log = log["items"].as_array().unwrap();
        assert_eq!(log.len(), count, "{action}");
        let oldest = log.last().unwrap();
        assert_eq!(
            (
                &oldest["request_id"],
                &oldest["subject"],
                oldest.get("actor").unwrap_or(&Value::Null)
            ),
            (request, &me["id"], actor),
            "{action}"
        );
        assert_eq!(oldest["address"], "127.0.0.1", "{action}");
    }
}

#[tokio::test]
async fn a_lock_out_names_its_request() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let home = organization_of(&world, &token).await;
    person(&world, home, "ann", Role::OrgUser).await;
    // More by HTTP would meet the limit of attempts from one address first.
    let store = &world.server.state.store;
    for _ in 0..9 {
        store.write(|c| failures::add(c, "ann", now())).await.unwrap();
    }
    let body = json!({"login": "ann", "password": "wrong"});
    let request = world.http.post(world.url(SESSION)).json(&body);
    let last = request_id(&request.send().await.unwrap());
    let (_, log) = world
        .call("GET", "/api/v1/audit?action=user.lock", &token, None)
        .await;
    assert_eq!(log["items"][0]["request_id"], last, "{log}");
}

#[tokio::test]
async fn an_access_token_ends_after_a_quarter_of_an_hour() {
    let world = World::without_bus().await;
    let fresh = world.sign_in().await;
    let secrets = &world.server.state.secrets;
    let claims = token::verify(secrets, &fresh).unwrap();
    let status = async |age_s: i64| {
        let token = token::issue(secrets, claims, now().plus(-age_s * 1000)).unwrap();
        let (status, problem) = world.call("GET", "/api/v1/me", &token, None).await;
        (status, problem["code"].clone())
    };
    assert_eq!(status(0).await.0, 200);
    assert_eq!(status(14 * 60).await.0, 200);
    assert_eq!(status(15 * 60).await, (401, json!("unauthorized")));
    assert_eq!(status(24 * 60 * 60).await, (401, json!("unauthorized")));
    assert_eq!(
        world.call("GET", "/api/v1/me", &fresh, None).await.0,
        200,
        "the session goes on"
    );
}
