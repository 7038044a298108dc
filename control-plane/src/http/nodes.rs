//! `/api/v1/nodes`.

use actix_web::web::{Data, Json};
use wire::api::{Node, Page};

use crate::app::{Caller, nodes};
use crate::{AppState, Error};

super::routes::routes! {
    "/api/v1/nodes" { get list }
}

/// The recorder nodes, oldest first. Needs `nodes:read`.
#[utoipa::path(
    get,
    path = "/api/v1/nodes",
    tag = "nodes",
    operation_id = "list_nodes",
    security(("bearer" = [])),
    responses((status = 200, description = "All of them.", body = Page<Node>)),
)]
async fn list(state: Data<AppState>, caller: Caller) -> Result<Json<Page<Node>>, Error> {
    let items = nodes::list(&state, &caller).await?;
    Ok(Json(Page { items, next: None }))
}
