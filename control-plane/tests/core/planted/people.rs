//! What people hold: passwords, links, keys, sessions, second factors; and what they get wrong.

use control_plane::domain::totp::code_at;
use control_plane::state::now;
use serde_json::json;

use super::program::{Program, cookie, text};

const CHOSEN: &str = "planted-chosen password";
const LOGIN: &str = "visitor@example.org";

/// A visitor is invited and accepts, an administrator resets, a machine comes; what they hold.
pub(super) async fn people_and_machines(program: &mut Program, token: &str) -> Vec<String> {
    let invite = json!({"login": LOGIN, "name": "Visitor", "role": "org_user"});
    let invited = program.shown_once("/api/v1/users", token, invite).await;
    let link = text(&invited["invitation"]["link"]);
    let one_time = link.rsplit('/').next().unwrap().to_owned();
    let (look, accept) = ("/api/v1/invitations/look", "/api/v1/invitations/accept");
    let body = json!({"token": one_time});
    program.ask(("POST", look), "", Some(body), 200).await;
    let weak = json!({"token": one_time, "password": "planted"});
    program.ask(("POST", accept), "", Some(weak), 400).await;
    let body = json!({"token": one_time, "password": CHOSEN});
    program.ask(("POST", accept), "", Some(body.clone()), 204).await;
    program.ask(("POST", accept), "", Some(body), 401).await;
    let id = text(&invited["user"]["id"]);
    let export = format!("/api/v1/users/{id}/export");
    program.ask(("GET", &export), token, None, 200).await;
    let reset = program
        .shown_once(&format!("/api/v1/users/{id}/password-reset"), token, json!({}))
        .await;
    let reset = text(&reset["link"]).rsplit('/').next().unwrap().to_owned();
    let key = json!({"name": "machine", "scopes": ["nodes:read"]});
    let key = program.shown_once("/api/v1/service-keys", token, key).await;
    let secret = text(&key["secret"]);
    program.ask(("GET", "/api/v1/nodes"), &secret, None, 200).await;
    program.ask(("GET", "/api/v1/me"), &secret, None, 403).await;
    let mut held = vec![one_time, reset, secret];
    held.extend(refreshed(program).await);
    held
}

/// A session that is refreshed, and whose first token is used again.
async fn refreshed(program: &mut Program) -> Vec<String> {
    let (session, first) = program.sign_in(LOGIN, CHOSEN, None).await;
    let refresh = |program: &Program, cookie: &str| {
        let request = program.request("POST", "/api/v1/session/refresh", "", None);
        request.header("cookie", format!("cc_refresh={cookie}"))
    };
    let answer = refresh(program, &first).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let second = cookie(&answer);
    let next: serde_json::Value = answer.json().await.unwrap();
    let tokens = [&session, &next].map(|session| text(&session["access_token"]));
    program.ask(("GET", "/api/v1/me"), &tokens[1], None, 200).await;
    let again = refresh(program, &first);
    program.kept(again, 401).await;
    program.ask(("GET", "/api/v1/me"), &tokens[1], None, 401).await;
    let [one, two] = tokens;
    vec![first, second, one, two]
}

/// The visitor's second factor, from the first secret to its end; secret, codes and tokens.
pub(super) async fn second_factor(program: &mut Program) -> Vec<String> {
    let (session, cookie) = program.sign_in(LOGIN, CHOSEN, None).await;
    let token = text(&session["access_token"]);
    let factor = program
        .shown_once("/api/v1/me/totp", &token, json!({"password": CHOSEN}))
        .await;
    let secret = text(&factor["secret"]);
    let decoded = totp_rs::Secret::try_from_base32(&secret)
        .unwrap()
        .as_bytes()
        .to_vec();
    let (code, next) = (
        code_at(&decoded, now()).unwrap(),
        code_at(&decoded, now().plus(30_000)).unwrap(),
    );
    let confirm = "/api/v1/me/totp/confirm";
    let guess = json!({"code": "planted-1"});
    program.ask(("POST", confirm), &token, Some(guess), 403).await;
    let made = program.shown_once(confirm, &token, json!({"code": code})).await;
    let recovery: Vec<String> = serde_json::from_value(made["codes"].clone()).unwrap();
    let wrong = json!({"login": LOGIN, "password": CHOSEN, "code": "planted-2"});
    program
        .ask(("POST", "/api/v1/session"), "", Some(wrong), 401)
        .await;
    let used = json!({"login": LOGIN, "password": CHOSEN, "code": code});
    program
        .ask(("POST", "/api/v1/session"), "", Some(used), 401)
        .await;
    let (one, one_cookie) = program.sign_in(LOGIN, CHOSEN, Some(&next)).await;
    let (two, two_cookie) = program.sign_in(LOGIN, CHOSEN, Some(&recovery[0])).await;
    let renewed = program
        .shown_once(
            "/api/v1/me/totp/recovery-codes",
            &token,
            json!({"code": recovery[1]}),
        )
        .await;
    let renewed: Vec<String> = serde_json::from_value(renewed["codes"].clone()).unwrap();
    let totp = ("DELETE", "/api/v1/me/totp");
    let wrong = json!({"password": CHOSEN, "code": recovery[2]});
    program.ask(totp, &token, Some(wrong), 403).await;
    let right = json!({"password": CHOSEN, "code": renewed[0]});
    program.ask(totp, &token, Some(right), 204).await;
    let mut held = vec![token, cookie, one_cookie, two_cookie, secret, code, next];
    held.extend([one, two].iter().map(|session| text(&session["access_token"])));
    held.extend(recovery);
    held.extend(renewed);
    held
}

/// What people get wrong: passwords in the wrong field, tokens that are none.
pub(super) async fn mistakes(program: &mut Program, token: &str) {
    let session = ("POST", "/api/v1/session");
    for (body, expected) in [
        (json!({"login": "admin", "password": "planted-guess"}), 401),
        (
            json!({"login": "nobody", "password": "planted-guess", "code": "planted-guess"}),
            401,
        ),
        (json!({"login": "nobody", "pasword": "planted-guess"}), 400),
        (json!({"login": "nobody", "password": ["planted-guess"]}), 400),
        (json!("planted-guess"), 400),
    ] {
        program.ask(session, "", Some(body), expected).await;
    }
    for bearer in ["planted-guess", "cck_planted-guess"] {
        program.ask(("GET", "/api/v1/me"), bearer, None, 401).await;
    }
    let own = json!({"current": "planted-guess", "new": CHOSEN});
    program
        .ask(("POST", "/api/v1/me/password"), token, Some(own), 403)
        .await;
    let request = program.request("POST", "/api/v1/session/refresh", token, None);
    let request = request.header("cookie", "cc_refresh=planted-refresh");
    program.kept(request, 401).await;
    let join = json!({
        "token": "cce_planted-token", "public_key": nkeys::KeyPair::new_user().public_key(),
        "name": "", "version": "0",
    });
    program.ask(("POST", "/api/v1/enrol"), "", Some(join), 401).await;
}
