//! `/api/v1/users`: the people of an organization, their links and grants.

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the names of parameter structs that stand beside their handlers"
)]

use actix_web::web::{Data, Json, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::IntoParams;
use wire::UserId;
use wire::access::Role;
use wire::api::{Grants, Invited, NewUser, OneTimeLink, Page, User, UserPatch, UserState};

use super::id;
use super::long_json::LongJson;
use super::request::{IdempotencyKey, IfMatch, PageQuery, changed, created, tagged};
use crate::app::{Caller, Once, grants, invitations, person, users};
use crate::domain::text::line;
use crate::state::now;
use crate::store::members::Filter;
use crate::{AppState, Error};

super::routes::routes! {
    "/api/v1/users" { get list, post invite }
    "/api/v1/users/{id}" { get one, patch change, delete erase }
    "/api/v1/users/{id}/invitation" { post renew }
    "/api/v1/users/{id}/password-reset" { post reset }
    "/api/v1/users/{id}/grants" { get granted, put grant }
}

const SEARCH_MAX: usize = 100;

/// Which users.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct UserQuery {
    /// Those who are this.
    role: Option<Role>,
    /// Those in this state.
    state: Option<UserState>,
    /// Those with this in their login or name, whatever its case.
    #[param(max_length = 100)]
    q: Option<String>,
}

impl UserQuery {
    fn filter(&self) -> Result<Filter, Error> {
        let search = |text: &String| {
            line(text, 0, SEARCH_MAX)
                .ok_or_else(|| Error::field("q", "at most 100 characters, none of them invisible"))
        };
        Ok(Filter {
            role: self.role,
            state: self.state,
            has: self.q.as_ref().map(search).transpose()?,
        })
    }
}

/// Users of the organization, oldest first. Needs `users:manage`.
#[utoipa::path(
    get,
    path = "/api/v1/users",
    tag = "users",
    operation_id = "list_users",
    security(("bearer" = [])),
    params(UserQuery, PageQuery),
    responses((status = 200, description = "A page of users.", body = Page<User>)),
)]
async fn list(
    state: Data<AppState>,
    caller: Caller,
    query: Query<UserQuery>,
    page: Query<PageQuery>,
) -> Result<Json<Page<User>>, Error> {
    Ok(Json(
        users::list(&state, &caller, query.filter()?, page.part()?).await?,
    ))
}

/// Invites somebody. Needs `users:manage`, and no role above one's own is given.
///
/// The link is shown in this answer only. The same request again under its `Idempotency-Key` answers 409
/// `already_created`: nothing new is made, and a lost link is replaced by renewing the invitation.
#[utoipa::path(
    post,
    path = "/api/v1/users",
    tag = "users",
    operation_id = "invite_user",
    security(("bearer" = [])),
    request_body = NewUser,
    responses((status = 201, description = "The user, and the link to hand over.", body = Invited)),
)]
async fn invite(
    state: Data<AppState>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    body: Json<NewUser>,
) -> Result<HttpResponse, Error> {
    let once = Once::new(&caller, key, "invite_user", &*body)?;
    let invited = invitations::invite(&state, &caller, once, body.into_inner(), now()).await?;
    let location = format!("/api/v1/users/{}", invited.user.id);
    Ok(created(location, &invited, invited.user.revision))
}

/// One user. Needs `users:manage`.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}",
    tag = "users",
    operation_id = "get_user",
    security(("bearer" = [])),
    params(("id" = UserId, Path)),
    responses(
        (status = 200, description = "The user.", body = User),
        (status = 304, description = "Still the one of `If-None-Match`."),
    ),
)]
async fn one(
    request: HttpRequest,
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
) -> Result<HttpResponse, Error> {
    let user = users::get(&state, &caller, id(&path, "user")?).await?;
    Ok(tagged(&request, &user, user.revision))
}

/// Changes the fields given. Needs `users:manage`.
///
/// 409 `own_account` for one's own role and state, `last_admin` and `last_super_admin` when nobody would
/// be left to run the organization or the platform.
#[utoipa::path(
    patch,
    path = "/api/v1/users/{id}",
    tag = "users",
    operation_id = "change_user",
    security(("bearer" = [])),
    params(("id" = UserId, Path)),
    request_body = UserPatch,
    responses((status = 200, description = "The changed user.", body = User)),
)]
async fn change(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
    body: Json<UserPatch>,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "user")?;
    let user = users::change(&state, &caller, id, seen, body.into_inner(), now()).await?;
    Ok(changed(&user, user.revision))
}

/// Erases a user: account, sessions, links, grants. The audit log keeps what happened under the id alone;
/// names, addresses and values are blanked. Needs `users:manage`.
///
/// 409 `own_account` for oneself, `last_admin` and `last_super_admin` when nobody would be left to run the
/// organization or the platform.
#[utoipa::path(
    delete,
    path = "/api/v1/users/{id}",
    tag = "users",
    operation_id = "erase_user",
    security(("bearer" = [])),
    params(("id" = UserId, Path)),
    responses((status = 204, description = "The user is erased.")),
)]
async fn erase(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
) -> Result<HttpResponse, Error> {
    person::erase(&state, &caller, id(&path, "user")?, seen, now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A new link for who has not accepted an invitation yet; the one before ends. Needs `users:manage`.
#[utoipa::path(
    post,
    path = "/api/v1/users/{id}/invitation",
    tag = "users",
    operation_id = "renew_invitation",
    security(("bearer" = [])),
    params(("id" = UserId, Path)),
    responses((status = 200, description = "The link, shown in this answer only.", body = OneTimeLink)),
)]
async fn renew(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
) -> Result<Json<OneTimeLink>, Error> {
    let id = id(&path, "user")?;
    Ok(Json(invitations::renew(&state, &caller, id, now()).await?))
}

/// A link to a new password; ends the user's sessions. The old password works until the link is used.
/// Needs `users:manage`.
#[utoipa::path(
    post,
    path = "/api/v1/users/{id}/password-reset",
    tag = "users",
    operation_id = "reset_password",
    security(("bearer" = [])),
    params(("id" = UserId, Path)),
    responses((status = 200, description = "The link, shown in this answer only.", body = OneTimeLink)),
)]
async fn reset(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
) -> Result<Json<OneTimeLink>, Error> {
    let id = id(&path, "user")?;
    Ok(Json(invitations::reset(&state, &caller, id, now()).await?))
}

/// What a user was granted on cameras and groups; the `ETag` is the user's. Needs `users:manage`.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}/grants",
    tag = "users",
    operation_id = "get_grants",
    security(("bearer" = [])),
    params(("id" = UserId, Path)),
    responses(
        (status = 200, description = "All grants.", body = Grants),
        (status = 304, description = "Still those of `If-None-Match`."),
    ),
)]
async fn granted(
    request: HttpRequest,
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
) -> Result<HttpResponse, Error> {
    let (grants, revision) = grants::get(&state, &caller, id(&path, "user")?).await?;
    Ok(tagged(&request, &grants, revision))
}

/// Grants a user exactly these, from the next request on. Needs `users:manage`.
#[utoipa::path(
    put,
    path = "/api/v1/users/{id}/grants",
    tag = "users",
    operation_id = "put_grants",
    security(("bearer" = [])),
    params(("id" = UserId, Path)),
    request_body = Grants,
    responses((status = 200, description = "All grants.", body = Grants)),
)]
async fn grant(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
    body: LongJson<Grants>,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "user")?;
    let (grants, revision) = grants::put(&state, &caller, id, seen, body.0, now()).await?;
    Ok(changed(&grants, revision))
}
