//! `/api/v1/cameras` and probes.

use actix_web::web::{Data, Json, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use wire::api::{Camera, CameraPatch, NewCamera, Page, ProbeCamera};
use wire::bus::ProbeReport;
use wire::{CameraId, StreamKind};

use super::camera_query::CameraQuery;
use super::id;
use super::request::{IdempotencyKey, IfMatch, PageQuery, changed, created, tagged};
use crate::app::{Caller, Once, cameras, probe};
use crate::state::now;
use crate::{AppState, Error};

super::routes::routes! {
    "/api/v1/cameras" { get list, post create }
    "/api/v1/cameras/{id}" { get one, patch change, delete remove }
    "/api/v1/cameras/{id}/probe" { post probe_saved }
    "/api/v1/probe" { post probe_unsaved }
}

/// Cameras that the caller may know of, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/cameras",
    tag = "cameras",
    operation_id = "list_cameras",
    security(("bearer" = [])),
    params(PageQuery, CameraQuery),
    responses((status = 200, description = "A page of cameras.", body = Page<Camera>)),
)]
async fn list(
    state: Data<AppState>,
    caller: Caller,
    page: Query<PageQuery>,
    query: Query<CameraQuery>,
) -> Result<Json<Page<Camera>>, Error> {
    let filter = query.into_inner().filter()?;
    Ok(Json(
        cameras::list(&state, &caller, filter, page.part()?, now()).await?,
    ))
}

/// Adds a camera. Needs `cameras:manage`.
#[utoipa::path(
    post,
    path = "/api/v1/cameras",
    tag = "cameras",
    operation_id = "create_camera",
    security(("bearer" = [])),
    request_body = NewCamera,
    responses(
        (status = 201, description = "The camera.", body = Camera),
        (status = 422, description = "`secret_in_address`: the address holds a password.",
            body = wire::api::Problem, content_type = "application/problem+json"),
    ),
)]
async fn create(
    state: Data<AppState>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    body: Json<NewCamera>,
) -> Result<HttpResponse, Error> {
    let once = Once::new(&caller, key, "create_camera", &*body)?;
    let camera = cameras::create(&state, &caller, once, body.into_inner(), now()).await?;
    let location = format!("/api/v1/cameras/{}", camera.id);
    Ok(created(location, &camera, camera.revision))
}

/// One camera.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{id}",
    tag = "cameras",
    operation_id = "get_camera",
    security(("bearer" = [])),
    params(("id" = CameraId, Path)),
    responses(
        (status = 200, description = "The camera.", body = Camera),
        (status = 304, description = "Still the one of `If-None-Match`."),
    ),
)]
async fn one(
    request: HttpRequest,
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
) -> Result<HttpResponse, Error> {
    let camera = cameras::get(&state, &caller, id(&path, "camera")?, now()).await?;
    Ok(tagged(&request, &camera, camera.revision))
}

/// Changes the fields given. Needs `manage` on the camera.
#[utoipa::path(
    patch,
    path = "/api/v1/cameras/{id}",
    tag = "cameras",
    operation_id = "change_camera",
    security(("bearer" = [])),
    params(("id" = CameraId, Path)),
    request_body = CameraPatch,
    responses(
        (status = 200, description = "The changed camera.", body = Camera),
        (status = 422, description = "`credentials_required`: the saved password is not for the new host; \
            `secret_in_address`: the address holds a password.",
            body = wire::api::Problem, content_type = "application/problem+json"),
    ),
)]
async fn change(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
    body: Json<CameraPatch>,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "camera")?;
    let camera = cameras::patch(&state, &caller, id, seen, body.into_inner(), now()).await?;
    Ok(changed(&camera, camera.revision))
}

/// Deletes a camera; its footage stays. Needs `cameras:manage`.
#[utoipa::path(
    delete,
    path = "/api/v1/cameras/{id}",
    tag = "cameras",
    operation_id = "delete_camera",
    security(("bearer" = [])),
    params(("id" = CameraId, Path)),
    responses((status = 204, description = "It is deleted.")),
)]
async fn remove(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
) -> Result<HttpResponse, Error> {
    cameras::delete(&state, &caller, id(&path, "camera")?, seen, now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Which stream of a camera.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct OfStream {
    /// The main one unless given.
    #[param(value_type = Option<StreamKind>)]
    stream: Option<String>,
}

impl OfStream {
    fn kind(&self) -> Result<StreamKind, Error> {
        let kind = self.stream.as_deref().map_or(Ok(StreamKind::Main), str::parse);
        kind.map_err(|_| Error::field("stream", "main or sub"))
    }
}

/// Connects to a saved camera and tells what it sends. Needs `manage` on the camera.
#[utoipa::path(
    post,
    path = "/api/v1/cameras/{id}/probe",
    tag = "cameras",
    operation_id = "probe_camera",
    security(("bearer" = [])),
    params(("id" = CameraId, Path), OfStream),
    responses(
        (status = 200, description = "What it sends.", body = ProbeReport),
        (status = 409, description = "It has no sub stream."),
        (status = 502, description = "The camera does not answer as it should; the title says how.",
            body = wire::api::Problem, content_type = "application/problem+json"),
    ),
)]
async fn probe_saved(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    of: Query<OfStream>,
) -> Result<Json<ProbeReport>, Error> {
    let (id, stream) = (id(&path, "camera")?, of.kind()?);
    Ok(Json(probe::saved(&state, &caller, id, stream).await?))
}

/// Tries an address before it is saved. Needs `cameras:manage`.
#[utoipa::path(
    post,
    path = "/api/v1/probe",
    tag = "cameras",
    operation_id = "probe_address",
    security(("bearer" = [])),
    request_body = ProbeCamera,
    responses(
        (status = 200, description = "What it sends.", body = ProbeReport),
        (status = 422, description = "`secret_in_address`: the address holds a password.",
            body = wire::api::Problem, content_type = "application/problem+json"),
        (status = 502, description = "The camera does not answer as it should; the title says how.",
            body = wire::api::Problem, content_type = "application/problem+json"),
    ),
)]
async fn probe_unsaved(
    state: Data<AppState>,
    caller: Caller,
    body: Json<ProbeCamera>,
) -> Result<Json<ProbeReport>, Error> {
    Ok(Json(probe::unsaved(&state, &caller, body.into_inner()).await?))
}
