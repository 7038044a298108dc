//! `/player-api/cameras/{id}/…`: what there is to watch, and where.

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the names of parameter structs that stand beside their handlers"
)]

use actix_web::web::{Data, Json, Path, Query};
use jiff::civil::Date;
use serde::Deserialize;
use utoipa::IntoParams;
use wire::api::{Coverage, Days, Playback};
use wire::time::InvalidTime;
use wire::{CameraId, StreamKind, UnixMs};

use super::id;
use crate::app::playback::{Span, range};
use crate::app::{Caller, ledger, playback};
use crate::state::now;
use crate::{AppState, Error};

super::routes::routes! {
    "/player-api/cameras/{id}/days" { get days }
    "/player-api/cameras/{id}/coverage" { get coverage }
    "/player-api/cameras/{id}/playback" { get play }
}

/// A range of time.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Between {
    /// First instant: RFC 3339, or milliseconds since 1970.
    from: Option<String>,
    /// First instant after.
    to: Option<String>,
    /// Read by whoever authenticates the request.
    #[param(ignore)]
    #[serde(rename = "organization")]
    _organization: Option<String>,
}

/// A range of one stream.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfStream {
    /// First instant: RFC 3339, or milliseconds since 1970.
    from: Option<String>,
    /// First instant after.
    to: Option<String>,
    /// Which stream, the main one unless given.
    #[param(value_type = Option<StreamKind>)]
    stream: Option<String>,
    /// Read by whoever authenticates the request.
    #[param(ignore)]
    #[serde(rename = "organization")]
    _organization: Option<String>,
}

/// A range of days.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Dates {
    /// First day, `2026-01-31`.
    from: Option<String>,
    /// First day after.
    to: Option<String>,
    /// IANA time zone, UTC unless given.
    tz: Option<String>,
    /// Read by whoever authenticates the request.
    #[param(ignore)]
    #[serde(rename = "organization")]
    _organization: Option<String>,
}

/// Days with footage. Needs `view_footage`.
#[utoipa::path(
    get,
    path = "/player-api/cameras/{id}/days",
    tag = "playback",
    operation_id = "list_days",
    security(("bearer" = [])),
    params(("id" = CameraId, Path), Dates),
    responses((status = 200, description = "Days.", body = Days)),
)]
async fn days(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    query: Query<Dates>,
) -> Result<Json<Days>, Error> {
    let camera = id(&path, "camera")?;
    let from = required("from", date("from", query.from.as_deref())?)?;
    let to = required("to", date("to", query.to.as_deref())?)?;
    let zone = query.tz.as_deref().unwrap_or("UTC");
    Ok(Json(
        ledger::days(&state, &caller, camera, (from, to), zone).await?,
    ))
}

/// Footage and gaps of a range of at most 25 hours. Needs `view_footage`.
#[utoipa::path(
    get,
    path = "/player-api/cameras/{id}/coverage",
    tag = "playback",
    operation_id = "get_coverage",
    security(("bearer" = [])),
    params(("id" = CameraId, Path), OfStream),
    responses((status = 200, description = "Coverage.", body = Coverage)),
)]
async fn coverage(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    query: Query<OfStream>,
) -> Result<Json<Coverage>, Error> {
    let camera = id(&path, "camera")?;
    let from = required("from", time("from", query.from.as_deref())?)?;
    let to = required("to", time("to", query.to.as_deref())?)?;
    let range = range(from, to, ledger::MAX_RANGE_MS)?;
    let stream = match query.stream.as_deref() {
        None | Some("main") => StreamKind::Main,
        Some("sub") => StreamKind::Sub,
        Some(_) => return Err(Error::field("stream", "main or sub")),
    };
    let of = (camera, stream);
    Ok(Json(ledger::ledger(&state, &caller, of, range, now()).await?))
}

/// A signed address of a playlist of at most 24 hours. Needs `view_footage`.
#[utoipa::path(
    get,
    path = "/player-api/cameras/{id}/playback",
    tag = "playback",
    operation_id = "get_playback",
    security(("bearer" = [])),
    params(("id" = CameraId, Path), Between),
    responses((status = 200, description = "Playback.", body = Playback)),
)]
async fn play(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    query: Query<Between>,
) -> Result<Json<Playback>, Error> {
    let camera = id(&path, "camera")?;
    let span = Span {
        from: required("from", time("from", query.from.as_deref())?)?,
        to: time("to", query.to.as_deref())?,
    };
    Ok(Json(
        playback::playback(&state, &caller, camera, span, now()).await?,
    ))
}

/// A time from a query.
///
/// # Errors
/// [`Error::Invalid`] with the field's name.
pub fn time(field: &'static str, text: Option<&str>) -> Result<Option<UnixMs>, Error> {
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|error: InvalidTime| Error::Invalid {
        code: match error {
            InvalidTime::Syntax => "invalid_time",
            InvalidTime::OutOfRange => "time_out_of_range",
        },
        title: error.to_string(),
        field: Some(field),
    })
}

/// A value that must be there.
///
/// # Errors
/// [`Error::Invalid`] with the field's name.
pub fn required<T>(field: &'static str, value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| Error::Invalid {
        code: "missing_field",
        title: format!("the parameter {field} is missing"),
        field: Some(field),
    })
}

/// A date from a query.
///
/// # Errors
/// [`Error::Invalid`] with the field's name.
pub fn date(field: &'static str, text: Option<&str>) -> Result<Option<Date>, Error> {
    let invalid = |code, title: &str| Error::Invalid {
        code,
        title: title.to_owned(),
        field: Some(field),
    };
    let Some(text) = text else {
        return Ok(None);
    };
    // The parser alone would also take a time behind the date.
    let date = Some(text)
        .filter(|text| text.len() == "2026-01-31".len())
        .and_then(|text| text.parse::<Date>().ok())
        .ok_or_else(|| invalid("invalid_date", "not a date: expected one such as 2026-01-31"))?;
    if (2000..=2100).contains(&date.year()) {
        Ok(Some(date))
    } else {
        Err(invalid(
            "date_out_of_range",
            "a date outside the years 2000 to 2100",
        ))
    }
}
