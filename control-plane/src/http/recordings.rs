//! `/api/v1/recordings` and those of a camera.

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the names of parameter structs that stand beside their handlers"
)]

use actix_web::web::{Data, Json, Path, Query};
use serde::Deserialize;
use utoipa::IntoParams;
use wire::api::{Page, Recording, RecordingState};
use wire::{CameraId, RecordingId};

use super::id;
use super::player_api::time;
use super::request::PageQuery;
use crate::app::Caller;
use crate::app::recordings::{self, Asked};
use crate::{AppState, Error};

super::routes::routes! {
    "/api/v1/cameras/{id}/recordings" { get of_camera }
    "/api/v1/recordings" { get list }
    "/api/v1/recordings/{id}" { get one }
}

/// Which sessions.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RecordingQuery {
    /// Not over before this time: RFC 3339, or milliseconds since 1970.
    from: Option<String>,
    /// Whose window begins before this time.
    to: Option<String>,
    /// How they go.
    #[param(value_type = Option<RecordingState>)]
    state: Option<String>,
}

impl RecordingQuery {
    fn asked(&self, camera: Option<CameraId>) -> Result<Asked, Error> {
        let state = |text: &str| {
            RecordingState::ALL
                .into_iter()
                .find(|state| state.as_str() == text)
                .ok_or_else(|| Error::field("state", "starting, recording, failing, lost or ended"))
        };
        Ok(Asked {
            camera,
            from: time("from", self.from.as_deref())?,
            to: time("to", self.to.as_deref())?,
            state: self.state.as_deref().map(state).transpose()?,
        })
    }
}

/// A camera's sessions of recording, the newest windows first. Those of a deleted camera are still there.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{id}/recordings",
    tag = "recordings",
    operation_id = "list_camera_recordings",
    security(("bearer" = [])),
    params(("id" = CameraId, Path), RecordingQuery, PageQuery),
    responses((status = 200, description = "A page of sessions.", body = Page<Recording>)),
)]
async fn of_camera(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    query: Query<RecordingQuery>,
    page: Query<PageQuery>,
) -> Result<Json<Page<Recording>>, Error> {
    let asked = query.asked(Some(id(&path, "camera")?))?;
    Ok(Json(
        recordings::list(&state, &caller, asked, page.part()?).await?,
    ))
}

/// Sessions of recording of all cameras that the caller may know of, the newest windows first.
#[utoipa::path(
    get,
    path = "/api/v1/recordings",
    tag = "recordings",
    operation_id = "list_recordings",
    security(("bearer" = [])),
    params(RecordingQuery, PageQuery),
    responses((status = 200, description = "A page of sessions.", body = Page<Recording>)),
)]
async fn list(
    state: Data<AppState>,
    caller: Caller,
    query: Query<RecordingQuery>,
    page: Query<PageQuery>,
) -> Result<Json<Page<Recording>>, Error> {
    let asked = query.asked(None)?;
    Ok(Json(
        recordings::list(&state, &caller, asked, page.part()?).await?,
    ))
}

/// One session of recording.
#[utoipa::path(
    get,
    path = "/api/v1/recordings/{id}",
    tag = "recordings",
    operation_id = "get_recording",
    security(("bearer" = [])),
    params(("id" = RecordingId, Path)),
    responses((status = 200, description = "The session.", body = Recording)),
)]
async fn one(state: Data<AppState>, caller: Caller, path: Path<String>) -> Result<Json<Recording>, Error> {
    Ok(Json(
        recordings::get(&state, &caller, id(&path, "recording")?).await?,
    ))
}
