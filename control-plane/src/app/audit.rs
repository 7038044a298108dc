//! Reading the audit log: page by page, or as one long table.

use wire::AuditId;
use wire::access::Right;
use wire::api::{AuditEntry, Page};

use super::Caller;
use crate::domain::page::{Cursor, Part};
use crate::store::StoreError;
use crate::store::audit::{self, Filter, Logged};
use crate::{AppState, Error};

/// Entries, newest first. Needs `audit:read`.
///
/// # Errors
/// [`Error::Forbidden`], and those of the database.
pub async fn list(
    state: &AppState,
    caller: &Caller,
    filter: Filter,
    part: Part,
) -> Result<Page<AuditEntry>, Error> {
    caller.require(Right::ReadAudit)?;
    let organization = caller.organization;
    let before = part.after.map(|cursor| AuditId::from_bytes(cursor.id));
    let fetch = part.fetch();
    let mut rows = state
        .store
        .read(move |c| audit::list(c, organization, &filter, before, fetch))
        .await?;
    let next = part.cut(&mut rows, |row| Cursor {
        at: row.happened.0,
        id: *row.id.as_bytes(),
    });
    let items = rows.into_iter().map(shown).collect::<Result<_, _>>()?;
    Ok(Page { items, next })
}

fn shown(logged: Logged) -> Result<AuditEntry, StoreError> {
    let value = |text: Option<String>| text.map(|text| serde_json::from_str(&text)).transpose();
    let row = logged.row;
    Ok(AuditEntry {
        id: logged.id,
        at: logged.happened,
        actor_kind: row.actor_kind,
        actor: row.actor.map(|id| uuid::Uuid::from_bytes(id).to_string()),
        actor_name: row.actor_name,
        address: row.address,
        request_id: row.request_id,
        action: row.action,
        subject: row.subject,
        before: value(row.old_value)?,
        after: value(row.new_value)?,
    })
}
