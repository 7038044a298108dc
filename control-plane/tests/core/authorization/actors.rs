//! Who asks: every role, with and without grants, at home and abroad, and machines.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Value, json};
use wire::access::Role;
use wire::{OrganizationId, UserId};

use crate::support::World;
use crate::support::people::PASSWORD;

/// The columns of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Actor {
    /// No token.
    Nobody,
    /// A super admin, at home.
    Owner,
    /// The same in another organization, named in the query.
    OwnerElsewhere,
    /// An organization's admin, on its own things.
    Admin,
    /// The same, on another organization's things.
    AdminAbroad,
    /// A user with every permission on the camera.
    Granted,
    /// A user without any grant.
    User,
    /// A service key with every right that an organization's admin can give.
    Key,
    /// A service key that may only see the recorder nodes.
    BareKey,
    /// A user who may only watch the camera live.
    Live,
    /// A user who may only watch the camera's footage.
    Footage,
    /// A user who may only export the camera's footage.
    Export,
    /// A user who may only manage the camera.
    Manage,
    /// A user with every permission on a group that the camera is in.
    Grouped,
    /// A user of another organization without any grant.
    Stranger,
    /// A user of another organization with every permission on a camera there.
    StrangerGranted,
    /// A service key of another organization with every right there.
    StrangerKey,
}

impl Actor {
    pub(super) const ALL: [Self; 17] = [
        Self::Nobody,
        Self::Owner,
        Self::OwnerElsewhere,
        Self::Admin,
        Self::AdminAbroad,
        Self::Granted,
        Self::User,
        Self::Key,
        Self::BareKey,
        Self::Live,
        Self::Footage,
        Self::Export,
        Self::Manage,
        Self::Grouped,
        Self::Stranger,
        Self::StrangerGranted,
        Self::StrangerKey,
    ];

    /// What is granted to it on the camera that is asked for.
    pub(super) const fn granted(self) -> &'static [&'static str] {
        match self {
            Self::Granted => &ALL_PERMISSIONS,
            Self::Live => &["view_live"],
            Self::Footage => &["view_footage"],
            Self::Export => &["export"],
            Self::Manage => &["manage"],
            _ => &[],
        }
    }
}

const ALL_PERMISSIONS: [&str; 4] = ["view_live", "view_footage", "export", "manage"];
const ALL_SCOPES: [&str; 12] = [
    "cameras:view_live",
    "cameras:view_footage",
    "cameras:export",
    "cameras:manage",
    "footage:erase",
    "nodes:read",
    "nodes:manage",
    "users:manage",
    "keys:manage",
    "licences:assign",
    "audit:read",
    "organization:manage",
];

/// An organization, with tokens that can make things in it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) organization: OrganizationId,
    /// An admin's.
    pub(super) maker: String,
}

pub(super) struct Actors {
    tokens: HashMap<Actor, String>,
    /// Login and password of those that have one.
    logins: HashMap<Actor, (String, String)>,
    /// Ids of those who are granted each camera that is asked for.
    pub(super) users: HashMap<Actor, UserId>,
    /// The group that [`Actor::Grouped`] was granted.
    pub(super) group: String,
    home: Target,
    ours: Target,
    theirs: Target,
}

impl Actors {
    pub(super) async fn seed(world: &World) -> Self {
        let owner = world.sign_in().await;
        let (_, me) = world.call("GET", "/api/v1/me", &owner, None).await;
        let home = me["organization"].as_str().unwrap().parse().unwrap();
        let (ours, theirs) = (
            world.organization("Ours").await,
            world.organization("Theirs").await,
        );
        let (_, admin) = world.person(ours, "admin-of-ours", Role::OrgAdmin).await;
        let (_, other) = world.person(theirs, "admin-of-theirs", Role::OrgAdmin).await;
        let target = |organization, maker: &str| Target {
            organization,
            maker: maker.to_owned(),
        };
        let mut actors = Self {
            tokens: HashMap::from([
                (Actor::Owner, owner.clone()),
                (Actor::OwnerElsewhere, owner.clone()),
                (Actor::Admin, admin.clone()),
                (Actor::AdminAbroad, admin.clone()),
            ]),
            logins: HashMap::new(),
            users: HashMap::new(),
            group: made(world, &admin, "/api/v1/groups", json!({"name": "granted"})).await["id"]
                .as_str()
                .unwrap()
                .to_owned(),
            home: target(home, &owner),
            ours: target(ours, &admin),
            theirs: target(theirs, &other),
        };
        for actor in [Actor::Owner, Actor::OwnerElsewhere] {
            actors
                .logins
                .insert(actor, ("admin".to_owned(), world.password()));
        }
        for actor in [Actor::Admin, Actor::AdminAbroad] {
            actors
                .logins
                .insert(actor, ("admin-of-ours".to_owned(), PASSWORD.to_owned()));
        }
        actors.add_users(world).await;
        actors.add_keys(world).await;
        actors
    }

