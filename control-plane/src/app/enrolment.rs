//! Enrolment: one-time tokens, and the nodes that join with them.
//!
//! A token's secret is shown once; only its digest is kept. A node brings the public half of a key that it
//! has made itself, and gets a token for the bus that only the holder of the other half can use.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use nkeys::{KeyPair, KeyPairType};
use sha2::{Digest, Sha256};
use wire::access::Right;
use wire::api::{ActorKind, Enrol, Enrolled, EnrolmentToken, MadeEnrolmentToken, NewEnrolmentToken, Page};
use wire::bus::BusAccess;
use wire::{EnrolmentId, NodeId, OrganizationId, UnixMs, UserId};

use super::{Actor, Caller, Once, Origin};
use crate::domain::page::{Cursor, Part};
use crate::domain::text::line;
use crate::secrets::random;
use crate::store::audit::AuditRow;
use crate::store::enrolment::{self, EnrolmentRow};
use crate::store::facts::{self, FactKind};
use crate::store::nodes::{self, NewNode};
use crate::store::{Connection, StoreError, audit, erased_nodes, organizations};
use crate::{AppState, Error};

/// How tokens begin, so that they are known for what they are.
const PREFIX: &str = "cce_";
const NAME_MAX: usize = 100;
const VERSION_MAX: usize = 50;
const HOUR_S: u64 = 60 * 60;
/// Seconds that a token works.
pub const LIFE_S: std::ops::RangeInclusive<u64> = 60..=7 * 24 * HOUR_S;

/// Makes a token. The same request again, under its `Idempotency-Key`, makes nothing and shows no secret.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::Invalid`] with the field, [`Error::Conflict`] when the request was made
/// before.
pub async fn create(
    state: &AppState,
    caller: &Caller,
    once: Once,
    new: NewEnrolmentToken,
    now: UnixMs,
) -> Result<MadeEnrolmentToken, Error> {
    caller.require(Right::ManageNodes)?;
    let by = match caller.actor {
        Actor::User { id, .. } => Some(id),
        Actor::ServiceKey { .. } => None,
    };
    let (row, hash, token) = fresh(caller.organization, by, &new, now)?;
    let (caller, enrolment) = (caller.clone(), shown(&row));
    let after = enrolment.clone();
    state
        .store
        .transaction(move |c| {
            if once.made_before(c, &caller, now)?.is_some() {
                return Err(Error::Conflict {
                    code: "already_created",
                    title: "this request has made the token already: revoke it and make another one"
                        .to_owned(),
                });
            }
            enrolment::insert(c, &row, &hash)?;
            let change = (None::<&EnrolmentToken>, Some(&after));
            caller.note(c, "enrolment_token.create", row.id, change, now)?;
            once.made(c, &caller, *row.id.as_bytes(), now)
        })
        .await?;
    Ok(MadeEnrolmentToken {
        enrolment,
        command: command(state.public_url.as_str(), &token),
        token,
    })
}

/// Makes a token at the server's console; its secret.
///
/// # Errors
/// [`Error::Invalid`] with the field, and those of the database.
pub fn create_at_console(
    connection: &mut Connection,
    organization: OrganizationId,
    new: &NewEnrolmentToken,
    now: UnixMs,
) -> Result<String, Error> {
    let (row, hash, token) = fresh(organization, None, new, now)?;
    enrolment::insert(connection, &row, &hash)?;
    let entry = AuditRow {
        organization,
        actor_kind: ActorKind::System,
        actor: None,
        actor_name: None,
        address: None,
        request_id: None,
        action: "enrolment_token.create".to_owned(),
        subject: row.id.to_string(),
        old_value: None,
        new_value: Some(serde_json::to_string(&shown(&row)).map_err(StoreError::from)?),
    };
    audit::insert(connection, &entry, now)?;
    Ok(token)
}

/// What to run on a node's machine.
#[must_use]
pub fn command(server: &str, token: &str) -> String {
    let server = server.trim_end_matches('/');
    format!("recorder-node enrol --config /etc/cloudcam/node.toml --server {server} --token {token}")
}

