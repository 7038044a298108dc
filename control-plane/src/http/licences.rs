//! `/api/v1/licences`: issue, look at, change, renew, suspend.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use serde::Deserialize;
use wire::api::{
    AssignLicence, IssuedLicences, Licence, LicencePatch, LicenceUsage, NewLicences, Page, RenewLicence,
    TransferLicence,
};
use wire::licence::LicenceState;
use wire::{CameraId, LicenceId};

use super::id;
use super::request::{IdempotencyKey, IfMatch, PageQuery, changed, created};
use crate::app::{Caller, Once, licences};
use crate::state::now;
use crate::store::licences::Filter;
use crate::{AppState, Error};

super::routes::routes! {
    "/api/v1/licences" { get list, post issue }
    "/api/v1/licences/usage" { get usage }
    "/api/v1/licences/{id}" { get one, patch change }
    "/api/v1/licences/{id}/camera" { put assign, delete unassign }
    "/api/v1/licences/{id}/transfer" { post transfer }
    "/api/v1/licences/{id}/renew" { post renew }
    "/api/v1/licences/{id}/suspend" { post suspend }
    "/api/v1/licences/{id}/resume" { post resume }
}

/// Which licences.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct FilterQuery {
    /// Those in this state now.
    #[param(value_type = Option<LicenceState>)]
    state: Option<String>,
    /// The one of this camera.
    #[param(value_type = Option<CameraId>)]
    camera: Option<String>,
    /// `true`: those with a camera; `false`: those without one.
    #[param(value_type = Option<bool>)]
    assigned: Option<String>,
}

impl FilterQuery {
    fn filter(&self) -> Result<Filter, Error> {
        let state = self.state.as_deref().map(|text| {
            let mut all = LicenceState::ALL.into_iter();
            let title = "state is pending, active, grace, expired or suspended";
            all.find(|state| state.as_str() == text)
                .ok_or_else(|| Error::field("state", title))
        });
        let camera = self.camera.as_deref().map(|text| {
            text.parse()
                .map_err(|_| Error::field("camera", "camera is a camera's id"))
        });
        let assigned = self.assigned.as_deref().map(|text| {
            let title = "assigned is true or false";
            text.parse().map_err(|_| Error::field("assigned", title))
        });
        Ok(Filter {
            state: state.transpose()?,
            camera: camera.transpose()?,
            assigned: assigned.transpose()?,
        })
    }
}

/// The organization's licences, oldest first. Needs `licences:assign`.
#[utoipa::path(
    get,
    path = "/api/v1/licences",
    tag = "licences",
    operation_id = "list_licences",
    security(("bearer" = [])),
    params(FilterQuery, PageQuery),
    responses((status = 200, description = "A page of licences.", body = Page<Licence>)),
)]
async fn list(
    state: Data<AppState>,
    caller: Caller,
    filter: Query<FilterQuery>,
    page: Query<PageQuery>,
) -> Result<Json<Page<Licence>>, Error> {
    let page = licences::list(&state, &caller, filter.filter()?, page.part()?, now()).await?;
    Ok(Json(page))
}

/// Issues one or several licences to an organization. Needs `licences:issue`.
#[utoipa::path(
    post,
    path = "/api/v1/licences",
    tag = "licences",
    operation_id = "issue_licences",
    security(("bearer" = [])),
    request_body = NewLicences,
    responses((status = 201, description = "The licences.", body = IssuedLicences)),
)]
async fn issue(
    state: Data<AppState>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    body: Json<NewLicences>,
) -> Result<HttpResponse, Error> {
    let once = Once::new(&caller, key, "issue_licences", &*body)?;
    let issued = licences::issue(&state, &caller, once, body.into_inner(), now()).await?;
    // One has an address and a revision of its own; several are in the list.
    let [one] = issued.items.as_slice() else {
        return Ok(HttpResponse::Created()
            .insert_header(("Location", "/api/v1/licences"))
            .json(issued));
    };
    let location = format!("/api/v1/licences/{}", one.id);
    Ok(created(location, &issued, one.revision))
}

/// The organization's licences in numbers. Needs `licences:assign`.
#[utoipa::path(
    get,
    path = "/api/v1/licences/usage",
    tag = "licences",
    operation_id = "licence_usage",
    security(("bearer" = [])),
    responses((status = 200, description = "The numbers.", body = LicenceUsage)),
)]
async fn usage(state: Data<AppState>, caller: Caller) -> Result<Json<LicenceUsage>, Error> {
    Ok(Json(licences::usage(&state, &caller, now()).await?))
}