    async fn add_users(&mut self, world: &World) {
        for (actor, organization) in [
            (Actor::Granted, self.ours.organization),
            (Actor::User, self.ours.organization),
            (Actor::Live, self.ours.organization),
            (Actor::Footage, self.ours.organization),
            (Actor::Export, self.ours.organization),
            (Actor::Manage, self.ours.organization),
            (Actor::Grouped, self.ours.organization),
            (Actor::Stranger, self.theirs.organization),
            (Actor::StrangerGranted, self.theirs.organization),
        ] {
            let login = format!("{actor:?}").to_lowercase();
            let (id, token) = world.person(organization, &login, Role::OrgUser).await;
            self.tokens.insert(actor, token);
            self.logins.insert(actor, (login, PASSWORD.to_owned()));
            self.users.insert(actor, id);
        }
        let door = json!({"name": "Door", "url": "rtsp://192.0.2.1/1"});
        let door = made(world, &self.theirs.maker, "/api/v1/cameras", door).await;
        let of_camera = json!({"camera": door["id"], "permissions": ALL_PERMISSIONS});
        let of_group = json!({"group": self.group, "permissions": ALL_PERMISSIONS});
        for (actor, maker, grant) in [
            (Actor::StrangerGranted, &self.theirs.maker, of_camera),
            (Actor::Grouped, &self.ours.maker, of_group),
        ] {
            self.grant(world, actor, maker, grant).await;
        }
    }

    async fn add_keys(&mut self, world: &World) {
        for (actor, target, scopes) in [
            (Actor::Key, &self.ours, json!(ALL_SCOPES)),
            (Actor::BareKey, &self.ours, json!(["nodes:read"])),
            (Actor::StrangerKey, &self.theirs, json!(ALL_SCOPES)),
        ] {
            let body = json!({"name": "machine", "scopes": scopes});
            let key = made(world, &target.maker, "/api/v1/service-keys", body).await;
            self.tokens
                .insert(actor, key["secret"].as_str().unwrap().to_owned());
        }
    }

    /// Whether both are the same person.
    pub(super) fn are_one(&self, one: Actor, other: Actor) -> bool {
        one == other
            || self
                .logins
                .get(&one)
                .is_some_and(|login| self.logins.get(&other) == Some(login))
    }

    /// Grants a user this and nothing else.
    pub(super) async fn grant(&self, world: &World, actor: Actor, maker: &str, grant: Value) {
        let path = format!("/api/v1/users/{}/grants", self.users[&actor]);
        let body = json!({"items": [grant]});
        let (status, answer) = world.call("PUT", &path, maker, Some(body)).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// The id of one more session of the actor, and its token; none for who cannot sign in.
    pub(super) async fn session(&self, world: &World, actor: Actor) -> Option<(String, String)> {
        let (login, password) = self.logins.get(&actor)?;
        let body = json!({"login": login, "password": password});
        let (status, session) = world.call("POST", "/api/v1/session", "", Some(body)).await;
        assert_eq!(status, 200, "{session}");
        let token = session["access_token"].as_str().unwrap().to_owned();
        let (_, list) = world.call("GET", "/api/v1/me/sessions", &token, None).await;
        let mut items = list["items"].as_array().unwrap().iter();
        let id = items.find(|one| one["current"] == true).unwrap()["id"].as_str();
        Some((id.unwrap().to_owned(), token))
    }

    /// An actor's own client: limits on guessing count what comes from one address together.
    pub(super) fn client(actor: Actor) -> reqwest::Client {
        let own = Ipv4Addr::new(127, 0, 1, actor as u8 + 1);
        reqwest::Client::builder()
            .local_address(IpAddr::from(own))
            .build()
            .unwrap()
    }

    pub(super) fn token(&self, actor: Actor) -> Option<&String> {
        self.tokens.get(&actor)
    }

    /// Whose things the actor asks for.
    pub(super) fn target(&self, actor: Actor) -> &Target {
        match actor {
            Actor::Owner => &self.home,
            Actor::AdminAbroad => &self.theirs,
            _ => &self.ours,
        }
    }
}

async fn made(world: &World, maker: &str, path: &str, body: Value) -> Value {
    let (status, made) = world.call("POST", path, maker, Some(body)).await;
    assert_eq!(status, 201, "{made}");
    made
}
