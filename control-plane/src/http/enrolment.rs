//! `/api/v1/enrolment-tokens`, and what nodes without a token for the bus ask: nobody is signed in there;
//! attempts are limited.

use actix_web::web::{Data, Json, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use wire::api::{
    Enrol, Enrolled, EnrolmentToken, MadeEnrolmentToken, NewEnrolmentToken, NodeChallenge, Page, ProveNode,
};
use wire::bus::BusAccess;
use wire::{EnrolmentId, NodeId};

use super::auth::{address, origin};
use super::id;
use super::request::{IdempotencyKey, IfMatch, PageQuery};
use crate::app::{Caller, Once, enrolment, node_token};
use crate::state::now;
use crate::{AppState, Error};

super::routes::routes! {
    "/api/v1/enrolment-tokens" { get list, post create }
    "/api/v1/enrolment-tokens/{id}" { delete revoke }
    "/api/v1/enrol" { post enrol }
    "/api/v1/nodes/{id}/challenge" { post challenge }
    "/api/v1/nodes/{id}/token" { post prove }
}

/// Tokens with which nodes join, used and expired ones included, oldest first. Needs `nodes:manage`.
#[utoipa::path(
    get,
    path = "/api/v1/enrolment-tokens",
    tag = "nodes",
    operation_id = "list_enrolment_tokens",
    security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, description = "A page of tokens.", body = Page<EnrolmentToken>)),
)]
async fn list(
    state: Data<AppState>,
    caller: Caller,
    page: Query<PageQuery>,
) -> Result<Json<Page<EnrolmentToken>>, Error> {
    Ok(Json(enrolment::list(&state, &caller, page.part()?).await?))
}

/// Makes a token with which one node joins. Needs `nodes:manage`.
///
/// The secret is shown in this answer only. The same request again under its `Idempotency-Key` answers 409
/// `already_created`.
#[utoipa::path(
    post,
    path = "/api/v1/enrolment-tokens",
    tag = "nodes",
    operation_id = "create_enrolment_token",
    security(("bearer" = [])),
    request_body = NewEnrolmentToken,
    responses((status = 201, description = "The token with its secret.", body = MadeEnrolmentToken)),
)]
async fn create(
    state: Data<AppState>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    body: Json<NewEnrolmentToken>,
) -> Result<HttpResponse, Error> {
    let once = Once::new(&caller, key, "create_enrolment_token", &*body)?;
    let made = enrolment::create(&state, &caller, once, body.into_inner(), now()).await?;
    let location = format!("/api/v1/enrolment-tokens/{}", made.enrolment.id);
    Ok(HttpResponse::Created()
        .insert_header(("Location", location))
        .json(made))
}

/// Revokes a token, or forgets a used one: its node stays. Needs `nodes:manage`.
#[utoipa::path(
    delete,
    path = "/api/v1/enrolment-tokens/{id}",
    tag = "nodes",
    operation_id = "revoke_enrolment_token",
    security(("bearer" = [])),
    params(("id" = EnrolmentId, Path)),
    responses((status = 204, description = "No node joins with it.")),
)]
async fn revoke(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    seen: IfMatch,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "enrolment token")?;
    seen.without_revision()?;
    enrolment::revoke(&state, &caller, id, now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A node joins with a one-time token and the public half of its key.
#[utoipa::path(
    post,
    path = "/api/v1/enrol",
    tag = "nodes",
    operation_id = "enrol_node",
    request_body = Enrol,
    responses(
        (status = 200, description = "It has joined.", body = Enrolled),
        (status = 401, description = "The token was used, revoked or is too old.", body = wire::api::Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "A node with this key or id has joined already.", body = wire::api::Problem,
            content_type = "application/problem+json"),
    ),
)]
async fn enrol(
    state: Data<AppState>,
    request: HttpRequest,
    body: Json<Enrol>,
) -> Result<Json<Enrolled>, Error> {
    let joined = enrolment::enrol(&state, body.into_inner(), origin(&request), now()).await?;
    Ok(Json(joined))
}

/// What a node signs to get a new token for the bus when its last one has ended.
#[utoipa::path(
    post,
    path = "/api/v1/nodes/{id}/challenge",
    tag = "nodes",
    operation_id = "challenge_node",
    params(("id" = NodeId, Path)),
    responses(
        (status = 200, description = "For whoever asks; only the node can use it.", body = NodeChallenge),
        (status = 404, description = "That is no node's id.", body = wire::api::Problem,
            content_type = "application/problem+json"),
    ),
)]
async fn challenge(
    state: Data<AppState>,
    request: HttpRequest,
    path: Path<String>,
) -> Result<Json<NodeChallenge>, Error> {
    let node = id(&path, "node")?;
    Ok(Json(node_token::challenge(
        &state,
        node,
        address(&request),
        now(),
    )?))
}

/// A new token for the bus, for a node that proves its key.
#[utoipa::path(
    post,
    path = "/api/v1/nodes/{id}/token",
    tag = "nodes",
    operation_id = "prove_node",
    params(("id" = NodeId, Path)),
    request_body = ProveNode,
    responses(
        (status = 200, description = "The token.", body = BusAccess),
        (status = 404, description = "That is no node's id.", body = wire::api::Problem,
            content_type = "application/problem+json"),
        (status = 401, description = "The proof does not hold.", body = wire::api::Problem,
            content_type = "application/problem+json"),
        (status = 403, description = "`node_removed`.", body = wire::api::Problem,
            content_type = "application/problem+json"),
    ),
)]
async fn prove(
    state: Data<AppState>,
    request: HttpRequest,
    path: Path<String>,
    body: Json<ProveNode>,
) -> Result<Json<BusAccess>, Error> {
    let node = id(&path, "node")?;
    let access = node_token::prove(&state, node, body.into_inner(), address(&request), now()).await?;
    Ok(Json(access))
}
