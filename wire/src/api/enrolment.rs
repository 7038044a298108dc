//! Enrolment: how recorder nodes join, and how they get new tokens for the bus.

use serde::{Deserialize, Serialize};

use crate::bus::BusAccess;
use crate::id::{EnrolmentId, NodeId, UserId};
use crate::time::UnixMs;

/// A one-time token with which a node joins, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EnrolmentToken {
    /// The token's id.
    pub id: EnrolmentId,
    /// What it is for; the node is called so unless it brings a name of its own.
    pub name: String,
    /// When it was made.
    pub created: UnixMs,
    /// Who made it, if a person did.
    pub created_by: Option<UserId>,
    /// When it stops working.
    pub expires: UnixMs,
    /// When a node joined with it.
    pub used: Option<UnixMs>,
    /// That node.
    pub node: Option<NodeId>,
}

/// `POST /api/v1/enrolment-tokens`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewEnrolmentToken {
    /// What it is for, such as the node's place: 1 to 100 characters.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 100))]
    pub name: String,
    /// Seconds that it works: 60 to 604,800 (a week); an hour unless given.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(minimum = 60, maximum = 604_800))]
    pub expires_in_s: Option<u64>,
}

/// Answer to making a token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MadeEnrolmentToken {
    /// The token.
    pub enrolment: EnrolmentToken,
    /// Its secret; begins with `cce_`. It is shown in this answer only and works once.
    pub token: String,
    /// What to run on the node's machine.
    pub command: String,
}

impl std::fmt::Debug for MadeEnrolmentToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MadeEnrolmentToken")
            .field("enrolment", &self.enrolment)
            .finish_non_exhaustive()
    }
}

/// `POST /api/v1/enrol`: a node joins.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    /// The secret of an enrolment token.
    #[cfg_attr(feature = "schema", schema(max_length = 200))]
    pub token: String,
    /// Public half of the node's key: a NATS user nkey, `U` and 55 more characters.
    #[cfg_attr(feature = "schema", schema(min_length = 56, max_length = 56))]
    pub public_key: String,
    /// What the node is called: up to 100 characters; the token's name when it is empty.
    #[cfg_attr(feature = "schema", schema(max_length = 100))]
    pub name: String,
    /// Version of the recorder: up to 50 characters.
    #[cfg_attr(feature = "schema", schema(max_length = 50))]
    pub version: String,
    /// The id that the node's footage has already, when it recorded before it had a key.
    #[serde(default)]
    pub node: Option<NodeId>,
}

impl std::fmt::Debug for Enrol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enrol")
            .field("public_key", &self.public_key)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Answer to joining.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Enrolled {
    /// The node's id from now on.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// With what it gets on the bus.
    pub access: BusAccess,
}

/// Answer to `POST /api/v1/nodes/{id}/challenge`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NodeChallenge {
    /// To be signed; good for a minute and for one token.
    pub challenge: String,
}

/// `POST /api/v1/nodes/{id}/token`: a node whose token has ended proves who it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProveNode {
    /// As the server gave it.
    #[cfg_attr(feature = "schema", schema(max_length = 200))]
    pub challenge: String,
    /// Ed25519 signature by the node's key of `cloudcam node token`, the node's id and the challenge, a line
    /// each without a last line break; base64url without padding.
    #[cfg_attr(feature = "schema", schema(max_length = 200))]
    pub signature: String,
}

impl std::fmt::Debug for ProveNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProveNode").finish_non_exhaustive()
    }
}
