//! `/api/v1/cameras/{id}/snapshot`: what a camera sees, as a JPEG.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, HeaderName};
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;
use wire::CameraId;

use super::id;
use crate::app::{Caller, snapshot};
use crate::{AppState, Error};

const CAPTURE_TIME: HeaderName = HeaderName::from_static("x-capture-time");
const WIDTH_DEFAULT: u32 = 1280;
const WIDTHS: std::ops::RangeInclusive<u32> = 16..=3840;

super::routes::routes! {
    "/api/v1/cameras/{id}/snapshot" { get newest }
}

/// How large the picture may be.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Size {
    /// Widest picture that is wanted, in pixels; none is made wider than the camera sends it.
    #[param(value_type = Option<u32>, minimum = 16, maximum = 3840, default = 1280)]
    width: Option<String>,
}

impl Size {
    fn width(&self) -> Result<u32, Error> {
        let Some(text) = &self.width else {
            return Ok(WIDTH_DEFAULT);
        };
        text.parse()
            .ok()
            .filter(|width| WIDTHS.contains(width))
            .ok_or_else(|| Error::field("width", "width is a whole number from 16 to 3840"))
    }
}

/// A JPEG file.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "only describes the answer")]
struct Jpeg(Vec<u8>);

/// The newest keyframe of a camera that is recorded now. Needs `view_live` or `view_footage`.
///
/// 404 with the code `snapshot_not_found` when it is not recorded now, 503 with `node_offline` when its
/// recorder cannot be reached.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{id}/snapshot",
    tag = "cameras",
    operation_id = "get_snapshot",
    security(("bearer" = [])),
    params(("id" = CameraId, Path), Size),
    responses((
        status = 200,
        description = "The picture.",
        content_type = "image/jpeg",
        body = inline(Jpeg),
        headers(("X-Capture-Time" = i64, description = "Milliseconds since 1970-01-01T00:00:00Z.")),
    )),
)]
async fn newest(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    size: Query<Size>,
) -> Result<HttpResponse, Error> {
    let camera = id(&path, "camera")?;
    let (about, jpeg) = snapshot::snapshot(&state, &caller, camera, size.width()?).await?;
    Ok(HttpResponse::Ok()
        .content_type("image/jpeg")
        .insert_header((CACHE_CONTROL, "private, max-age=2"))
        .insert_header((CAPTURE_TIME, about.captured.0))
        .body(jpeg))
}