/// The organization's tokens, oldest first.
///
/// # Errors
/// [`Error::Forbidden`].
pub async fn list(state: &AppState, caller: &Caller, part: Part) -> Result<Page<EnrolmentToken>, Error> {
    caller.require(Right::ManageNodes)?;
    let organization = caller.organization;
    let mut rows = state
        .store
        .read(move |c| enrolment::list(c, organization, &part))
        .await?;
    let next = part.cut(&mut rows, |row| Cursor {
        at: row.created.0,
        id: *row.id.as_bytes(),
    });
    Ok(Page {
        items: rows.iter().map(shown).collect(),
        next,
    })
}

/// Revokes a token, or forgets one that was used: its node stays.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn revoke(state: &AppState, caller: &Caller, id: EnrolmentId, now: UnixMs) -> Result<(), Error> {
    caller.require(Right::ManageNodes)?;
    let caller = caller.clone();
    state
        .store
        .transaction(move |c| {
            let before =
                enrolment::get(c, caller.organization, id)?.ok_or(Error::not_found("enrolment token"))?;
            enrolment::remove(c, caller.organization, id)?;
            let change = (Some(&shown(&before)), None::<&EnrolmentToken>);
            caller.note(c, "enrolment_token.revoke", id, change, now)?;
            Ok(())
        })
        .await
}

/// A node joins: its row, its key and the token's end are one transaction.
///
/// # Errors
/// [`Error::Unauthorized`] for a token that is unknown, used or too old, [`Error::Conflict`] for a key or
/// id that a node has already, [`Error::Invalid`] with the field, [`Error::TooMany`],
/// [`Error::Unavailable`] before `control-plane init`.
pub async fn enrol(state: &AppState, body: Enrol, origin: Origin, now: UnixMs) -> Result<Enrolled, Error> {
    state.limiter.node(origin.address)?;
    let key = public_key(&body.public_key)?;
    let name = match body.name.trim() {
        "" => None,
        name => Some(node_name(name)?),
    };
    let version = line(&body.version, 0, VERSION_MAX).ok_or_else(|| {
        Error::field(
            "version",
            "a version has up to 50 characters, none of them invisible",
        )
    })?;
    let hash: [u8; 32] = Sha256::digest(&body.token).into();
    let id = body.node.unwrap_or_else(NodeId::generate);
    // Before anything is used up.
    let access = access(state, id, &key, now)?;
    let name = state
        .store
        .transaction(move |c| {
            let token = enrolment::by_hash(c, &hash)?
                .filter(|token| token.used.is_none() && token.expires > now)
                .ok_or_else(over)?;
            if organizations::is_closed(c, token.organization)? {
                return Err(over());
            }
            let new = NewNode {
                id,
                organization: token.organization,
                name: name.unwrap_or(token.name),
                public_key: key,
                version,
            };
            free(c, &new)?;
            if !enrolment::take(c, token.id, id, now)? {
                return Err(over());
            }
            nodes::enrol(c, &new, now)?;
            note(c, &new, origin, now)?;
            Ok(new.name)
        })
        .await?;
    tracing::info!(node = %id, name, "a node joined");
    state.replan.notify_one();
    Ok(Enrolled {
        node: id,
        name,
        access,
    })
}

/// With what a node gets on the bus from now on.
///
/// # Errors
/// [`Error::Unavailable`] before `control-plane init`.
pub(super) fn access(state: &AppState, node: NodeId, key: &str, now: UnixMs) -> Result<BusAccess, Error> {
    let unavailable = |source| Error::Unavailable {
        code: "bus_keys_missing",
        title: "the server's keys of the bus are not made yet".to_owned(),
        source: Some(source),
    };
    let bus = &state.config.bus;
    let expires = now.plus(i64::try_from(bus.node_token_s).unwrap_or(i64::MAX / 1000) * 1000);
    let jwt = state
        .bus_keys
        .keys()
        .and_then(|keys| keys.node(node, key, (now, expires)))
        .map_err(unavailable)?;
    let ca = bus.ca_file.as_ref().map(std::fs::read_to_string).transpose();
    Ok(BusAccess {
        jwt,
        issued: now,
        expires,
        urls: bus.public_urls(),
        ca: ca.map_err(|error| unavailable(anyhow::Error::new(error).context("bus.ca_file")))?,
    })
}

