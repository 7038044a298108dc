//! The audit log: rows are added in the transaction of the change they tell of, and never changed.
//! The database itself refuses anything else.

use std::collections::BTreeSet;

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
        .values(New::of(row, now))
        .execute(connection)?;
    Ok(())
}

/// Adds many rows.
///
/// # Errors
/// Those of the database.
pub fn insert_all(connection: &mut Connection, rows: &[AuditRow], now: UnixMs) -> Result<(), StoreError> {
    for rows in rows.chunks(AT_ONCE) {
        let rows: Vec<New<'_>> = rows.iter().map(|row| New::of(row, now)).collect();
        let insert = diesel::insert_into(audit::table).values(rows);
        match connection {
            Connection::Sqlite(c) => insert.execute(c)?,
            Connection::Postgres(c) => insert.execute(c)?,
        };
    }
    Ok(())
}

/// The entry that was made last; none without any.
///
/// # Errors
/// Those of the database.
pub fn newest(connection: &mut Connection) -> Result<Option<AuditId>, StoreError> {
    let newest: Option<Id> = audit::table
        .order(audit::id.desc())
        .select(audit::id)
        .first(connection)
        .optional()?;
    Ok(newest.map(|id| AuditId::from_bytes(id.0)))
}

/// What changes nothing but who is signed in.
const SIGN_INS: [&str; 4] = ["user.sign_in", "user.sign_out", "user.refresh_reuse", "user.lock"];

/// The organizations in which something was changed after `before`; none at all when nothing came before.
/// That people come and go is no change.
///
/// # Errors
/// Those of the database.
pub fn organizations_since(
    connection: &mut Connection,
    before: Option<AuditId>,
) -> Result<BTreeSet<OrganizationId>, StoreError> {
    let Some(before) = before else {
        return Ok(BTreeSet::new());
    };
    let rows: Vec<Id> = audit::table
        .filter(audit::id.gt(Id::from(before)))
        .filter(audit::action.ne_all(SIGN_INS))
        .select(audit::organization)
        .load(connection)?;
    // Not by the database: asked for distinct organizations, SQLite reads the index by organization from end to
    // end instead of the few newest rows.
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Rows of one statement.
const AT_ONCE: usize = 500;

#[derive(Insertable)]
#[diesel(table_name = audit, treat_none_as_default_value = false)]
struct New<'a> {
    id: Id,
    organization: Id,
    user: Option<Id>,
    actor_kind: ActorKindSql,
    actor_name: Option<&'a str>,
    address: Option<&'a str>,
    request_id: Option<&'a str>,
    action: &'a str,
    subject: &'a str,
    old_value: Option<&'a str>,
    new_value: Option<&'a str>,
    happened: i64,
}

impl<'a> New<'a> {
    fn of(row: &'a AuditRow, now: UnixMs) -> Self {
        Self {
            id: Id(*AuditId::generate().as_bytes()),
            organization: row.organization.into(),
            user: row.actor.map(Id),
            actor_kind: ActorKindSql(row.actor_kind),
            actor_name: row.actor_name.as_deref(),
            address: row.address.as_deref(),
            request_id: row.request_id.as_deref(),
            action: &row.action,
            subject: &row.subject,
            old_value: row.old_value.as_deref(),
            new_value: row.new_value.as_deref(),
            happened: now.0,
        }
    }
}

/// A row as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The entry; later ones have greater ids.
    pub id: AuditId,
    /// When it happened.
    pub happened: UnixMs,
    /// What happened.
    pub row: AuditRow,
}

/// An action, or all that begin alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// This one: `camera.create`.
    Is(String),
    /// Those that begin so: `camera.`.
    Begins(String),
}

/// Which entries are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Of this user or service key.
    pub actor: Option<[u8; 16]>,
    /// Of actors of this kind.
    pub actor_kind: Option<ActorKind>,
    /// Of this action.
    pub action: Option<Action>,
    /// About this.
    pub subject: Option<String>,
    /// Happened at this time or later.
    pub from: Option<UnixMs>,
    /// Happened before this time.
    pub to: Option<UnixMs>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit)]
pub(super) struct Raw {
    id: Id,
    organization: Id,
    user: Option<Id>,
    action: String,
    subject: String,
    happened: i64,
    actor_kind: ActorKindSql,
    actor_name: Option<String>,
    address: Option<String>,
    request_id: Option<String>,
    old_value: Option<String>,
    new_value: Option<String>,
}

impl From<Raw> for Logged {
    fn from(raw: Raw) -> Self {
        Self {
            id: raw.id.into(),
            happened: UnixMs(raw.happened),
            row: AuditRow {
                organization: raw.organization.into(),
                actor_kind: raw.actor_kind.into(),
                actor: raw.user.map(|id| id.0),
                actor_name: raw.actor_name,
                address: raw.address,
                request_id: raw.request_id,
                action: raw.action,
                subject: raw.subject,
                old_value: raw.old_value,
                new_value: raw.new_value,
            },
        }
    }
}

/// An organization's entries, newest first, older than `before`; at most `limit`. Ids grow with time and
/// one transaction writes at a time, so that newer entries are never among those asked for later.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Connection,
    organization: OrganizationId,
    filter: &Filter,
    before: Option<AuditId>,
    limit: i64,
) -> Result<Vec<Logged>, StoreError> {
    let mut query = audit::table
        .filter(audit::organization.eq(Id::from(organization)))
        .order(audit::id.desc())
        .limit(limit)
        .select(Raw::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(audit::id.lt(Id::from(before)));
    }
    if let Some(actor) = filter.actor {
        query = query.filter(audit::user.eq(Id(actor)));
    }
    if let Some(kind) = filter.actor_kind {
        query = query.filter(audit::actor_kind.eq(ActorKindSql(kind)));
    }
    match &filter.action {
        Some(Action::Is(action)) => query = query.filter(audit::action.eq(action)),
        Some(Action::Begins(prefix)) => {
            let pattern = super::like::begins(prefix);
            query = query.filter(audit::action.like(pattern).escape('\\'));
        }
        None => {}
    }
    if let Some(subject) = &filter.subject {
        query = query.filter(audit::subject.eq(subject));
    }
    if let Some(from) = filter.from {
        query = query.filter(audit::happened.ge(from.0));
    }
    if let Some(to) = filter.to {
        query = query.filter(audit::happened.lt(to.0));
    }
    let rows: Vec<Raw> = query.load(connection)?;
    Ok(rows.into_iter().map(Into::into).collect())
}
