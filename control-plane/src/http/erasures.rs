//! `/api/v1/cameras/{id}/erasures`: footage that goes on purpose.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use wire::CameraId;
use wire::api::{Erasure, ErasurePreview, NewErasure, Page};

use super::id;
use super::request::{DryRun, IdempotencyKey, PageQuery};
use crate::app::{Caller, Once, erasures};
use crate::state::now;
use crate::{AppState, Error};

super::routes::routes! {
    "/api/v1/cameras/{id}/erasures" { get list, post create }
}

/// A camera's erasures, oldest first, with what its recorders have done. Needs `footage:erase`. Also of a
/// deleted camera.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{id}/erasures",
    tag = "footage",
    operation_id = "list_erasures",
    security(("bearer" = [])),
    params(("id" = CameraId, Path), PageQuery),
    responses((status = 200, description = "A page of erasures.", body = Page<Erasure>)),
)]
async fn list(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    page: Query<PageQuery>,
) -> Result<Json<Page<Erasure>>, Error> {
    let id = id(&path, "camera")?;
    Ok(Json(erasures::list(&state, &caller, id, page.part()?).await?))
}

/// Erases footage by range, for good: at most 31 days at once, all of it past. Needs `footage:erase`. Every
/// object that touches the range goes as a whole. Also of a deleted camera.
#[utoipa::path(
    post,
    path = "/api/v1/cameras/{id}/erasures",
    tag = "footage",
    operation_id = "erase_footage",
    security(("bearer" = [])),
    params(("id" = CameraId, Path), DryRun),
    request_body = NewErasure,
    responses(
        (status = 200, description = "What would be erased: it was a dry run.", body = ErasurePreview),
        (status = 201, description = "It is erased; recorders follow as soon as they can be reached.",
            body = Erasure),
    ),
)]
async fn create(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    dry: Query<DryRun>,
    IdempotencyKey(key): IdempotencyKey,
    body: Json<NewErasure>,
) -> Result<HttpResponse, Error> {
    let camera: CameraId = id(&path, "camera")?;
    let new = body.into_inner();
    if dry.is_dry()? {
        let preview = erasures::preview(&state, &caller, camera, new, now()).await?;
        return Ok(HttpResponse::Ok().json(preview));
    }
    let once = Once::new(&caller, key, &format!("erase_footage {camera}"), &new)?;
    let made = erasures::create(&state, &caller, once, camera, new, now()).await?;
    // It changes when recorders say what they did, and is read in the list.
    let location = format!("/api/v1/cameras/{camera}/erasures");
    Ok(HttpResponse::Created()
        .insert_header(("Location", location))
        .json(made))
}
