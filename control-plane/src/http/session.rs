//! `/api/v1/session` and `/api/v1/me`.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::web::{Data, Json, ServiceConfig, delete, get, post, resource};
use actix_web::{HttpRequest, HttpResponse};
use wire::api::{Me, SignIn};

use crate::app::Caller;
use crate::app::session::{self, REFRESH_MS, SignedIn};
use crate::state::now;
use crate::{AppState, Error};

const COOKIE: &str = "cc_refresh";
const COOKIE_PATH: &str = "/api/v1/session";

/// Routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(
            resource("/api/v1/session")
                .route(post().to(sign_in))
                .route(delete().to(sign_out)),
        )
        .service(resource("/api/v1/session/refresh").route(post().to(refresh)))
        .service(resource("/api/v1/me").route(get().to(me)));
}

async fn sign_in(
    state: Data<AppState>,
    request: HttpRequest,
    body: Json<SignIn>,
) -> Result<HttpResponse, Error> {
    // The peer itself: a header that a stranger can write would let them around the limit.
    let address = request
        .peer_addr()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let signed_in = session::sign_in(&state, body.into_inner(), address, now()).await?;
    Ok(answer(&state, signed_in))
}

async fn refresh(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, Error> {
    // Every page asks when it opens; that nobody is signed in is an answer, not an error.
    let Some(cookie) = request.cookie(COOKIE) else {
        return Ok(HttpResponse::NoContent().finish());
    };
    let signed_in = session::refresh(&state, cookie.value(), address(&request), now()).await?;
    Ok(answer(&state, signed_in))
}

async fn sign_out(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, Error> {
    if let Some(cookie) = request.cookie(COOKIE) {
        session::sign_out(&state, cookie.value(), now()).await?;
    }
    let gone = cookie(&state, String::new(), Duration::ZERO);
    Ok(HttpResponse::NoContent().cookie(gone).finish())
}

async fn me(state: Data<AppState>, caller: Caller) -> Result<Json<Me>, Error> {
    Ok(Json(session::me(&state, caller).await?))
}

/// The peer itself: a header that a stranger can write would let them around the limits.
fn address(request: &HttpRequest) -> IpAddr {
    request
        .peer_addr()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip())
}

fn answer(state: &AppState, signed_in: SignedIn) -> HttpResponse {
    let cookie = cookie(state, signed_in.refresh_token, Duration::milliseconds(REFRESH_MS));
    HttpResponse::Ok().cookie(cookie).json(signed_in.session)
}

fn cookie(state: &AppState, value: String, max_age: Duration) -> Cookie<'static> {
    Cookie::build(COOKIE, value)
        .path(COOKIE_PATH)
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(state.public_url.scheme() == "https")
        .max_age(max_age)
        .finish()
}
