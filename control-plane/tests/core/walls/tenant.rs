//! An organization with people, a machine, things and footage, all of which bear its mark.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock};

use control_plane::app::password;
use control_plane::objects::key_of;
use control_plane::state::now;
use control_plane::store::users::UserRow;
use control_plane::store::{recordings, users};
use serde_json::{Value, json};
use wire::access::Role;
use wire::api::UserState;
use wire::event::Head;
use wire::{OrganizationId, StreamKind, UnixMs, UserId};

use super::follower::Follower;
use crate::footage::{Site, growing, hour_ago};
use crate::recordings::session;
use crate::support::people::PASSWORD;
use crate::support::{World, poll};

/// How every mark ends, and nothing else.
pub(super) const MARK_END: &str = "x7f3e";
/// From here on a word is no word of the product's, but an id, a token or a signature.
const LONG_WORD: usize = 22;

pub(super) struct Tenant {
    pub(super) mark: String,
    /// Tokens of an admin, of a user who was granted a camera, of a service key.
    pub(super) callers: [String; 3],
    /// Ids by noun, of things that the steps may change.
    pub(super) things: HashMap<&'static str, Vec<String>>,
    /// Every long word that it was shown.
    pub(super) shown: BTreeSet<String>,
    /// What every organization may see: who runs the platform is in each audit log.
    common: String,
    pub(super) site: Site,
    /// A minute with footage that is stored.
    pub(super) footage: (i64, i64),
    /// The bytes of that footage.
    pub(super) bytes: Vec<u8>,
    /// An address of those bytes in the object store.
    pub(super) object: String,
    pub(super) follower: Follower,
}

impl Tenant {
    pub(super) async fn new(world: &Arc<World>, owner: &str, mark: String) -> Self {
        let organization = world.organization(&format!("{mark} organization")).await;
        let admin_login = format!("{mark}-admin");
        member(world, organization, &admin_login, Role::OrgAdmin).await;
        let admin = sign_in(world, &admin_login).await;
        let (_, runs) = world.call("GET", "/api/v1/me", owner, None).await;
        let follower = Follower::open(world, &admin).await;
        let site = Site::of(world.clone(), admin.clone(), &format!("{mark} door")).await;
        let (user, key) = callers(world, &site, organization, &mark).await;
        let mut things: HashMap<&'static str, Vec<String>> = HashMap::new();
        for (noun, id) in [
            ("organization", organization.to_string()),
            ("camera", site.camera.to_string()),
            ("node", site.node.to_string()),
            ("recording", recording(world, organization, &site).await),
            ("session", session_of(world, &admin).await),
        ] {
            things.insert(noun, vec![id]);
        }
        things.insert("licence", licences(world, owner, organization, &mark).await);
        let start = hour_ago();
        let fill = |_, count: u64| mark.bytes().chain(*b" ").cycle().take(count as usize).collect();
        let (kept, bytes) = site.object_of(start, 2, fill);
        site.store(&kept, bytes.clone()).await;
        // For those who erase what is old.
        let (old, old_bytes) = site.object_of(start.plus(-90 * 60_000), 1, fill);
        site.store(&old, old_bytes).await;
        site.gap(start.plus(60_000), start.plus(90_000)).await;
        head(world, &site);
        let place = key_of(organization, site.camera, StreamKind::Main, start, kept.id);
        let object = world
            .server
            .state
            .objects
            .sign_get(&place, now().plus(3_600_000))
            .unwrap();
        Self {
            callers: [admin, user, key],
            things,
            shown: BTreeSet::new(),
            common: runs["id"].as_str().unwrap().to_owned(),
            footage: (start.0, start.plus(12_000).0),
            bytes,
            object: object.strip_prefix(&world.base).unwrap_or(&object).to_owned(),
            follower,
            site,
            mark,
        }
    }

    /// Adds what was made to what the steps may change.
    pub(super) fn made(&mut self, path: &str, answer: &Value) {
        let noun = match path.split('?').next().unwrap().rsplit('/').next() {
            Some("cameras") => "camera",
            Some("groups") => "group",
            Some("users") => "user",
            Some("service-keys") => "key",
            Some("recording-jobs") => "job",
            Some("overrides") => "override",
            Some("enrolment-tokens") => "enrolment",
            _ => return,
        };
        let thing = ["user", "key", "enrolment"]
            .iter()
            .find_map(|noun| answer.get(noun))
            .unwrap_or(answer);
        let id = thing["id"].as_str().unwrap().to_owned();
        self.things.entry(noun).or_default().push(id);
        if noun == "enrolment" {
            let secret = answer["token"].as_str().unwrap().to_owned();
            self.things.entry("joining").or_default().push(secret);
        }
    }

