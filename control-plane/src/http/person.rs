//! `/api/v1/users/{id}/export` and `/api/v1/me/export`: everything kept about a person.

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::{Data, Path};
use wire::UserId;
use wire::api::PersonExport;

use super::id;
use crate::app::{Caller, person};
use crate::state::now;
use crate::{AppState, Error};

super::routes::routes! {
    "/api/v1/users/{id}/export" { get export }
    "/api/v1/me/export" { get own }
}

/// Everything kept about a user, without secrets and other people's data. Needs `users:manage`.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}/export",
    tag = "users",
    operation_id = "export_user",
    security(("bearer" = [])),
    params(("id" = UserId, Path)),
    responses((status = 200, description = "To hand over.", body = PersonExport)),
)]
async fn export(state: Data<AppState>, caller: Caller, path: Path<String>) -> Result<HttpResponse, Error> {
    let id = id(&path, "user")?;
    Ok(file(&person::export(&state, &caller, id, now()).await?))
}

/// Everything kept about oneself.
#[utoipa::path(
    get,
    path = "/api/v1/me/export",
    tag = "session",
    operation_id = "export_me",
    security(("bearer" = [])),
    responses((status = 200, description = "To keep.", body = PersonExport)),
)]
async fn own(state: Data<AppState>, caller: Caller) -> Result<HttpResponse, Error> {
    Ok(file(&person::own_export(&state, &caller, now()).await?))
}

fn file(export: &PersonExport) -> HttpResponse {
    let name = format!("attachment; filename=\"person-{}.json\"", export.user.id);
    HttpResponse::Ok()
        .insert_header((CONTENT_DISPOSITION, name))
        .json(export)
}
