//! `/api/v1/recording-jobs` and those of a camera.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use wire::api::{Job, JobPatch, NewJob, Page, PreviewJob, UpcomingWindows};
use wire::{CameraId, JobId};

use super::id;
use super::request::{IdempotencyKey, IfMatch, PageQuery, changed, created};
use crate::app::{Caller, Once, jobs};
use crate::state::now;
use crate::{AppState, Error};

super::routes::routes! {
    "/api/v1/cameras/{id}/recording-jobs" { get list, post create }
    "/api/v1/recording-jobs/preview" { post preview }
    "/api/v1/recording-jobs/{id}" { get one, patch change, delete remove }
}

/// A camera's recording jobs with their next windows, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{id}/recording-jobs",
    tag = "recording jobs",
    operation_id = "list_jobs",
    security(("bearer" = [])),
    params(("id" = CameraId, Path), PageQuery),
    responses((status = 200, description = "A page of jobs.", body = Page<Job>)),
)]
async fn list(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    page: Query<PageQuery>,
) -> Result<Json<Page<Job>>, Error> {
    let camera = id(&path, "camera")?;
    Ok(Json(
        jobs::list(&state, &caller, camera, page.part()?, now()).await?,
    ))
}

/// Adds a recording job to a camera. Needs `manage` on the camera.
#[utoipa::path(
    post,
    path = "/api/v1/cameras/{id}/recording-jobs",
    tag = "recording jobs",
    operation_id = "create_job",
    security(("bearer" = [])),
    params(("id" = CameraId, Path)),
    request_body = NewJob,
    responses((status = 201, description = "The job.", body = Job)),
)]
async fn create(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IdempotencyKey(key): IdempotencyKey,
    body: Json<NewJob>,
) -> Result<HttpResponse, Error> {
    let camera: CameraId = id(&path, "camera")?;
    let once = Once::new(&caller, key, "create_job", &(camera, &*body))?;
    let job = jobs::create(&state, &caller, camera, once, body.into_inner(), now()).await?;
    let location = format!("/api/v1/recording-jobs/{}", job.id);
    Ok(created(location, &job, job.revision))
}

/// Tells the next windows of a schedule, or what is wrong with it, without saving it.
#[utoipa::path(
    post,
    path = "/api/v1/recording-jobs/preview",
    tag = "recording jobs",
    operation_id = "preview_job",
    security(("bearer" = [])),
    request_body = PreviewJob,
    responses((status = 200, description = "The next windows.", body = UpcomingWindows)),
)]
async fn preview(
    state: Data<AppState>,
    caller: Caller,
    body: Json<PreviewJob>,
) -> Result<Json<UpcomingWindows>, Error> {
    Ok(Json(
        jobs::preview(&state, &caller, body.into_inner(), now()).await?,
    ))
}

/// One recording job with its next windows.
#[utoipa::path(
    get,
    path = "/api/v1/recording-jobs/{id}",
    tag = "recording jobs",
    operation_id = "get_job",
    security(("bearer" = [])),
    params(("id" = JobId, Path)),
    responses((status = 200, description = "The job.", body = Job)),
)]
async fn one(state: Data<AppState>, caller: Caller, path: Path<String>) -> Result<HttpResponse, Error> {
    // Its next windows change without a new revision: never answered with 304.
    let job = jobs::get(&state, &caller, id(&path, "job")?, now()).await?;
    Ok(changed(&job, job.revision))
}

/// Changes the fields given. Needs `manage` on the camera.
#[utoipa::path(
    patch,
    path = "/api/v1/recording-jobs/{id}",
    tag = "recording jobs",
    operation_id = "change_job",
    security(("bearer" = [])),
    params(("id" = JobId, Path)),
    request_body = JobPatch,
    responses((status = 200, description = "The changed job.", body = Job)),
)]
async fn change(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
    body: Json<JobPatch>,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "job")?;
    let job = jobs::patch(&state, &caller, id, seen, body.into_inner(), now()).await?;
    Ok(changed(&job, job.revision))
}

/// Deletes a recording job. Needs `manage` on the camera.
#[utoipa::path(
    delete,
    path = "/api/v1/recording-jobs/{id}",
    tag = "recording jobs",
    operation_id = "delete_job",
    security(("bearer" = [])),
    params(("id" = JobId, Path)),
    responses((status = 204, description = "It is deleted.")),
)]
async fn remove(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
) -> Result<HttpResponse, Error> {
    jobs::delete(&state, &caller, id(&path, "job")?, seen, now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
