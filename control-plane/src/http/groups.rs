//! `/api/v1/groups`: groups of cameras.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use wire::GroupId;
use wire::api::{Group, GroupPatch, NewGroup, Page};

use super::id;
use super::request::{IdempotencyKey, IfMatch, PageQuery, changed, created};
use crate::app::{Caller, Once, groups};
use crate::state::now;
use crate::{AppState, Error};

super::routes::routes! {
    "/api/v1/groups" { get list, post create }
    "/api/v1/groups/{id}" { get one, patch change, delete remove }
}

/// Groups that the caller may know of, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/groups",
    tag = "groups",
    operation_id = "list_groups",
    security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, description = "A page of groups.", body = Page<Group>)),
)]
async fn list(
    state: Data<AppState>,
    caller: Caller,
    page: Query<PageQuery>,
) -> Result<Json<Page<Group>>, Error> {
    Ok(Json(groups::list(&state, &caller, page.part()?).await?))
}

/// Adds a group. Needs `cameras:manage`.
#[utoipa::path(
    post,
    path = "/api/v1/groups",
    tag = "groups",
    operation_id = "create_group",
    security(("bearer" = [])),
    request_body = NewGroup,
    responses((status = 201, description = "The group.", body = Group)),
)]
async fn create(
    state: Data<AppState>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    body: Json<NewGroup>,
) -> Result<HttpResponse, Error> {
    let once = Once::new(&caller, key, "create_group", &*body)?;
    let group = groups::create(&state, &caller, once, body.into_inner(), now()).await?;
    let location = format!("/api/v1/groups/{}", group.id);
    Ok(created(location, &group, group.revision))
}

/// One group.
#[utoipa::path(
    get,
    path = "/api/v1/groups/{id}",
    tag = "groups",
    operation_id = "get_group",
    security(("bearer" = [])),
    params(("id" = GroupId, Path)),
    responses((status = 200, description = "The group.", body = Group)),
)]
async fn one(state: Data<AppState>, caller: Caller, path: Path<String>) -> Result<HttpResponse, Error> {
    let group = groups::get(&state, &caller, id(&path, "group")?).await?;
    // Cameras come and go without a new revision, so a client is never told that it has this one.
    Ok(changed(&group, group.revision))
}

/// Changes the fields given. Needs `cameras:manage`.
#[utoipa::path(
    patch,
    path = "/api/v1/groups/{id}",
    tag = "groups",
    operation_id = "change_group",
    security(("bearer" = [])),
    params(("id" = GroupId, Path)),
    request_body = GroupPatch,
    responses((status = 200, description = "The changed group.", body = Group)),
)]
async fn change(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
    body: Json<GroupPatch>,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "group")?;
    let group = groups::patch(&state, &caller, id, seen, body.into_inner(), now()).await?;
    Ok(changed(&group, group.revision))
}

/// Deletes a group and the grants on it; its cameras are in none then. Needs `cameras:manage`.
#[utoipa::path(
    delete,
    path = "/api/v1/groups/{id}",
    tag = "groups",
    operation_id = "delete_group",
    security(("bearer" = [])),
    params(("id" = GroupId, Path)),
    responses((status = 204, description = "It is deleted.")),
)]
async fn remove(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
) -> Result<HttpResponse, Error> {
    groups::delete(&state, &caller, id(&path, "group")?, seen, now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
