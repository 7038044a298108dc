//! `/api/v1/cameras/import`: many cameras from one CSV file.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use wire::api::ImportReport;

use super::request::{DryRun, IdempotencyKey};
use crate::app::cameras::import::{digest, import};
use crate::app::{Caller, Once};
use crate::domain::import::BYTES_MAX;
use crate::state::now;
use crate::{AppState, Error};

super::routes::routes! {
    "/api/v1/cameras/import" { post upload }
}

/// Adds the cameras of a CSV file in UTF-8: all of them, or none when a row is wrong. Needs `cameras:manage`.
///
/// The first line names the columns, separated by commas, in any order: `name` and `url`, and if wanted
/// `username`, `password`, `site`, `tags` (separated by `;`), `group` (by name), `time_zone`, `sub_url`,
/// `transport`, `audio`, `recording`, `copies`, `node_labels` (separated by `;`), `segment_s`, `object_s`,
/// `notes`. At most 5 MB and 5000 rows.
#[utoipa::path(
    post,
    path = "/api/v1/cameras/import",
    tag = "cameras",
    operation_id = "import_cameras",
    security(("bearer" = [])),
    params(DryRun),
    request_body(content = String, content_type = "text/csv",
        example = "name,url,site,tags\nDoor,rtsp://192.0.2.5/1,Hall,north;indoor\n"),
    responses(
        (status = 200, description = "Nothing was created: rows are wrong, or it was a dry run.",
            body = ImportReport),
        (status = 201, description = "Every camera was created.", body = ImportReport),
    ),
)]
async fn upload(
    request: HttpRequest,
    state: Data<AppState>,
    caller: Caller,
    dry: Query<DryRun>,
    IdempotencyKey(key): IdempotencyKey,
    body: Payload,
) -> Result<HttpResponse, Error> {
    let is_dry = dry.is_dry()?;
    let file = file(&request, body).await?;
    let once = Once::new(&caller, key, "import_cameras", &digest(&file))?;
    let report = import(&state, &caller, once, file, is_dry, now()).await?;
    Ok(if is_dry || !report.problems.is_empty() {
        HttpResponse::Ok().json(report)
    } else {
        HttpResponse::Created().json(report)
    })
}

async fn file(request: &HttpRequest, body: Payload) -> Result<Vec<u8>, Error> {
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("text/csv") {
        return Err(Error::invalid(
            "invalid_content_type",
            "send the file as text/csv",
        ));
    }
    let read = body.to_bytes_limited(BYTES_MAX).await;
    let bytes = read.map_err(|_| Error::TooLarge)?;
    let bytes = bytes.map_err(|_| Error::invalid("invalid_body", "the body could not be read"))?;
    Ok(bytes.to_vec())
}
