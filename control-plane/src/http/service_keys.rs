//! `/api/v1/service-keys`: how machines call.

use actix_web::web::{Data, Json, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use wire::ServiceKeyId;
use wire::api::{MadeServiceKey, NewServiceKey, Page, ServiceKey, ServiceKeyPatch};

use super::id;
use super::request::{IdempotencyKey, IfMatch, PageQuery, changed, created, tagged};
use crate::app::{Caller, Once, service_keys};
use crate::state::now;
use crate::{AppState, Error};

super::routes::routes! {
    "/api/v1/service-keys" { get list, post create }
    "/api/v1/service-keys/{id}" { get one, patch change, delete revoke }
}

/// Keys of the organization, oldest first. Needs `keys:manage`.
#[utoipa::path(
    get,
    path = "/api/v1/service-keys",
    tag = "service keys",
    operation_id = "list_service_keys",
    security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, description = "A page of keys.", body = Page<ServiceKey>)),
)]
async fn list(
    state: Data<AppState>,
    caller: Caller,
    page: Query<PageQuery>,
) -> Result<Json<Page<ServiceKey>>, Error> {
    Ok(Json(service_keys::list(&state, &caller, page.part()?).await?))
}

/// Makes a key. Needs `keys:manage` and every right that the key gets.
///
/// The secret is shown in this answer only. The same request again under its `Idempotency-Key` answers 409
/// `already_created`: nothing new is made; a key whose secret was lost is revoked.
#[utoipa::path(
    post,
    path = "/api/v1/service-keys",
    tag = "service keys",
    operation_id = "create_service_key",
    security(("bearer" = [])),
    request_body = NewServiceKey,
    responses((status = 201, description = "The key with its secret.", body = MadeServiceKey)),
)]
async fn create(
    state: Data<AppState>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    body: Json<NewServiceKey>,
) -> Result<HttpResponse, Error> {
    let once = Once::new(&caller, key, "create_service_key", &*body)?;
    let made = service_keys::create(&state, &caller, once, body.into_inner(), now()).await?;
    let location = format!("/api/v1/service-keys/{}", made.key.id);
    Ok(created(location, &made, made.key.revision))
}

/// One key. Needs `keys:manage`.
#[utoipa::path(
    get,
    path = "/api/v1/service-keys/{id}",
    tag = "service keys",
    operation_id = "get_service_key",
    security(("bearer" = [])),
    params(("id" = ServiceKeyId, Path)),
    responses(
        (status = 200, description = "The key.", body = ServiceKey),
        (status = 304, description = "Still the one of `If-None-Match`, but for its last use."),
    ),
)]
async fn one(
    request: HttpRequest,
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
) -> Result<HttpResponse, Error> {
    let key = service_keys::get(&state, &caller, id(&path, "key")?).await?;
    Ok(tagged(&request, &key, key.revision))
}

/// Renames a key or changes when it ends; what it may do never changes. Needs `keys:manage`.
#[utoipa::path(
    patch,
    path = "/api/v1/service-keys/{id}",
    tag = "service keys",
    operation_id = "change_service_key",
    security(("bearer" = [])),
    params(("id" = ServiceKeyId, Path)),
    request_body = ServiceKeyPatch,
    responses((status = 200, description = "The changed key.", body = ServiceKey)),
)]
async fn change(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
    body: Json<ServiceKeyPatch>,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "key")?;
    let key = service_keys::change(&state, &caller, id, seen, body.into_inner(), now()).await?;
    Ok(changed(&key, key.revision))
}

/// Revokes a key: its next request is refused. Needs `keys:manage`.
#[utoipa::path(
    delete,
    path = "/api/v1/service-keys/{id}",
    tag = "service keys",
    operation_id = "revoke_service_key",
    security(("bearer" = [])),
    params(("id" = ServiceKeyId, Path)),
    responses((status = 204, description = "It works no more.")),
)]
async fn revoke(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "key")?;
    service_keys::revoke(&state, &caller, id, seen, now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
