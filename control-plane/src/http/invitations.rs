//! `/api/v1/invitations`: using one-time links. Nobody is signed in here; attempts are limited.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use wire::api::{AcceptLink, LinkShown, LookAtLink};

use super::auth::{address, origin};
use crate::app::invitations;
use crate::state::now;
use crate::{AppState, Error};

super::routes::routes! {
    "/api/v1/invitations/look" { post look }
    "/api/v1/invitations/accept" { post accept }
}

/// What a one-time link is for; it keeps working.
#[utoipa::path(
    post,
    path = "/api/v1/invitations/look",
    tag = "invitations",
    operation_id = "look_at_link",
    request_body = LookAtLink,
    responses(
        (status = 200, description = "For the page where a password is chosen.", body = LinkShown),
        (status = 401, description = "It was used, renewed or is too old.", body = wire::api::Problem,
            content_type = "application/problem+json"),
    ),
)]
async fn look(
    state: Data<AppState>,
    request: HttpRequest,
    body: Json<LookAtLink>,
) -> Result<Json<LinkShown>, Error> {
    Ok(Json(
        invitations::look(&state, &body, address(&request), now()).await?,
    ))
}

/// Uses a one-time link up: sets the password. Every session of the user ends; sign in next.
#[utoipa::path(
    post,
    path = "/api/v1/invitations/accept",
    tag = "invitations",
    operation_id = "accept_link",
    request_body = AcceptLink,
    responses(
        (status = 204, description = "The password is set."),
        (status = 401, description = "It was used, renewed or is too old.", body = wire::api::Problem,
            content_type = "application/problem+json"),
    ),
)]
async fn accept(
    state: Data<AppState>,
    request: HttpRequest,
    body: Json<AcceptLink>,
) -> Result<HttpResponse, Error> {
    invitations::accept(&state, body.into_inner(), origin(&request), now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
