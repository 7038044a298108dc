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
    let (password, is_new) = generated(password_file)?;
    let given = password.clone();
    let hash = tokio::task::spawn_blocking(move || password::hash(&given)).await??;
    let made = store
        .write(move |c| {
            // Another server may have been faster.
            if users::any(c)? {
                return Ok(false);
            }
            create(c, ORGANIZATION, ADMIN, hash, now).map(|_| true)
        })
        .await?;
    if made {
        tracing::info!(login = ADMIN, file = %password_file.display(), "created the administrator");
    } else if is_new && !is_right(store, password).await? {
        std::fs::remove_file(password_file)
            .with_context(|| format!("cannot remove {}", password_file.display()))?;
    }
    Ok(())
}

/// Whether the administrator has this password: a server that shares the folder found it there.
async fn is_right(store: &Store, password: String) -> anyhow::Result<bool> {
    let passwords = tokio::task::spawn_blocking(password::Passwords::new).await??;
    let admin = store.read(|c| users::by_login(c, ADMIN)).await?;
    let hash = admin.map(|admin| admin.password_hash);
    Ok(passwords.verify(hash, password).await?.matches)
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

/// A new password in its file, and whether this start made the file. One that is there is used again: the
/// start that made it ended before the user was made, or is another server's at this moment.
fn generated(file: &Path) -> anyhow::Result<(String, bool)> {
    let kept = || {
        let text = std::fs::read_to_string(file).ok()?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    if let Some(password) = kept() {
        return Ok((password, false));
    }
    let password = BASE64_URL_SAFE_NO_PAD.encode(random::<15>()?);
    match write_private(file, &format!("{password}\n")) {
        Ok(()) => Ok((password, true)),
        Err(error) => match kept() {
            Some(password) => Ok((password, false)),
            None => Err(error).with_context(|| format!("cannot write {}", file.display())),
        },
    }
}
