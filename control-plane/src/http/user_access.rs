//! `/api/v1/users/{id}/lock`, `…/totp`, `…/sessions`: what administrators do about others' access.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use wire::UserId;
use wire::api::{Page, UserSession};

use super::id;
use super::request::{IfMatch, PageQuery};
use crate::app::{Caller, user_access};
use crate::state::now;
use crate::{AppState, Error};

super::routes::routes! {
    "/api/v1/users/{id}/lock" { delete unlock }
    "/api/v1/users/{id}/totp" { delete remove_totp }
    "/api/v1/users/{id}/sessions" { get list_sessions, delete end_sessions }
}

/// Lets a user who failed to sign in too often try again. Needs `users:manage`.
#[utoipa::path(
    delete,
    path = "/api/v1/users/{id}/lock",
    tag = "users",
    operation_id = "unlock_user",
    security(("bearer" = [])),
    params(("id" = UserId, Path)),
    responses((status = 204, description = "The user is not locked out.")),
)]
async fn unlock(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    seen: IfMatch,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "user")?;
    seen.without_revision()?;
    user_access::unlock(&state, &caller, id, now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Removes a second factor that the user lost. Needs `users:manage`.
#[utoipa::path(
    delete,
    path = "/api/v1/users/{id}/totp",
    tag = "users",
    operation_id = "remove_user_totp",
    security(("bearer" = [])),
    params(("id" = UserId, Path)),
    responses((status = 204, description = "The user's password alone signs in.")),
)]
async fn remove_totp(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    seen: IfMatch,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "user")?;
    seen.without_revision()?;
    user_access::remove_factor(&state, &caller, id, now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Where a user is signed in, oldest first. Needs `users:manage`.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}/sessions",
    tag = "users",
    operation_id = "list_user_sessions",
    security(("bearer" = [])),
    params(("id" = UserId, Path), PageQuery),
    responses((status = 200, description = "A page of sessions.", body = Page<UserSession>)),
)]
async fn list_sessions(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    page: Query<PageQuery>,
) -> Result<Json<Page<UserSession>>, Error> {
    let id = id(&path, "user")?;
    let sessions = user_access::sessions(&state, &caller, id, page.part()?, now()).await?;
    Ok(Json(sessions))
}

/// Signs a user out everywhere. Needs `users:manage`.
#[utoipa::path(
    delete,
    path = "/api/v1/users/{id}/sessions",
    tag = "users",
    operation_id = "end_user_sessions",
    security(("bearer" = [])),
    params(("id" = UserId, Path)),
    responses((status = 204, description = "The user is signed in nowhere.")),
)]
async fn end_sessions(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    seen: IfMatch,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "user")?;
    seen.without_revision()?;
    user_access::end_sessions(&state, &caller, id, now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
