//! Recording jobs and what else says when a camera is recorded.

use player::api::{all, change, get, post, tell};
use wire::api::{
    Camera, Job, JobPatch, NewJob, NewOverride, Page, Placement, PreviewJob, Recording, RecordingOverride,
    UpcomingWindows,
};
use wire::{CameraId, JobId, OverrideId};

use super::{NOTHING, Result};

/// One camera.
pub(crate) async fn camera(id: CameraId) -> Result<Camera> {
    get(&format!("/api/v1/cameras/{id}")).await
}

/// A camera's jobs.
pub(crate) async fn jobs(camera: CameraId) -> Result<Vec<Job>> {
    all(&format!("/api/v1/cameras/{camera}/recording-jobs")).await
}

/// Adds a job.
pub(crate) async fn add_job(camera: CameraId, new: &NewJob) -> Result<Job> {
    post(&format!("/api/v1/cameras/{camera}/recording-jobs"), new).await
}

/// Changes a job as it was seen.
pub(crate) async fn change_job(job: &Job, patch: &JobPatch) -> Result<Job> {
    change(&format!("/api/v1/recording-jobs/{}", job.id), patch, job.revision).await
}

/// Deletes a job.
pub(crate) async fn delete_job(id: JobId) -> Result<()> {
    tell("DELETE", &format!("/api/v1/recording-jobs/{id}"), NOTHING).await
}

/// What a schedule would mean.
pub(crate) async fn preview(asked: &PreviewJob) -> Result<UpcomingWindows> {
    post("/api/v1/recording-jobs/preview", asked).await
}

/// What people said of a camera's recording, what is over included.
pub(crate) async fn overrides(camera: CameraId) -> Result<Vec<RecordingOverride>> {
    all(&format!("/api/v1/cameras/{camera}/overrides")).await
}

/// Records a camera now, stops or pauses it.
pub(crate) async fn order(camera: CameraId, new: &NewOverride) -> Result<RecordingOverride> {
    post(&format!("/api/v1/cameras/{camera}/overrides"), new).await
}

/// Ends such an order before its time.
pub(crate) async fn cancel_order(id: OverrideId) -> Result<()> {
    tell("DELETE", &format!("/api/v1/overrides/{id}"), NOTHING).await
}

/// A camera's sessions of recording, the newest first.
pub(crate) async fn recordings(camera: CameraId, limit: u32) -> Result<Vec<Recording>> {
    let page: Page<Recording> = get(&format!("/api/v1/cameras/{camera}/recordings?limit={limit}")).await?;
    Ok(page.items)
}

/// Which nodes record a camera, and why.
pub(crate) async fn placement(camera: CameraId) -> Result<Placement> {
    get(&format!("/api/v1/cameras/{camera}/placement")).await
}
