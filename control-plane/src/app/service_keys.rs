//! Service keys: make, list, rename, end, revoke.
//!
//! A key's secret is shown once; only its digest is kept. What a key may do never grows.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use wire::access::{Right, Rights};
use wire::api::{MadeServiceKey, NewServiceKey, Page, ServiceKey, ServiceKeyPatch};
use wire::{ServiceKeyId, UnixMs};

use super::{Actor, Caller, KEY_PREFIX, Once};
use crate::domain::page::{Cursor, Part};
use crate::domain::text::line;
use crate::secrets::random;
use crate::store::service_keys::{self, ServiceKeyRow};
use crate::{AppState, Error};

const NAME_MAX: usize = 100;
/// Characters of the secret that tell keys apart.
const HINT: usize = 4;

/// Makes a key. The same request again, under its `Idempotency-Key`, makes nothing and shows no secret:
/// that is lost with the first answer.
///
/// # Errors
/// [`Error::Forbidden`] for rights that the caller lacks, [`Error::Invalid`] with the field,
/// [`Error::Conflict`] when the request was made before.
pub async fn create(
    state: &AppState,
    caller: &Caller,
    once: Once,
    new: NewServiceKey,
    now: UnixMs,
) -> Result<MadeServiceKey, Error> {
    caller.require(Right::ManageKeys)?;
    covered(caller, new.scopes)?;
    let secret = format!(
        "{KEY_PREFIX}{}",
        BASE64_URL_SAFE_NO_PAD.encode(random::<32>().map_err(Error::Internal)?)
    );
    let hash: [u8; 32] = Sha256::digest(&secret).into();
    let row = ServiceKeyRow {
        id: ServiceKeyId::generate(),
        organization: caller.organization,
        name: name(&new.name)?,
        scopes: new.scopes,
        hint: secret[secret.len() - HINT..].to_owned(),
        created: now,
        created_by: match caller.actor {
            Actor::User { id, .. } => Some(id),
            Actor::ServiceKey { .. } => None,
        },
        expires: new.expires.map(|at| future(at, now)).transpose()?,
        last_used: None,
        revision: 1,
    };
    let (caller, key) = (caller.clone(), shown(&row));
    let after = key.clone();
    state
        .store
        .transaction(move |c| {
            if once.made_before(c, &caller, now)?.is_some() {
                return Err(Error::Conflict {
                    code: "already_created",
                    title: "this request has made the key already: revoke it and make another one".to_owned(),
                });
            }
            service_keys::insert(c, &row, &hash)?;
            let change = (None::<&ServiceKey>, Some(&after));
            caller.note(c, "service_key.create", row.id, change, now)?;
            once.made(c, &caller, *row.id.as_bytes(), now)
        })
        .await?;
    Ok(MadeServiceKey { key, secret })
}

/// The organization's keys, oldest first.
///
/// # Errors
/// [`Error::Forbidden`].
pub async fn list(state: &AppState, caller: &Caller, part: Part) -> Result<Page<ServiceKey>, Error> {
    caller.require(Right::ManageKeys)?;
    let organization = caller.organization;
    let mut rows = state
        .store
        .read(move |c| service_keys::list(c, organization, &part))
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

/// One key.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn get(state: &AppState, caller: &Caller, id: ServiceKeyId) -> Result<ServiceKey, Error> {
    caller.require(Right::ManageKeys)?;
    let organization = caller.organization;
    let found = state
        .store
        .read(move |c| service_keys::get(c, organization, id))
        .await?;
    found.map(|row| shown(&row)).ok_or(Error::not_found("key"))
}

/// Renames a key, or changes when it ends. Its end is changed only by who could have made it.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Stale`], [`Error::Invalid`] with the field.
pub async fn change(
    state: &AppState,
    caller: &Caller,
    id: ServiceKeyId,
    seen: Option<u64>,
    patch: ServiceKeyPatch,
    now: UnixMs,
) -> Result<ServiceKey, Error> {
    caller.require(Right::ManageKeys)?;
    let name = patch.name.as_deref().map(name).transpose()?;
    if let Some(Some(at)) = patch.expires {
        future(at, now)?;
    }
    let caller = caller.clone();
    let changed = state
        .store
        .transaction(move |c| {
            let before = known(service_keys::get(c, caller.organization, id)?)?;
            Error::unless_seen(seen, before.revision)?;
            let mut row = before.clone();
            row.name = name.unwrap_or(row.name);
            if let Some(expires) = patch.expires {
                covered(&caller, row.scopes)?;
                row.expires = expires;
            }
            row.revision += 1;
            service_keys::update(c, &row)?;
            let change = (Some(&shown(&before)), Some(&shown(&row)));
            caller.note(c, "service_key.change", id, change, now)?;
            Ok(row)
        })
        .await?;
    Ok(shown(&changed))
}

/// Revokes a key: its next request is refused.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Stale`].
pub async fn revoke(
    state: &AppState,
    caller: &Caller,
    id: ServiceKeyId,
    seen: Option<u64>,
    now: UnixMs,
) -> Result<(), Error> {
    caller.require(Right::ManageKeys)?;
    let caller = caller.clone();
    state
        .store
        .transaction(move |c| {
            let before = known(service_keys::get(c, caller.organization, id)?)?;
            Error::unless_seen(seen, before.revision)?;
            service_keys::remove(c, caller.organization, id)?;
            let change = (Some(&shown(&before)), None::<&ServiceKey>);
            caller.note(c, "service_key.revoke", id, change, now)?;
            Ok(())
        })
        .await
}

fn known(found: Option<ServiceKeyRow>) -> Result<ServiceKeyRow, Error> {
    found.ok_or(Error::not_found("key"))
}

/// Lets through scopes that the caller has in full; those of the platform in its own organization only.
fn covered(caller: &Caller, scopes: Rights) -> Result<(), Error> {
    if scopes == Rights::NONE {
        return Err(Error::field("scopes", "a key has at least one right"));
    }
    let abroad = caller.organization != caller.home && scopes.iter().any(Right::is_platform);
    if abroad || !caller.rights.covers(scopes) {
        return Err(Error::Forbidden {
            code: "scope_not_own",
            title: "a key gets no right that you do not have yourself",
        });
    }
    Ok(())
}

fn name(text: &str) -> Result<String, Error> {
    line(text, 1, NAME_MAX)
        .ok_or_else(|| Error::field("name", "a name has 1 to 100 characters, none of them invisible"))
}

fn future(at: UnixMs, now: UnixMs) -> Result<UnixMs, Error> {
    if at > now {
        Ok(at)
    } else {
        Err(Error::field(
            "expires",
            "a key ends in the future; to end it now, revoke it",
        ))
    }
}

fn shown(row: &ServiceKeyRow) -> ServiceKey {
    ServiceKey {
        id: row.id,
        name: row.name.clone(),
        scopes: row.scopes,
        hint: row.hint.clone(),
        created: row.created,
        created_by: row.created_by,
        expires: row.expires,
        last_used: row.last_used,
        revision: row.revision,
    }
}
