//! `/api/v1/completeness`.

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the names of parameter structs that stand beside their handlers"
)]

use actix_web::web::{Data, Json, Query};
use serde::Deserialize;
use utoipa::IntoParams;
use wire::CameraId;
use wire::api::Completeness;

use super::player_api::{date, required};
use crate::app::{Caller, completeness};
use crate::{AppState, Error};

super::routes::routes! {
    "/api/v1/completeness" { get show }
}

/// Which days.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CompletenessQuery {
    /// First UTC day, `2026-01-31`.
    #[param(required, value_type = String)]
    from: Option<String>,
    /// First day after; at most 100 days after the first.
    #[param(required, value_type = String)]
    to: Option<String>,
    /// Of one camera only.
    #[param(value_type = Option<CameraId>)]
    camera: Option<String>,
}

/// What became of the planned time of each UTC day: footage, gaps by cause, and what nobody explains.
///
/// A day's figures are computed some minutes behind, and again whenever footage of it arrives late. Cameras
/// that the caller may not know of do not count.
#[utoipa::path(
    get,
    path = "/api/v1/completeness",
    tag = "recordings",
    operation_id = "show_completeness",
    security(("bearer" = [])),
    params(CompletenessQuery),
    responses((status = 200, description = "The figures.", body = Completeness)),
)]
async fn show(
    state: Data<AppState>,
    caller: Caller,
    query: Query<CompletenessQuery>,
) -> Result<Json<Completeness>, Error> {
    let from = required("from", date("from", query.from.as_deref())?)?;
    let to = required("to", date("to", query.to.as_deref())?)?;
    let camera = query.camera.as_deref().map(|text| super::id(text, "camera"));
    Ok(Json(
        completeness::show(&state, &caller, (from, to), camera.transpose()?).await?,
    ))
}
