//! `{:?}` of what bears a secret shows nothing of it. That no type is forgotten here, a test of the repository
//! sees to: it lists the types that derive `Debug` with a field of such a name.

use std::fmt::Debug;

use control_plane::app::Origin;
use control_plane::app::events::Credentials as Follower;
use control_plane::config::Config;
use control_plane::store::Target;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wire::api::*;
use wire::bus::{BusAccess, CredentialsReply, ProbeRequest, UploadReply};

const ID: &str = "0190f5fe-7c00-7a00-8000-0123456789ab";
const SECRET: &str = "planted";

fn hides(what: &str, value: &impl Debug) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(!shown.contains(SECRET), "{what} shows its secret: {shown}");
    }
}

/// Reads a value, each secret of which is the planted one.
fn reads<T: DeserializeOwned + Debug>(json: Value) {
    let name = std::any::type_name::<T>();
    assert!(json.to_string().contains(SECRET), "{name} has a secret");
    let value: T = serde_json::from_value(json).unwrap_or_else(|error| panic!("{name}: {error}"));
    hides(name, &value);
}

fn access() -> Value {
    json!({"jwt": SECRET, "issued": 1, "expires": 2, "urls": ["nats://x:1"], "ca": null})
}

#[test]
fn messages_hide_their_secrets() {
    let link = json!({"link": SECRET, "expires": 1});
    let user = json!({
        "id": ID, "login": "ann", "name": "Ann", "role": "org_user", "state": "invited", "totp": false,
        "created": 1, "last_sign_in": null, "revision": 1,
    });
    let me = json!({
        "id": ID, "login": "ann", "organization": ID, "organization_name": "Home", "name": "Ann",
        "role": "org_user", "rights": [], "totp": false,
    });
    let key = json!({
        "id": ID, "name": "gate", "scopes": [], "hint": "abcd", "created": 1, "created_by": null,
        "expires": null, "last_used": null, "revision": 1,
    });
    let enrolment = json!({
        "id": ID, "name": "gate", "created": 1, "created_by": null, "expires": 2, "used": null, "node": null,
    });
    let credentials = json!({"username": "x", "password": SECRET});
    reads::<SignIn>(json!({"login": "ann", "password": SECRET, "code": SECRET}));
    reads::<Session>(json!({"access_token": SECRET, "expires_in_s": 1, "user": me}));
    reads::<ChangePassword>(json!({"current": SECRET, "new": SECRET}));
    reads::<BeginTotp>(json!({"password": SECRET}));
    reads::<TotpSecret>(json!({"secret": SECRET, "address": SECRET}));
    reads::<TotpCode>(json!({"code": SECRET}));
    reads::<RemoveTotp>(json!({"password": SECRET, "code": SECRET}));
    reads::<RecoveryCodes>(json!({"codes": [SECRET, SECRET]}));
    reads::<OneTimeLink>(link.clone());
    reads::<Invited>(json!({"user": user, "invitation": link}));
    reads::<LookAtLink>(json!({"token": SECRET}));
    reads::<AcceptLink>(json!({"token": SECRET, "password": SECRET}));
    reads::<MadeServiceKey>(json!({"key": key, "secret": SECRET}));
    reads::<MadeEnrolmentToken>(json!({"enrolment": enrolment, "token": SECRET, "command": SECRET}));
    reads::<Enrol>(json!({"token": SECRET, "public_key": "U", "name": "", "version": ""}));
    reads::<Enrolled>(json!({"node": ID, "name": "gate", "access": access()}));
    reads::<ProveNode>(json!({"challenge": "1.x", "signature": SECRET}));
    reads::<Playback>(json!({"url": SECRET, "expires": 1, "codecs": []}));
    reads::<NewCamera>(json!({"name": "Door", "url": SECRET, "sub_url": SECRET, "password": SECRET}));
    reads::<CameraPatch>(json!({"url": SECRET, "sub_url": SECRET, "password": SECRET}));
    reads::<ProbeCamera>(json!({"url": SECRET, "password": SECRET}));
    reads::<wire::source::Credentials>(credentials.clone());
    reads::<CredentialsReply>(json!({"revision": 1, "credentials": credentials}));
    reads::<ProbeRequest>(json!({"source": {"url": "rtsp://x"}, "credentials": credentials}));
    reads::<BusAccess>(access());
    reads::<UploadReply>(json!({"url": SECRET, "headers": [["authorization", SECRET]], "expires": 1}));
}

#[test]
fn configuration_and_callers_hide_their_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let (path, url) = (
        dir.path().join("control.toml"),
        format!("postgres://x:{SECRET}@127.0.0.1/y"),
    );
    let text =
        format!("data_dir = \"data\"\n[bus]\nurl = \"nats://127.0.0.1:1\"\n[database]\nurl = \"{url}\"\n");
    std::fs::write(&path, text).unwrap();
    let config = Config::load(&path).unwrap();
    assert!(config.database_url().contains(SECRET));
    hides("Config", &config);
    hides("Target", &Target::parse(&url).unwrap());
    let follower = Follower {
        bearer: SECRET.to_owned(),
        organization: None,
        origin: Origin {
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            request_id: String::new(),
        },
    };
    hides("Credentials", &follower);
}

#[tokio::test]
async fn the_state_hides_its_secrets() {
    let world = crate::support::World::without_bus().await;
    let state = &world.server.state;
    let folder = world.dir.path().join("data/secrets");
    let shown = format!("{:?} {:?} {:?}", state, state.secrets.keys(), state.bus_keys);
    let mut files: Vec<_> = ["jwt", "url", "master"].map(|name| folder.join(name)).into();
    let bus = std::fs::read_dir(folder.join("bus")).unwrap();
    files.extend(
        bus.map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_none()),
    );
    for file in files {
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            assert!(!shown.contains(line), "the state shows {}", file.display());
        }
    }
}
