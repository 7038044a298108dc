//! The first start makes an organization and its administrator.

use std::path::Path;

use anyhow::Context;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use wire::access::Role;
use wire::api::{ActorKind, UserState};
use wire::{OrganizationId, UnixMs, UserId};

use super::password;
use crate::secrets::{random, write_private};
use crate::store::audit::AuditRow;
use crate::store::users::UserRow;
use crate::store::{Connection, Store, StoreError, audit, organizations, users};

/// Login of the first administrator.
pub const ADMIN: &str = "admin";
const ORGANIZATION: &str = "Home";

/// Makes both unless there is a user, and writes the generated password to `password_file`.
///
/// # Errors
/// When the file or the database cannot be written.
pub async fn ensure(store: &Store, password_file: &Path, now: UnixMs) -> anyhow::Result<()> {
    if store.read(users::any).await? {
        return Ok(());
    }
    let password = generated(password_file)?;
    let hash = tokio::task::spawn_blocking(move || password::hash(&password)).await??;
    store
        .write(move |c| create(c, ORGANIZATION, ADMIN, hash, now))
        .await?;
    tracing::info!(login = ADMIN, file = %password_file.display(), "created the administrator");
    Ok(())
}

/// Adds an organization with one user.
///
/// # Errors
/// [`StoreError::Conflict`] when the login is taken, and those of the database.
pub fn create(
    connection: &mut Connection,
    name: &str,
    login: &str,
    password_hash: String,
    now: UnixMs,
) -> Result<OrganizationId, StoreError> {
    let organization = OrganizationId::generate();
    organizations::insert(connection, organization, name, now)?;
    let user = UserRow {
        id: UserId::generate(),
        organization,
        organization_name: name.to_owned(),
        login: login.to_owned(),
        name: String::new(),
        role: Role::SuperAdmin,
        state: UserState::Active,
        password_hash,
    };
    users::insert(connection, &user, now)?;
    let note = AuditRow {
        organization,
        actor_kind: ActorKind::System,
        actor: None,
        actor_name: None,
        address: None,
        request_id: None,
        action: "user.create".to_owned(),
        subject: user.id.to_string(),
        old_value: None,
        new_value: None,
    };
    audit::insert(connection, &note, now)?;
    Ok(organization)
}

/// A new password in its file. A file that a start before this one left behind is used again: that
/// start ended before the user was made.
fn generated(file: &Path) -> anyhow::Result<String> {
    if let Ok(text) = std::fs::read_to_string(file)
        && !text.trim().is_empty()
    {
        return Ok(text.trim().to_owned());
    }
    let password = BASE64_URL_SAFE_NO_PAD.encode(random::<15>()?);
    write_private(file, &format!("{password}\n"))
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(password)
}
