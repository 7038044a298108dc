//! Who asks: every role, with and without grants, at home and abroad, and machines.

use std::collections::HashMap;

use serde_json::json;
use wire::access::Role;
use wire::{OrganizationId, UserId};

use crate::support::World;

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
}

impl Actor {
    pub(super) const ALL: [Self; 9] = [
        Self::Nobody,
        Self::Owner,
        Self::OwnerElsewhere,
        Self::Admin,
        Self::AdminAbroad,
        Self::Granted,
        Self::User,
        Self::Key,
        Self::BareKey,
    ];
}

/// An organization, with tokens that can make things in it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) organization: OrganizationId,
    /// An admin's.
    pub(super) maker: String,
}

pub(super) struct Actors {
    tokens: HashMap<Actor, String>,
    home: Target,
    ours: Target,
    theirs: Target,
    /// The user who is granted each camera that is asked for.
    pub(super) granted: UserId,
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
        let (granted_id, granted) = world.person(ours, "granted", Role::OrgUser).await;
        let (_, user) = world.person(ours, "user", Role::OrgUser).await;
        let all = json!([
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
            "organization:manage"
        ]);
        let key = service_key(world, &admin, all).await;
        let bare = service_key(world, &admin, json!(["nodes:read"])).await;
        Self {
            home: Target {
                organization: home,
                maker: owner.clone(),
            },
            ours: Target {
                organization: ours,
                maker: admin.clone(),
            },
            theirs: Target {
                organization: theirs,
                maker: other,
            },
            tokens: HashMap::from([
                (Actor::Owner, owner.clone()),
                (Actor::OwnerElsewhere, owner),
                (Actor::Admin, admin.clone()),
                (Actor::AdminAbroad, admin),
                (Actor::Granted, granted),
                (Actor::User, user),
                (Actor::Key, key),
                (Actor::BareKey, bare),
            ]),
            granted: granted_id,
        }
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

async fn service_key(world: &World, maker: &str, scopes: serde_json::Value) -> String {
    let body = json!({"name": "machine", "scopes": scopes});
    let (status, key) = world
        .call("POST", "/api/v1/service-keys", maker, Some(body))
        .await;
    assert_eq!(status, 201, "{key}");
    key["secret"].as_str().unwrap().to_owned()
}
