//! `/api/v1/me/…`: one's own password, second factor and sessions.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use wire::SessionId;
use wire::api::{
    BeginTotp, ChangePassword, Page, RecoveryCodes, RemoveTotp, TotpCode, TotpSecret, UserSession,
};

use super::id;
use super::request::{IfMatch, PageQuery};
use crate::app::{Caller, account, second_factor};
use crate::state::now;
use crate::{AppState, Error};

super::routes::routes! {
    "/api/v1/me/password" { post change_password }
    "/api/v1/me/sessions" { get list_sessions, delete end_other_sessions }
    "/api/v1/me/sessions/{id}" { delete end_session }
    "/api/v1/me/totp" { post begin_totp, delete remove_totp }
    "/api/v1/me/totp/confirm" { post confirm_totp }
    "/api/v1/me/totp/recovery-codes" { post renew_recovery_codes }
}

/// Changes one's own password; every other session ends.
#[utoipa::path(
    post,
    path = "/api/v1/me/password",
    tag = "account",
    operation_id = "change_own_password",
    security(("bearer" = [])),
    request_body = ChangePassword,
    responses((status = 204, description = "It is changed.")),
)]
async fn change_password(
    state: Data<AppState>,
    caller: Caller,
    body: Json<ChangePassword>,
) -> Result<HttpResponse, Error> {
    account::change_password(&state, &caller, body.into_inner(), now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Where one is signed in, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/me/sessions",
    tag = "account",
    operation_id = "list_own_sessions",
    security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, description = "A page of sessions.", body = Page<UserSession>)),
)]
async fn list_sessions(
    state: Data<AppState>,
    caller: Caller,
    page: Query<PageQuery>,
) -> Result<Json<Page<UserSession>>, Error> {
    Ok(Json(account::list(&state, &caller, page.part()?, now()).await?))
}

/// Ends every session of one's own but this one.
#[utoipa::path(
    delete,
    path = "/api/v1/me/sessions",
    tag = "account",
    operation_id = "end_own_other_sessions",
    security(("bearer" = [])),
    responses((status = 204, description = "This one is the only one.")),
)]
async fn end_other_sessions(state: Data<AppState>, caller: Caller) -> Result<HttpResponse, Error> {
    account::end_others(&state, &caller, now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ends one of one's own sessions.
#[utoipa::path(
    delete,
    path = "/api/v1/me/sessions/{id}",
    tag = "account",
    operation_id = "end_own_session",
    security(("bearer" = [])),
    params(("id" = SessionId, Path)),
    responses((status = 204, description = "It has ended.")),
)]
async fn end_session(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    seen: IfMatch,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "session")?;
    seen.without_revision()?;
    account::end(&state, &caller, id, now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Makes the secret of a second factor. It is in force once confirmed.
#[utoipa::path(
    post,
    path = "/api/v1/me/totp",
    tag = "account",
    operation_id = "begin_totp",
    security(("bearer" = [])),
    request_body = BeginTotp,
    responses((status = 200, description = "The secret, shown this once.", body = TotpSecret)),
)]
async fn begin_totp(
    state: Data<AppState>,
    caller: Caller,
    body: Json<BeginTotp>,
) -> Result<Json<TotpSecret>, Error> {
    let secret = second_factor::begin(&state, &caller, body.into_inner(), now()).await?;
    Ok(Json(secret))
}

/// Puts the second factor in force by a code of it.
#[utoipa::path(
    post,
    path = "/api/v1/me/totp/confirm",
    tag = "account",
    operation_id = "confirm_totp",
    security(("bearer" = [])),
    request_body = TotpCode,
    responses((status = 200, description = "Recovery codes, shown this once.", body = RecoveryCodes)),
)]
async fn confirm_totp(
    state: Data<AppState>,
    caller: Caller,
    body: Json<TotpCode>,
) -> Result<Json<RecoveryCodes>, Error> {
    let codes = second_factor::confirm(&state, &caller, body.into_inner(), now()).await?;
    Ok(Json(codes))
}

/// Removes the second factor; one that is in force wants a code.
#[utoipa::path(
    delete,
    path = "/api/v1/me/totp",
    tag = "account",
    operation_id = "remove_totp",
    security(("bearer" = [])),
    request_body = RemoveTotp,
    responses((status = 204, description = "The password alone signs in.")),
)]
async fn remove_totp(
    state: Data<AppState>,
    caller: Caller,
    body: Json<RemoveTotp>,
) -> Result<HttpResponse, Error> {
    second_factor::remove(&state, &caller, body.into_inner(), now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Makes new recovery codes; those before work no more.
#[utoipa::path(
    post,
    path = "/api/v1/me/totp/recovery-codes",
    tag = "account",
    operation_id = "renew_recovery_codes",
    security(("bearer" = [])),
    request_body = TotpCode,
    responses((status = 200, description = "Recovery codes, shown this once.", body = RecoveryCodes)),
)]
async fn renew_recovery_codes(
    state: Data<AppState>,
    caller: Caller,
    body: Json<TotpCode>,
) -> Result<Json<RecoveryCodes>, Error> {
    let codes = second_factor::renew_codes(&state, &caller, body.into_inner(), now()).await?;
    Ok(Json(codes))
}
