//! The audit log: rows are added in the transaction of the change they tell of, and never changed.

use diesel::prelude::*;
use wire::api::ActorKind;
use wire::{AuditId, OrganizationId, UnixMs};

use super::schema::audit;
use super::types::{ActorKindSql, Id};
use super::{Connection, StoreError};

/// What happened. Values hold no secrets: they are what the API shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Whose log it stands in.
    pub organization: OrganizationId,
    /// What acted.
    pub actor_kind: ActorKind,
    /// Id of the user or service key that acted.
    pub actor: Option<[u8; 16]>,
    /// Its login or name at that time; blanked when the person is erased.
    pub actor_name: Option<String>,
    /// Network address it came from.
    pub address: Option<String>,
    /// The request, as in its answer and in the log.
    pub request_id: Option<String>,
    /// `camera.create`
    pub action: String,
    /// Id of what it was done to.
    pub subject: String,
    /// What it was before, as JSON.
    pub old_value: Option<String>,
    /// What it is now, as JSON.
    pub new_value: Option<String>,
}

/// Adds a row.
///
/// # Errors
/// Those of the database.
pub fn insert(connection: &mut Connection, row: &AuditRow, now: UnixMs) -> Result<(), StoreError> {
    diesel::insert_into(audit::table)
        .values((
            audit::id.eq(Id(*AuditId::generate().as_bytes())),
            audit::organization.eq(Id::from(row.organization)),
            audit::user.eq(row.actor.map(Id)),
            audit::actor_kind.eq(ActorKindSql(row.actor_kind)),
            audit::actor_name.eq(&row.actor_name),
            audit::address.eq(&row.address),
            audit::request_id.eq(&row.request_id),
            audit::action.eq(&row.action),
            audit::subject.eq(&row.subject),
            audit::old_value.eq(&row.old_value),
            audit::new_value.eq(&row.new_value),
            audit::happened.eq(now.0),
        ))
        .execute(connection)?;
    Ok(())
}