/// Refuses a key or an id that is taken.
fn free(c: &mut Connection, new: &NewNode) -> Result<(), Error> {
    let taken = |title: &str| Error::Conflict {
        code: "node_enrolled",
        title: title.to_owned(),
    };
    if nodes::has_key(c, &new.public_key)? {
        return Err(taken(
            "a node with this key has joined already: each node makes a key of its own",
        ));
    }
    match nodes::key(c, new.id)? {
        None if erased_nodes::key(c, new.id)?.is_none() => Ok(()),
        Some(known)
            if known.organization == new.organization
                && known.public_key.is_none()
                && known.removed.is_none() =>
        {
            Ok(())
        }
        _ => Err(taken(
            "a node with this id has joined already, or was removed: start with an empty data folder",
        )),
    }
}

fn note(c: &mut Connection, new: &NewNode, origin: Origin, now: UnixMs) -> Result<(), StoreError> {
    let entry = AuditRow {
        organization: new.organization,
        actor_kind: ActorKind::System,
        actor: None,
        actor_name: None,
        address: Some(origin.address.to_string()),
        request_id: Some(origin.request_id),
        action: "node.enrol".to_owned(),
        subject: new.id.to_string(),
        old_value: None,
        new_value: Some(serde_json::json!({"name": new.name, "version": new.version}).to_string()),
    };
    let body = serde_json::json!({"name": new.name, "version": new.version});
    let kind = FactKind::NodeEnrolled;
    facts::add(c, new.organization, kind, None, Some(new.id), &body, now)?;
    audit::insert(c, &entry, now)
}

/// A new token: its row, the digest of its secret, the secret.
fn fresh(
    organization: OrganizationId,
    created_by: Option<UserId>,
    new: &NewEnrolmentToken,
    now: UnixMs,
) -> Result<(EnrolmentRow, [u8; 32], String), Error> {
    let life_s = new.expires_in_s.unwrap_or(HOUR_S);
    if !LIFE_S.contains(&life_s) {
        return Err(Error::field(
            "expires_in_s",
            "a token works for 60 to 604800 seconds",
        ));
    }
    let secret = random::<32>().map_err(Error::Internal)?;
    let token = format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(secret));
    let row = EnrolmentRow {
        id: EnrolmentId::generate(),
        organization,
        name: node_name(&new.name)?,
        created: now,
        created_by,
        expires: now.plus(i64::try_from(life_s).unwrap_or_default() * 1000),
        used: None,
        node: None,
    };
    let hash = Sha256::digest(&token).into();
    Ok((row, hash, token))
}

fn node_name(text: &str) -> Result<String, Error> {
    line(text, 1, NAME_MAX)
        .ok_or_else(|| Error::field("name", "a name has 1 to 100 characters, none of them invisible"))
}

/// The public half of a user's key, in its one spelling.
fn public_key(text: &str) -> Result<String, Error> {
    KeyPair::from_public_key(text)
        .ok()
        .filter(|key| key.key_pair_type() == KeyPairType::User && key.public_key() == text)
        .map(|key| key.public_key())
        .ok_or_else(|| {
            Error::field(
                "public_key",
                "a public key is a NATS user nkey: U and 55 more characters",
            )
        })
}

fn shown(row: &EnrolmentRow) -> EnrolmentToken {
    EnrolmentToken {
        id: row.id,
        name: row.name.clone(),
        created: row.created,
        created_by: row.created_by,
        expires: row.expires,
        used: row.used,
        node: row.node,
    }
}

/// The same for a token that is unknown, used or too old.
const fn over() -> Error {
    Error::Unauthorized {
        code: "enrolment_over",
        title: "this enrolment token works no more: it was used, revoked or is too old; make a new one",
    }
}
