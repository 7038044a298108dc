//! `/api/v1/organizations`.

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the names of parameter structs that stand beside their handlers"
)]

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use serde::Deserialize;
use utoipa::IntoParams;
use wire::OrganizationId;
use wire::api::{NewOrganization, Organization, OrganizationPatch, OrganizationState, Page};

use super::id;
use super::request::{IdempotencyKey, IfMatch, PageQuery, changed, created};
use crate::app::organizations::Deletion;
use crate::app::{Caller, Once, organizations};
use crate::domain::organization::Step;
use crate::state::now;
use crate::{AppState, Error};

super::routes::routes! {
    "/api/v1/organizations" { get list, post create }
    "/api/v1/organizations/{id}" { get one, patch change, delete remove }
    "/api/v1/organizations/{id}/suspend" { post suspend }
    "/api/v1/organizations/{id}/resume" { post resume }
    "/api/v1/organizations/{id}/restore" { post restore }
}

/// Which organizations.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Search {
    /// Those in this state.
    #[param(value_type = Option<OrganizationState>)]
    state: Option<String>,
    /// Those with this in their name.
    #[param(max_length = 100)]
    q: Option<String>,
}

/// How to delete.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct How {
    /// Days in which it can be restored; 0 needs `confirm`.
    #[param(value_type = Option<u16>, minimum = 0, maximum = 365, default = 30)]
    grace_days: Option<String>,
    /// The exact name of the organization.
    confirm: Option<String>,
}

/// All organizations, oldest first, for who runs the platform; the own one for others.
#[utoipa::path(
    get,
    path = "/api/v1/organizations",
    tag = "organizations",
    operation_id = "list_organizations",
    security(("bearer" = [])),
    params(Search, PageQuery),
    responses((status = 200, description = "A page of organizations.", body = Page<Organization>)),
)]
async fn list(
    state: Data<AppState>,
    caller: Caller,
    search: Query<Search>,
    page: Query<PageQuery>,
) -> Result<Json<Page<Organization>>, Error> {
    let Search { state: wanted, q } = search.into_inner();
    let wanted = wanted.map(|text| in_state(&text)).transpose()?;
    Ok(Json(
        organizations::list(&state, &caller, wanted, q, page.part()?).await?,
    ))
}

fn in_state(text: &str) -> Result<OrganizationState, Error> {
    match text {
        "active" => Ok(OrganizationState::Active),
        "suspended" => Ok(OrganizationState::Suspended),
        "deleting" => Ok(OrganizationState::Deleting),
        _ => Err(Error::field("state", "state is active, suspended or deleting")),
    }
}

/// Adds an organization. Needs `organizations:manage`.
#[utoipa::path(
    post,
    path = "/api/v1/organizations",
    tag = "organizations",
    operation_id = "create_organization",
    security(("bearer" = [])),
    request_body = NewOrganization,
    responses((status = 201, description = "The organization.", body = Organization)),
)]
async fn create(
    state: Data<AppState>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    body: Json<NewOrganization>,
) -> Result<HttpResponse, Error> {
    let once = Once::new(&caller, key, "create_organization", &*body)?;
    let made = organizations::create(&state, &caller, once, body.into_inner(), now()).await?;
    let location = format!("/api/v1/organizations/{}", made.id);
    Ok(created(location, &made, made.revision))
}

/// One organization; any for who runs the platform, the own one for others.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{id}",
    tag = "organizations",
    operation_id = "get_organization",
    security(("bearer" = [])),
    params(("id" = OrganizationId, Path)),
    responses((status = 200, description = "The organization.", body = Organization)),
)]
async fn one(state: Data<AppState>, caller: Caller, path: Path<String>) -> Result<HttpResponse, Error> {
    let shown = organizations::get(&state, &caller, id(&path, "organization")?).await?;
    // Its usage changes without a new revision, so a client is never told that it has this one.
    Ok(changed(&shown, shown.revision))
}

/// Changes the fields given. The name needs `organization:manage`, the rest `organizations:manage`.
#[utoipa::path(
    patch,
    path = "/api/v1/organizations/{id}",
    tag = "organizations",
    operation_id = "change_organization",
    security(("bearer" = [])),
    params(("id" = OrganizationId, Path)),
    request_body = OrganizationPatch,
    responses((status = 200, description = "The changed organization.", body = Organization)),
)]
async fn change(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
    body: Json<OrganizationPatch>,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "organization")?;
    let shown = organizations::patch(&state, &caller, id, seen, body.into_inner(), now()).await?;
    Ok(changed(&shown, shown.revision))
}

/// Deletes an organization: recording, sign-ins and keys stop at once, and everything is erased when the
/// days of grace are over. Needs `organizations:manage`.
#[utoipa::path(
    delete,
    path = "/api/v1/organizations/{id}",
    tag = "organizations",
    operation_id = "delete_organization",
    security(("bearer" = [])),
    params(("id" = OrganizationId, Path), How),
    responses((status = 200, description = "It is being deleted.", body = Organization)),
)]
async fn remove(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    how: Query<How>,
    IfMatch(seen): IfMatch,
) -> Result<HttpResponse, Error> {
    let How { grace_days, confirm } = how.into_inner();
    let days = grace_days.map(|text| {
        text.parse()
            .map_err(|_| Error::field("grace_days", "0 to 365 days of grace"))
    });
    let deletion = Deletion {
        grace_days: days.transpose()?,
        confirm,
    };
    let id = id(&path, "organization")?;
    let shown = organizations::delete(&state, &caller, id, seen, deletion, now()).await?;
    Ok(changed(&shown, shown.revision))
}

/// Stops recording and every change; what is there can be watched. Needs `organizations:manage`.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{id}/suspend",
    tag = "organizations",
    operation_id = "suspend_organization",
    security(("bearer" = [])),
    params(("id" = OrganizationId, Path)),
    responses((status = 200, description = "It is suspended.", body = Organization)),
)]
async fn suspend(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    seen: IfMatch,
) -> Result<HttpResponse, Error> {
    step(&state, &caller, &path, seen, Step::Suspend).await
}

/// Lets a suspended organization go on. Needs `organizations:manage`.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{id}/resume",
    tag = "organizations",
    operation_id = "resume_organization",
    security(("bearer" = [])),
    params(("id" = OrganizationId, Path)),
    responses((status = 200, description = "It is active.", body = Organization)),
)]
async fn resume(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    seen: IfMatch,
) -> Result<HttpResponse, Error> {
    step(&state, &caller, &path, seen, Step::Resume).await
}

/// Takes a deletion back, within its days of grace. Needs `organizations:manage`.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{id}/restore",
    tag = "organizations",
    operation_id = "restore_organization",
    security(("bearer" = [])),
    params(("id" = OrganizationId, Path)),
    responses((status = 200, description = "It is as it was before its deletion.", body = Organization)),
)]
async fn restore(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    seen: IfMatch,
) -> Result<HttpResponse, Error> {
    step(&state, &caller, &path, seen, Step::Restore).await
}

async fn step(
    state: &AppState,
    caller: &Caller,
    path: &str,
    IfMatch(seen): IfMatch,
    step: Step,
) -> Result<HttpResponse, Error> {
    let id = id(path, "organization")?;
    let shown = organizations::step(state, caller, id, seen, step, now()).await?;
    Ok(changed(&shown, shown.revision))
}
