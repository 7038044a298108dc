//! `/api/v1/session` and `/api/v1/me`.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::USER_AGENT;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use wire::api::{Me, Session, SignIn};

use super::auth::origin;
use crate::app::session::{self, Client, REFRESH_MS, SignedIn};
use crate::app::{Caller, sign_in as signing_in};
use crate::state::now;
use crate::{AppState, Error};

const COOKIE: &str = "cc_refresh";
const COOKIE_PATH: &str = "/api/v1/session";

super::routes::routes! {
    "/api/v1/session" { post sign_in, delete sign_out }
    "/api/v1/session/refresh" { post refresh }
    "/api/v1/me" { get me }
}

/// Signs in; the refresh token comes in the cookie `cc_refresh`.
#[utoipa::path(
    post,
    path = "/api/v1/session",
    tag = "session",
    operation_id = "sign_in",
    request_body = SignIn,
    responses(
        (status = 200, description = "Signed in.", body = Session),
        (status = 401, description = "`wrong_credentials`, `totp_required` or `wrong_code`.", body = wire::api::Problem,
            content_type = "application/problem+json"),
    ),
)]
async fn sign_in(
    state: Data<AppState>,
    request: HttpRequest,
    body: Json<SignIn>,
) -> Result<HttpResponse, Error> {
    let signed_in = signing_in::sign_in(&state, body.into_inner(), &client(&request), now()).await?;
    Ok(answer(&state, signed_in))
}

/// Takes the cookie's refresh token for a new session; each works once.
#[utoipa::path(
    post,
    path = "/api/v1/session/refresh",
    tag = "session",
    operation_id = "refresh_session",
    responses(
        (status = 200, description = "Signed in.", body = Session),
        (status = 204, description = "There is no cookie: nobody is signed in."),
        (status = 401, description = "The session is over.", body = wire::api::Problem,
            content_type = "application/problem+json"),
    ),
)]
async fn refresh(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, Error> {
    // Every page asks when it opens; that nobody is signed in is an answer, not an error.
    let Some(cookie) = request.cookie(COOKIE) else {
        return Ok(HttpResponse::NoContent().finish());
    };
    let signed_in = session::refresh(&state, cookie.value(), &client(&request), now()).await?;
    Ok(answer(&state, signed_in))
}

/// Ends the cookie's session.
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    tag = "session",
    operation_id = "sign_out",
    responses((status = 204, description = "Nobody is signed in any more.")),
)]
async fn sign_out(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, Error> {
    if let Some(cookie) = request.cookie(COOKIE) {
        session::sign_out(&state, cookie.value(), origin(&request), now()).await?;
    }
    let gone = cookie(&state, String::new(), Duration::ZERO);
    Ok(HttpResponse::NoContent().cookie(gone).finish())
}

/// Who the caller is.
#[utoipa::path(
    get,
    path = "/api/v1/me",
    tag = "session",
    operation_id = "get_me",
    security(("bearer" = [])),
    responses((status = 200, description = "The signed-in user.", body = Me)),
)]
async fn me(state: Data<AppState>, caller: Caller) -> Result<Json<Me>, Error> {
    Ok(Json(session::me(&state, &caller).await?))
}

fn client(request: &HttpRequest) -> Client {
    let agent = request.headers().get(USER_AGENT);
    Client {
        origin: origin(request),
        agent: agent
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned(),
    }
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
