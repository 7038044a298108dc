//! `/playlist/{camera}/…`: playlists under signed addresses.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::middleware::Compress;
use actix_web::web::{Data, Path, Query, ServiceConfig, get, head, resource};
use actix_web::{HttpRequest, http::Method};
use serde::Deserialize;
use wire::{StreamKind, UnixMs};

use super::player_api::{required, time};
use super::ranges::{Asked, unsatisfiable};
use super::{id, stored};
use crate::app::playback::{GAP_PATH, Span, Ticket, forbidden, master, rendition};
use crate::domain::playlist::{Ending, GAP_BODY};
use crate::domain::signing::Rejected;
use crate::state::now;
use crate::{AppState, Error};

const MEDIA_TYPE: &str = "application/vnd.apple.mpegurl";
/// A growing list is asked for again and again.
const GROWING: &str = "no-store";
/// A complete one may still get footage that a cut-off node delivers late.
const COMPLETE: &str = "private, max-age=60";

/// Routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(resource(GAP_PATH).route(get().to(gap)).route(head().to(gap)))
        .service(
            resource("/playlist/{camera}/{file}.m3u8")
                .wrap(Compress::default())
                .route(get().to(playlist))
                .route(head().to(playlist)),
        );
}

#[derive(Deserialize)]
struct Signed {
    org: Option<String>,
    from: Option<String>,
    to: Option<String>,
    exp: Option<i64>,
    sig: Option<String>,
}

async fn playlist(
    state: Data<AppState>,
    path: Path<(String, String)>,
    query: Query<Signed>,
) -> Result<HttpResponse, Error> {
    let (camera, file) = path.into_inner();
    let now = now();
    let span = Span {
        from: required("from", time("from", query.from.as_deref())?)?,
        to: time("to", query.to.as_deref())?,
    };
    let organization = query.org.as_deref().and_then(|text| text.parse().ok());
    let (Some(organization), Some(exp), Some(sig)) = (organization, query.exp, &query.sig) else {
        return Err(forbidden(Rejected::Invalid));
    };
    let ticket = Ticket {
        organization,
        camera: id(&camera, "camera")?,
        span,
        expires: UnixMs(exp),
    };
    ticket.check(&state, &file, sig, now)?;
    let (text, ending) = text(&state, &ticket, &file, now).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, MEDIA_TYPE))
        .insert_header((
            CACHE_CONTROL,
            if ending == Ending::Vod { COMPLETE } else { GROWING },
        ))
        .body(text))
}

async fn text(state: &AppState, ticket: &Ticket, file: &str, now: UnixMs) -> Result<(String, Ending), Error> {
    if file == "master" {
        let is_past = ticket.span.to.is_some_and(|to| to <= now);
        let ending = if is_past { Ending::Vod } else { Ending::Growing };
        return Ok((master(state, ticket).await?, ending));
    }
    let stream: StreamKind = file.parse().map_err(|_| Error::not_found("stream"))?;
    rendition(state, ticket, stream, now).await
}

/// What a gap segment's address answers with.
async fn gap(request: HttpRequest) -> HttpResponse {
    let asked = Asked::of(request.headers());
    let size = GAP_BODY.len() as u64;
    let Some((first, length)) = asked.part(size) else {
        return unsatisfiable(size);
    };
    let mut answer = asked.answer(size, (first, length));
    answer.insert_header((CACHE_CONTROL, "public, max-age=86400"));
    if request.method() == Method::HEAD {
        return answer.body(stored::empty(length));
    }
    let bytes = GAP_BODY.iter().copied();
    let (skip, take) = (usize::try_from(first), usize::try_from(length));
    let part: Vec<u8> = bytes.skip(skip.unwrap_or(0)).take(take.unwrap_or(0)).collect();
    answer.body(part)
}