    /// What is shown that belongs to somebody else: a mark, or a long word that `other` was shown. What was
    /// asked for by name is no secret any more. Remembers the words.
    pub(super) fn shows(&mut self, asked: &str, answer: &str, other: &Self) -> Option<String> {
        if answer.matches(MARK_END).count() != answer.matches(&self.mark).count() {
            return Some("a mark of another organization".to_owned());
        }
        let mut secrets = other.secrets().filter(|word| !asked.contains(*word));
        if let Some((word, at)) = secrets.find_map(|word| Some((word, answer.find(word)?))) {
            let from = answer.floor_char_boundary(at.saturating_sub(200));
            return Some(format!("{word} after {}", &answer[from..at]));
        }
        let words = long_words(answer).filter(|word| !asked.contains(word) && *word != self.common);
        self.shown.extend(words.map(str::to_owned));
        None
    }

    /// Every long word that nobody else may see.
    fn secrets(&self) -> impl Iterator<Item = &str> {
        let things = self.things.values().flatten();
        let all = self.shown.iter().chain(things).chain(&self.callers);
        all.map(String::as_str)
    }
}

/// Runs of letters, digits, `-` and `_` that are too long to be words of the product.
fn long_words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_'))
        .filter(|word| word.len() >= LONG_WORD && word.bytes().any(|byte| byte.is_ascii_digit()))
        // Tokens of the bus all begin alike; they differ in their last part.
        .filter(|word| !word.contains(MARK_END) && !word.starts_with("eyJ"))
}

/// A user who can sign in; passwords are hashed once, which takes its time.
async fn member(world: &World, organization: OrganizationId, login: &str, role: Role) -> UserId {
    static HASH: LazyLock<String> = LazyLock::new(|| password::hash(PASSWORD).unwrap());
    let user = UserRow {
        id: UserId::generate(),
        organization,
        organization_name: String::new(),
        login: login.to_owned(),
        name: String::new(),
        role,
        state: UserState::Active,
        password_hash: HASH.clone(),
    };
    let id = user.id;
    let store = &world.server.state.store;
    store
        .write(move |c| users::insert(c, &user, now()))
        .await
        .unwrap();
    id
}

/// Signs in, and waits while too many did.
async fn sign_in(world: &World, login: &str) -> String {
    let body = json!({"login": login, "password": PASSWORD});
    poll("signed in", async || {
        let (status, session) = world
            .call("POST", "/api/v1/session", "", Some(body.clone()))
            .await;
        assert!(matches!(status, 200 | 429), "{session}");
        session["access_token"].as_str().map(str::to_owned)
    })
    .await
}

/// Tokens of a user who was granted the camera, and of a service key.
async fn callers(world: &World, site: &Site, organization: OrganizationId, mark: &str) -> (String, String) {
    let login = format!("{mark}-guest");
    let guest = member(world, organization, &login, Role::OrgUser).await;
    let permissions = json!(["view_live", "view_footage", "export", "manage"]);
    let grants = json!({"items": [{"camera": site.camera, "permissions": permissions}]});
    let path = format!("/api/v1/users/{guest}/grants");
    let (status, answer) = world.call("PUT", &path, &site.token, Some(grants)).await;
    assert_eq!(status, 200, "{answer}");
    let scopes = json!([
        "cameras:view_footage",
        "cameras:manage",
        "nodes:read",
        "audit:read"
    ]);
    let body = json!({"name": format!("{mark} machine"), "scopes": scopes});
    let (status, key) = world
        .call("POST", "/api/v1/service-keys", &site.token, Some(body))
        .await;
    assert_eq!(status, 201, "{key}");
    (
        sign_in(world, &login).await,
        key["secret"].as_str().unwrap().to_owned(),
    )
}

async fn licences(world: &World, owner: &str, organization: OrganizationId, mark: &str) -> Vec<String> {
    let plan = json!({
        "features": ["recording"], "retention_days": 30, "max_width": 1920, "max_height": 1080,
        "max_bitrate_bps": 4_000_000,
    });
    let year = 365 * 24 * 3_600_000;
    let body = json!({
        "name": format!("{mark} licence"), "plan": plan, "valid_from": now(), "valid_to": now().plus(year), "count": 3,
    });
    let path = format!("/api/v1/licences?organization={organization}");
    let (status, made) = world.call("POST", &path, owner, Some(body)).await;
    assert_eq!(status, 201, "{made}");
    let items = made["items"].as_array().unwrap().iter();
    items.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

async fn recording(world: &World, organization: OrganizationId, site: &Site) -> String {
    let row = session(organization, site.camera, site.node);
    let id = row.session.id.to_string();
    let store = &world.server.state.store;
    store.write(move |c| recordings::put(c, &row)).await.unwrap();
    id
}

/// A session of the admin that nobody needs.
async fn session_of(world: &World, admin: &str) -> String {
    let (_, me) = world.call("GET", "/api/v1/me", admin, None).await;
    sign_in(world, me["login"].as_str().unwrap()).await;
    let (_, list) = world.call("GET", "/api/v1/me/sessions", admin, None).await;
    let mut others = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["current"] == false);
    others.next().unwrap()["id"].as_str().unwrap().to_owned()
}

/// Footage that grows on the node right now.
fn head(world: &World, site: &Site) {
    let (object, _) = site.object(UnixMs(now().0 - 30_000), 4);
    world.server.state.heads.put(Head {
        camera: site.camera,
        stream: StreamKind::Main,
        node: site.node,
        objects: vec![growing(&object, 4)],
    });
}
