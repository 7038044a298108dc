//! `/api/v1/cameras` and probes.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, ServiceConfig, delete, get, patch, post, resource};
use wire::api::{Camera, CameraPatch, NewCamera, Page, ProbeCamera};
use wire::bus::ProbeReport;

use super::id;
use crate::app::{Caller, cameras, probe};
use crate::state::now;
use crate::{AppState, Error};

/// Routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(
            resource("/api/v1/cameras")
                .route(get().to(list))
                .route(post().to(create)),
        )
        .service(
            resource("/api/v1/cameras/{id}")
                .route(get().to(one))
                .route(patch().to(change))
                .route(delete().to(remove)),
        )
        .service(resource("/api/v1/cameras/{id}/probe").route(post().to(probe_saved)))
        .service(resource("/api/v1/probe").route(post().to(probe_unsaved)));
}

async fn list(state: Data<AppState>, caller: Caller) -> Result<Json<Page<Camera>>, Error> {
    let items = cameras::list(&state, caller).await?;
    Ok(Json(Page { items }))
}

async fn create(state: Data<AppState>, caller: Caller, body: Json<NewCamera>) -> Result<HttpResponse, Error> {
    let camera = cameras::create(&state, caller, body.into_inner(), now()).await?;
    let location = format!("/api/v1/cameras/{}", camera.id);
    Ok(HttpResponse::Created()
        .insert_header(("Location", location))
        .json(camera))
}

async fn one(state: Data<AppState>, caller: Caller, path: Path<String>) -> Result<Json<Camera>, Error> {
    Ok(Json(cameras::get(&state, caller, id(&path, "camera")?).await?))
}

async fn change(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    body: Json<CameraPatch>,
) -> Result<Json<Camera>, Error> {
    let id = id(&path, "camera")?;
    Ok(Json(
        cameras::patch(&state, caller, id, body.into_inner(), now()).await?,
    ))
}

async fn remove(state: Data<AppState>, caller: Caller, path: Path<String>) -> Result<HttpResponse, Error> {
    cameras::delete(&state, caller, id(&path, "camera")?, now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn probe_saved(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
) -> Result<Json<ProbeReport>, Error> {
    Ok(Json(probe::saved(&state, caller, id(&path, "camera")?).await?))
}

async fn probe_unsaved(
    state: Data<AppState>,
    caller: Caller,
    body: Json<ProbeCamera>,
) -> Result<Json<ProbeReport>, Error> {
    Ok(Json(probe::unsaved(&state, caller, body.into_inner()).await?))
}