/// One licence. Needs `licences:assign`.
#[utoipa::path(
    get,
    path = "/api/v1/licences/{id}",
    tag = "licences",
    operation_id = "get_licence",
    security(("bearer" = [])),
    params(("id" = LicenceId, Path)),
    responses((status = 200, description = "The licence.", body = Licence)),
)]
async fn one(state: Data<AppState>, caller: Caller, path: Path<String>) -> Result<HttpResponse, Error> {
    // Its state changes without a new revision: never answered with 304.
    let licence = licences::get(&state, &caller, id(&path, "licence")?, now()).await?;
    Ok(changed(&licence, licence.revision))
}

/// Changes name, plan and days of grace; only the fields given. Needs `licences:issue`.
#[utoipa::path(
    patch,
    path = "/api/v1/licences/{id}",
    tag = "licences",
    operation_id = "change_licence",
    security(("bearer" = [])),
    params(("id" = LicenceId, Path)),
    request_body = LicencePatch,
    responses((status = 200, description = "The changed licence.", body = Licence)),
)]
async fn change(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
    body: Json<LicencePatch>,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "licence")?;
    let licence = licences::patch(&state, &caller, id, seen, body.into_inner(), now()).await?;
    Ok(changed(&licence, licence.revision))
}

/// Assigns a licence to a camera that has none. Needs `licences:assign`.
#[utoipa::path(
    put,
    path = "/api/v1/licences/{id}/camera",
    tag = "licences",
    operation_id = "assign_licence",
    security(("bearer" = [])),
    params(("id" = LicenceId, Path)),
    request_body = AssignLicence,
    responses((status = 200, description = "The assigned licence.", body = Licence)),
)]
async fn assign(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
    body: Json<AssignLicence>,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "licence")?;
    let licence = licences::assign(&state, &caller, id, seen, body.camera, now()).await?;
    Ok(changed(&licence, licence.revision))
}

/// Takes a licence from its camera. Needs `licences:assign`.
#[utoipa::path(
    delete,
    path = "/api/v1/licences/{id}/camera",
    tag = "licences",
    operation_id = "unassign_licence",
    security(("bearer" = [])),
    params(("id" = LicenceId, Path)),
    responses((status = 200, description = "The licence, free again.", body = Licence)),
)]
async fn unassign(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
) -> Result<HttpResponse, Error> {
    let licence = licences::unassign(&state, &caller, id(&path, "licence")?, seen, now()).await?;
    Ok(changed(&licence, licence.revision))
}

/// Moves a licence from one camera to another. Needs `licences:assign`.
#[utoipa::path(
    post,
    path = "/api/v1/licences/{id}/transfer",
    tag = "licences",
    operation_id = "transfer_licence",
    security(("bearer" = [])),
    params(("id" = LicenceId, Path)),
    request_body = TransferLicence,
    responses((status = 200, description = "The moved licence.", body = Licence)),
)]
async fn transfer(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
    body: Json<TransferLicence>,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "licence")?;
    let licence = licences::transfer(&state, &caller, id, seen, body.into_inner(), now()).await?;
    Ok(changed(&licence, licence.revision))
}

/// Gives a licence another end. Needs `licences:issue`.
#[utoipa::path(
    post,
    path = "/api/v1/licences/{id}/renew",
    tag = "licences",
    operation_id = "renew_licence",
    security(("bearer" = [])),
    params(("id" = LicenceId, Path)),
    request_body = RenewLicence,
    responses((status = 200, description = "The renewed licence.", body = Licence)),
)]
async fn renew(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
    body: Json<RenewLicence>,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "licence")?;
    let licence = licences::renew(&state, &caller, id, seen, body.into_inner(), now()).await?;
    Ok(changed(&licence, licence.revision))
}

/// Takes a licence back for now. Needs `licences:issue`.
#[utoipa::path(
    post,
    path = "/api/v1/licences/{id}/suspend",
    tag = "licences",
    operation_id = "suspend_licence",
    security(("bearer" = [])),
    params(("id" = LicenceId, Path)),
    responses((status = 200, description = "The suspended licence.", body = Licence)),
)]
async fn suspend(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "licence")?;
    let licence = licences::suspend(&state, &caller, id, seen, true, now()).await?;
    Ok(changed(&licence, licence.revision))
}

/// Gives a suspended licence again. Needs `licences:issue`.
#[utoipa::path(
    post,
    path = "/api/v1/licences/{id}/resume",
    tag = "licences",
    operation_id = "resume_licence",
    security(("bearer" = [])),
    params(("id" = LicenceId, Path)),
    responses((status = 200, description = "The licence, in force again.", body = Licence)),
)]
async fn resume(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "licence")?;
    let licence = licences::suspend(&state, &caller, id, seen, false, now()).await?;
    Ok(changed(&licence, licence.revision))
}
