//! New tokens for the bus: over the bus while the present one works, over HTTPS against a proof of the
//! node's key once it does not.
//!
//! The proof is a signature over a challenge that the server made less than a minute ago for this node. A
//! challenge counts only when it is younger than the last one that counted, whichever server made either: a
//! proof that was recorded opens nothing again. A token alone is worth nothing without the key.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use std::net::IpAddr;
use wire::api::{NodeChallenge, ProveNode};
use wire::bus::{BusAccess, ReplyCode, ReplyError, TokenRequest, token_statement};
use wire::{NodeId, UnixMs};

use super::enrolment::access;
use super::requests::{failed, refuse};
use crate::domain::signing::Grant;
use crate::store::{erased_nodes, nodes};
use crate::{AppState, Error};

/// Milliseconds that a challenge is good for.
const CHALLENGE_MS: i64 = 60_000;

/// A new token for a node that asks over the bus, which vouches for it.
///
/// # Errors
/// `NotFound` for a node that is not enrolled or was removed, `Unavailable`.
pub async fn renew(
    state: &AppState,
    node: NodeId,
    _: TokenRequest,
    now: UnixMs,
) -> Result<BusAccess, ReplyError> {
    let known = state
        .store
        .read(move |c| nodes::key(c, node))
        .await
        .map_err(failed)?;
    let key = known
        .filter(|known| known.removed.is_none())
        .and_then(|known| known.public_key)
        .ok_or_else(|| refuse(ReplyCode::NotFound, "this node is not enrolled, or was removed"))?;
    access(state, node, &key, now).map_err(failed)
}

/// What a node has to sign. Whoever asks learns nothing about the node.
///
/// # Errors
/// [`Error::TooMany`].
pub fn challenge(
    state: &AppState,
    node: NodeId,
    address: IpAddr,
    now: UnixMs,
) -> Result<NodeChallenge, Error> {
    state.limiter.node(address)?;
    let signer = state.secrets.keys().signer();
    let signature = signer.sign(&Grant::NodeToken { node }, "", now.plus(CHALLENGE_MS));
    Ok(NodeChallenge {
        challenge: format!("{}.{signature}", now.0),
    })
}

/// A new token for a node that proves its key.
///
/// # Errors
/// [`Error::Unauthorized`] for a proof that does not hold, whatever is wrong with it;
/// [`Error::Forbidden`] `node_removed` for the key of a node that was removed, or erased with its
/// organization; [`Error::TooMany`], [`Error::Unavailable`].
pub async fn prove(
    state: &AppState,
    node: NodeId,
    body: ProveNode,
    address: IpAddr,
    now: UnixMs,
) -> Result<BusAccess, Error> {
    state.limiter.node(address)?;
    let made = made(state, node, &body.challenge, now).ok_or_else(unproved)?;
    let signature = BASE64_URL_SAFE_NO_PAD
        .decode(&body.signature)
        .map_err(|_| unproved())?;
    let statement = token_statement(node, &body.challenge);
    let key = state
        .store
        .transaction(move |c| {
            let known = nodes::key(c, node)?;
            let key = match &known {
                Some(known) => known.public_key.clone(),
                None => erased_nodes::key(c, node)?,
            };
            let key = key.ok_or_else(unproved)?;
            KeyPair::from_public_key(&key)
                .and_then(|pair| pair.verify(statement.as_bytes(), &signature))
                .map_err(|_| unproved())?;
            let known = known
                .filter(|known| known.removed.is_none())
                .ok_or_else(removed)?;
            if known.proved.is_some_and(|last| last >= made) {
                return Err(unproved());
            }
            nodes::proved(c, node, made)?;
            Ok(key)
        })
        .await?;
    access(state, node, &key, now)
}

/// When a challenge was made, if it is ours, this node's and still good.
fn made(state: &AppState, node: NodeId, challenge: &str, now: UnixMs) -> Option<UnixMs> {
    let (made, signature) = challenge.split_once('.')?;
    let made = UnixMs(made.parse().ok()?);
    let expires = UnixMs(made.0.checked_add(CHALLENGE_MS)?);
    let signer = state.secrets.keys().signer();
    signer
        .check(&Grant::NodeToken { node }, "", expires, signature, now)
        .ok()?;
    Some(made)
}

const fn removed() -> Error {
    Error::Forbidden {
        code: "node_removed",
        title: "this node was removed: to use its machine again, start with an empty data folder and a new \
                enrolment token",
    }
}

const fn unproved() -> Error {
    Error::Unauthorized {
        code: "node_unproved",
        title: "this does not prove to be the node: ask for a new challenge and sign it with the node's key",
    }
}
