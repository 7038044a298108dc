//! `/api/v1/nodes`.

use actix_web::web::{Data, Json, ServiceConfig, get, resource};
use wire::api::{Node, Page};

use crate::app::{Caller, nodes};
use crate::{AppState, Error};

/// Routes.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/api/v1/nodes").route(get().to(list)));
}

async fn list(state: Data<AppState>, caller: Caller) -> Result<Json<Page<Node>>, Error> {
    let items = nodes::list(&state, caller).await?;
    Ok(Json(Page { items }))
}
