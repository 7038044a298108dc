//! Second factors, from the first secret to the lost telephone.

use control_plane::domain::totp::code_at;
use control_plane::state::now;
use control_plane::store::factors;
use serde_json::{Value, json};
use wire::access::Role;
use wire::{UnixMs, UserId};

use crate::people::{organization_of, person};
use crate::support::World;

const PASSWORD: &str = "a long enough secret";

struct Ann {
    id: UserId,
    token: String,
    secret: Vec<u8>,
    recovery: Vec<String>,
}

impl Ann {
    fn code(&self, at: UnixMs) -> String {
        code_at(&self.secret, at).unwrap()
    }
}

fn decoded(base32: &str) -> Vec<u8> {
    totp_rs::Secret::try_from_base32(base32)
        .unwrap()
        .as_bytes()
        .to_vec()
}

async fn sign_in(world: &World, code: Option<&str>) -> (u16, Value) {
    let mut body = json!({"login": "ann", "password": PASSWORD});
    if let Some(code) = code {
        body["code"] = json!(code);
    }
    let request = world.http.post(world.url("/api/v1/session")).json(&body);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn begun(world: &World) -> Ann {
    let home = organization_of(world, &world.sign_in().await).await;
    let (id, token) = person(world, home, "ann", Role::OrgUser).await;
    let body = json!({"password": PASSWORD});
    let (status, secret) = world.call("POST", "/api/v1/me/totp", &token, Some(body)).await;
    assert_eq!(status, 200, "{secret}");
    let text = secret["secret"].as_str().unwrap();
    let address = secret["address"].as_str().unwrap();
    assert!(
        address.starts_with("otpauth://totp/CloudCam:ann?") && address.contains(text),
        "{address}"
    );
    Ann {
        id,
        token,
        secret: decoded(text),
        recovery: Vec::new(),
    }
}

async fn confirmed(world: &World) -> Ann {
    let mut ann = begun(world).await;
    let body = json!({"code": ann.code(now())});
    let (status, made) = world
        .call("POST", "/api/v1/me/totp/confirm", &ann.token, Some(body))
        .await;
    assert_eq!(status, 200, "{made}");
    ann.recovery = serde_json::from_value(made["codes"].clone()).unwrap();
    assert_eq!(ann.recovery.len(), 10);
    ann
}

#[tokio::test]
async fn a_secret_is_in_force_once_confirmed_and_each_code_works_once() {
    let world = World::without_bus().await;
    let ann = begun(&world).await;
    assert_eq!(sign_in(&world, None).await.0, 200, "not in force yet");
    let confirm = "/api/v1/me/totp/confirm";
    let wrong = json!({"code": "12345x"});
    let (status, problem) = world.call("POST", confirm, &ann.token, Some(wrong)).await;
    assert_eq!((status, &problem["code"]), (403, &json!("wrong_code")));
    let code = ann.code(now());
    let right = json!({"code": code});
    assert_eq!(
        world
            .call("POST", confirm, &ann.token, Some(right.clone()))
            .await
            .0,
        200
    );
    let (status, problem) = world.call("POST", confirm, &ann.token, Some(right)).await;
    assert_eq!((status, &problem["code"]), (409, &json!("totp_in_force")));
    let (_, me) = world.call("GET", "/api/v1/me", &ann.token, None).await;
    assert_eq!(me["totp"], true);

    for (code, expected) in [
        (None, "totp_required"),
        (Some(" "), "totp_required"),
        (Some("no code"), "wrong_code"),
        (Some(code.as_str()), "wrong_code"),
    ] {
        let (status, problem) = sign_in(&world, code).await;
        assert_eq!((status, &problem["code"]), (401, &json!(expected)), "{code:?}");
    }
    let next = ann.code(now().plus(30_000));
    let (status, session) = sign_in(&world, Some(&next)).await;
    assert_eq!((status, &session["user"]["totp"]), (200, &json!(true)));
    assert_eq!(sign_in(&world, Some(&next)).await.1["code"], "wrong_code");
}

#[tokio::test]
async fn recovery_codes_work_once_and_new_ones_end_the_old() {
    let world = World::without_bus().await;
    let ann = confirmed(&world).await;
    let typed = ann.recovery[0].to_uppercase().replace('-', " ");
    assert_eq!(sign_in(&world, Some(&typed)).await.0, 200);
    assert_eq!(sign_in(&world, Some(&ann.recovery[0])).await.0, 401, "used");
    let renew = "/api/v1/me/totp/recovery-codes";
    let (status, problem) = world
        .call("POST", renew, &ann.token, Some(json!({"code": "000 000x"})))
        .await;
    assert_eq!((status, &problem["code"]), (403, &json!("wrong_code")));
    let body = json!({"code": ann.recovery[1]});
    let (status, made) = world.call("POST", renew, &ann.token, Some(body)).await;
    assert_eq!(status, 200, "{made}");
    let fresh: Vec<String> = serde_json::from_value(made["codes"].clone()).unwrap();
    assert!(fresh.len() == 10 && fresh.iter().all(|code| !ann.recovery.contains(code)));
    assert_eq!(sign_in(&world, Some(&ann.recovery[2])).await.0, 401, "replaced");
    assert_eq!(sign_in(&world, Some(&fresh[9])).await.0, 200);
}

#[tokio::test]
async fn removing_wants_password_and_code() {
    let world = World::without_bus().await;
    let ann = confirmed(&world).await;
    let remove = async |body: Value| {
        let (status, problem) = world
            .call("DELETE", "/api/v1/me/totp", &ann.token, Some(body))
            .await;
        (status, problem["code"].as_str().unwrap_or_default().to_owned())
    };
    for (body, expected) in [
        (
            json!({"password": "wrong", "code": ann.recovery[0]}),
            (403, "wrong_password"),
        ),
        (json!({"password": PASSWORD}), (400, "invalid_field")),
        (json!({"password": PASSWORD, "code": "1"}), (403, "wrong_code")),
        (json!({"password": PASSWORD, "code": ann.recovery[0]}), (204, "")),
        (
            json!({"password": PASSWORD, "code": ann.recovery[1]}),
            (409, "totp_not_in_force"),
        ),
    ] {
        assert_eq!(remove(body).await, (expected.0, expected.1.to_owned()));
    }
    assert_eq!(sign_in(&world, None).await.0, 200);
}

#[tokio::test]
async fn an_administrator_removes_a_lost_one() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let ann = confirmed(&world).await;
    let path = format!("/api/v1/users/{}/totp", ann.id);
    assert_eq!(world.call("DELETE", &path, &ann.token, None).await.0, 403);
    assert_eq!(world.call("DELETE", &path, &owner, None).await.0, 204);
    assert_eq!(sign_in(&world, None).await.0, 200);
    assert_eq!(
        world.call("DELETE", &path, &owner, None).await.0,
        204,
        "once more is no error"
    );
    let code = json!({"code": ann.recovery[0]});
    let renew = "/api/v1/me/totp/recovery-codes";
    let (status, problem) = world.call("POST", renew, &ann.token, Some(code)).await;
    assert_eq!((status, &problem["code"]), (409, &json!("totp_not_in_force")));
}

#[tokio::test]
async fn the_secret_is_not_in_the_database() {
    let world = World::without_bus().await;
    let ann = confirmed(&world).await;
    let store = &world.server.state.store;
    let row = store
        .read(move |c| factors::get(c, ann.id))
        .await
        .unwrap()
        .unwrap();
    assert!(
        !row.sealed
            .windows(ann.secret.len())
            .any(|part| part == ann.secret)
    );
    assert!(row.confirmed && row.step > 0);
}
