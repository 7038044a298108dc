//! `/api/v1/cameras/{id}/overrides`, `/api/v1/overrides` and `/api/v1/cameras/{id}/placement`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use wire::CameraId;
use wire::api::{NewOverride, Page, Placement, RecordingOverride};

use super::id;
use super::request::{IdempotencyKey, IfMatch, PageQuery, created};
use crate::app::{Caller, Once, overrides, placement};
use crate::state::now;
use crate::{AppState, Error};

super::routes::routes! {
    "/api/v1/cameras/{id}/overrides" { get list, post create }
    "/api/v1/overrides/{id}" { delete cancel }
    "/api/v1/cameras/{id}/placement" { get explain }
}

/// What people said of a camera's recording, oldest first, what is over included.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{id}/overrides",
    tag = "recording jobs",
    operation_id = "list_overrides",
    security(("bearer" = [])),
    params(("id" = CameraId, Path), PageQuery),
    responses((status = 200, description = "A page of overrides.", body = Page<RecordingOverride>)),
)]
async fn list(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    page: Query<PageQuery>,
) -> Result<Json<Page<RecordingOverride>>, Error> {
    let camera = id(&path, "camera")?;
    Ok(Json(
        overrides::list(&state, &caller, camera, page.part()?).await?,
    ))
}

/// Records a camera now, stops it, or pauses it, whatever its schedules say. Needs `manage` on the camera.
/// A stop answers with the pause that it made, or with what it ended.
#[utoipa::path(
    post,
    path = "/api/v1/cameras/{id}/overrides",
    tag = "recording jobs",
    operation_id = "create_override",
    security(("bearer" = [])),
    params(("id" = CameraId, Path)),
    request_body = NewOverride,
    responses(
        (status = 201, description = "What is in force from now on.", body = RecordingOverride),
        (status = 409, description = "Nothing is recorded that could be stopped, or nothing may be."),
    ),
)]
async fn create(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IdempotencyKey(key): IdempotencyKey,
    body: Json<NewOverride>,
) -> Result<HttpResponse, Error> {
    let camera: CameraId = id(&path, "camera")?;
    let once = Once::new(&caller, key, "create_override", &(camera, &*body))?;
    let made = overrides::create(&state, &caller, camera, once, body.into_inner(), now()).await?;
    let location = format!("/api/v1/overrides/{}", made.id);
    Ok(created(location, &made, overrides::revision(made.cancelled)))
}

/// Ends an override before its time: a paused camera resumes, one that was asked for stops. Needs `manage`
/// on the camera. Its `ETag` is the one of its creation until it is ended.
#[utoipa::path(
    delete,
    path = "/api/v1/overrides/{id}",
    tag = "recording jobs",
    operation_id = "cancel_override",
    security(("bearer" = [])),
    params(("id" = wire::OverrideId, Path)),
    responses(
        (status = 204, description = "It is over; it stays in the list."),
        (status = 409, description = "It was over already."),
    ),
)]
async fn cancel(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
) -> Result<HttpResponse, Error> {
    overrides::cancel(&state, &caller, id(&path, "override")?, seen, now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Which nodes record a camera and why, and why the others do not. Needs `nodes:read`.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{id}/placement",
    tag = "cameras",
    operation_id = "get_placement",
    security(("bearer" = [])),
    params(("id" = CameraId, Path)),
    responses((status = 200, description = "The explanation.", body = Placement)),
)]
async fn explain(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
) -> Result<Json<Placement>, Error> {
    let camera = id(&path, "camera")?;
    Ok(Json(placement::explain(&state, &caller, camera, now()).await?))
}
