//! `/api/v1/audit` and the same as a table.

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the names of parameter structs that stand beside their handlers"
)]

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data, Json, Query};
use futures::stream::{self, Stream, StreamExt};
use serde::Deserialize;
use utoipa::IntoParams;
use wire::api::{ActorKind, AuditEntry, Page};

use super::csv;
use super::player_api::time;
use super::request::PageQuery;
use crate::app::{Caller, audit};
use crate::domain::page::{Cursor, LIMIT_MAX, Part};
use crate::store::audit::{Action, Filter};
use crate::{AppState, Error};

/// Longest action or subject of a filter.
const TEXT_MAX: usize = 100;
const COLUMNS: [&str; 11] = [
    "time",
    "id",
    "actor_kind",
    "actor",
    "actor_name",
    "address",
    "request_id",
    "action",
    "subject",
    "before",
    "after",
];

super::routes::routes! {
    "/api/v1/audit" { get list }
    "/api/v1/audit.csv" { get table }
}

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Id of the user or service key that acted.
    #[param(format = "uuid")]
    actor: Option<String>,
    /// `user`, `service_key` or `system`.
    #[param(value_type = Option<ActorKind>)]
    actor_kind: Option<String>,
    /// An action, `camera.create`; all that begin alike when it ends in a dot, `camera.`.
    #[param(max_length = 100)]
    action: Option<String>,
    /// Id of what it was done to.
    #[param(max_length = 100)]
    subject: Option<String>,
    /// Happened at this time or later: RFC 3339, or milliseconds since 1970.
    from: Option<String>,
    /// Happened before this time.
    to: Option<String>,
}

impl AuditQuery {
    fn filter(self) -> Result<Filter, Error> {
        let text = |field: &'static str, text: Option<String>| match text {
            Some(text) if text.is_empty() || text.len() > TEXT_MAX || text.contains('\0') => {
                Err(Error::field(field, format!("{field} has 1 to 100 characters")))
            }
            text => Ok(text),
        };
        let actor = self.actor.map(|id| {
            uuid::Uuid::try_parse(&id)
                .map_err(|_| Error::field("actor", "actor is an id of a user or service key"))
        });
        Ok(Filter {
            actor: actor.transpose()?.map(uuid::Uuid::into_bytes),
            actor_kind: self.actor_kind.map(|kind| actor_kind(&kind)).transpose()?,
            action: text("action", self.action)?.map(|action| {
                if action.ends_with('.') {
                    Action::Begins(action)
                } else {
                    Action::Is(action)
                }
            }),
            subject: text("subject", self.subject)?,
            from: time("from", self.from.as_deref())?,
            to: time("to", self.to.as_deref())?,
        })
    }
}

fn actor_kind(text: &str) -> Result<ActorKind, Error> {
    [ActorKind::User, ActorKind::ServiceKey, ActorKind::System]
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| Error::field("actor_kind", "actor_kind is user, service_key or system"))
}

/// The audit log, newest entries first. Needs `audit:read`.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    tag = "audit",
    operation_id = "list_audit",
    security(("bearer" = [])),
    params(AuditQuery, PageQuery),
    responses((status = 200, description = "A page of entries.", body = Page<AuditEntry>)),
)]
async fn list(
    state: Data<AppState>,
    caller: Caller,
    query: Query<AuditQuery>,
    page: Query<PageQuery>,
) -> Result<Json<Page<AuditEntry>>, Error> {
    let filter = query.into_inner().filter()?;
    Ok(Json(audit::list(&state, &caller, filter, page.part()?).await?))
}

/// The audit log as a table (RFC 4180), newest entries first. Needs `audit:read`.
#[utoipa::path(
    get,
    path = "/api/v1/audit.csv",
    tag = "audit",
    operation_id = "export_audit",
    security(("bearer" = [])),
    params(AuditQuery),
    responses((status = 200, description = "All entries.", body = String, content_type = "text/csv")),
)]
async fn table(
    state: Data<AppState>,
    caller: Caller,
    query: Query<AuditQuery>,
) -> Result<HttpResponse, Error> {
    let filter = query.into_inner().filter()?;
    let start = Part {
        after: None,
        limit: LIMIT_MAX,
    };
    // The first page decides how the answer begins.
    let first = audit::list(&state, &caller, filter.clone(), start).await?;
    let head = Bytes::from(csv::line(COLUMNS));
    let pages = pages(state.get_ref().clone(), caller, filter, first);
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8; header=present")
        .insert_header(("Content-Disposition", "attachment; filename=\"audit.csv\""))
        .insert_header(("Cache-Control", "no-store"))
        .streaming(stream::once(async { Ok(head) }).chain(pages)))
}

/// The pages from `first` on, each loaded when the one before is on its way. An error breaks the answer
/// off, which the client sees.
fn pages(
    state: AppState,
    caller: Caller,
    filter: Filter,
    first: Page<AuditEntry>,
) -> impl Stream<Item = Result<Bytes, Error>> {
    stream::try_unfold(
        Some(Ok(first)),
        move |next: Option<Result<Page<AuditEntry>, String>>| {
            let (state, caller, filter) = (state.clone(), caller.clone(), filter.clone());
            async move {
                let page = match next {
                    None => return Ok(None),
                    Some(Ok(page)) => page,
                    Some(Err(cursor)) => {
                        let after = Cursor::decode(&cursor).map_err(|error| Error::Internal(error.into()))?;
                        let part = Part {
                            after: Some(after),
                            limit: LIMIT_MAX,
                        };
                        audit::list(&state, &caller, filter, part).await?
                    }
                };
                let text: String = page.items.iter().map(row).collect();
                Ok(Some((Bytes::from(text), page.next.map(Err))))
            }
        },
    )
}

fn row(entry: &AuditEntry) -> String {
    let json = |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string);
    let (before, after) = (json(&entry.before), json(&entry.after));
    csv::line([
        entry.at.to_string().as_str(),
        &entry.id.to_string(),
        entry.actor_kind.as_str(),
        entry.actor.as_deref().unwrap_or_default(),
        entry.actor_name.as_deref().unwrap_or_default(),
        entry.address.as_deref().unwrap_or_default(),
        entry.request_id.as_deref().unwrap_or_default(),
        &entry.action,
        &entry.subject,
        before.as_deref().unwrap_or_default(),
        after.as_deref().unwrap_or_default(),
    ])
}
