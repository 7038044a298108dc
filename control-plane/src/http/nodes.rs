//! `/api/v1/nodes`.

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the names of parameter structs that stand beside their handlers"
)]

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use serde::Deserialize;
use utoipa::IntoParams;
use wire::NodeId;
use wire::api::{Node, NodePatch, NodeState, Page};

use super::id;
use super::request::{IfMatch, PageQuery, changed};
use crate::app::{Caller, nodes};
use crate::domain::text::line;
use crate::state::now;
use crate::store::registry::Filter;
use crate::{AppState, Error};

/// Longest text that the list is searched for, in characters.
const SEARCH_MAX: usize = 100;

super::routes::routes! {
    "/api/v1/nodes" { get list }
    "/api/v1/nodes/{id}" { get one, patch change, delete remove }
}

/// Which nodes; those that fit every part given.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct NodeQuery {
    /// A part of the name, whatever the case.
    #[param(max_length = 100)]
    q: Option<String>,
    /// What they are there for.
    #[param(value_type = Option<NodeState>)]
    state: Option<String>,
}

impl NodeQuery {
    fn filter(&self) -> Result<Filter, Error> {
        let searched = |text: &String| {
            line(text, 0, SEARCH_MAX).ok_or_else(|| Error::field("q", "at most 100 visible characters"))
        };
        let state = |text: &String| {
            NodeState::ALL
                .into_iter()
                .find(|state| state.as_str() == text)
                .ok_or_else(|| Error::field("state", "active, cordoned or draining"))
        };
        Ok(Filter {
            q: self.q.as_ref().map(searched).transpose()?,
            state: self.state.as_ref().map(state).transpose()?,
        })
    }
}

/// How a node is removed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Removal {
    /// Also while it has cameras, or footage that is not stored yet, which is lost with it.
    #[param(value_type = Option<bool>, default = false)]
    force: Option<String>,
}

/// The recorder nodes with what they last said of themselves, oldest first. Needs `nodes:read`.
#[utoipa::path(
    get,
    path = "/api/v1/nodes",
    tag = "nodes",
    operation_id = "list_nodes",
    security(("bearer" = [])),
    params(NodeQuery, PageQuery),
    responses((status = 200, description = "A page of nodes.", body = Page<Node>)),
)]
async fn list(
    state: Data<AppState>,
    caller: Caller,
    query: Query<NodeQuery>,
    page: Query<PageQuery>,
) -> Result<Json<Page<Node>>, Error> {
    let part = page.part()?;
    Ok(Json(nodes::list(&state, &caller, query.filter()?, part).await?))
}

/// One recorder node. Needs `nodes:read`.
#[utoipa::path(
    get,
    path = "/api/v1/nodes/{id}",
    tag = "nodes",
    operation_id = "get_node",
    security(("bearer" = [])),
    params(("id" = NodeId, Path)),
    responses((status = 200, description = "The node.", body = Node)),
)]
async fn one(state: Data<AppState>, caller: Caller, path: Path<String>) -> Result<HttpResponse, Error> {
    // What it says changes without a new revision: never answered with 304.
    let node = nodes::get(&state, &caller, id(&path, "node")?).await?;
    Ok(changed(&node, node.revision))
}

/// Renames, cordons, drains or limits a node: only the fields given change. Needs `nodes:manage`.
///
/// A node that is draining hands its cameras over to others, each only when the other one records it;
/// `cameras` tells how many are left, `drained` that it can be removed.
#[utoipa::path(
    patch,
    path = "/api/v1/nodes/{id}",
    tag = "nodes",
    operation_id = "change_node",
    security(("bearer" = [])),
    params(("id" = NodeId, Path)),
    request_body = NodePatch,
    responses((status = 200, description = "The changed node.", body = Node)),
)]
async fn change(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    IfMatch(seen): IfMatch,
    body: Json<NodePatch>,
) -> Result<HttpResponse, Error> {
    let id = id(&path, "node")?;
    let node = nodes::patch(&state, &caller, id, seen, body.into_inner(), now()).await?;
    Ok(changed(&node, node.revision))
}

/// Removes a node for good; its key never works again. What is stored stays. Needs `nodes:manage`.
#[utoipa::path(
    delete,
    path = "/api/v1/nodes/{id}",
    tag = "nodes",
    operation_id = "remove_node",
    security(("bearer" = [])),
    params(("id" = NodeId, Path), Removal),
    responses(
        (status = 204, description = "It is removed."),
        (status = 409, description = "It is not drained."),
    ),
)]
async fn remove(
    state: Data<AppState>,
    caller: Caller,
    path: Path<String>,
    query: Query<Removal>,
    IfMatch(seen): IfMatch,
) -> Result<HttpResponse, Error> {
    let force = match query.force.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Error::field("force", "true or false")),
    };
    nodes::remove(&state, &caller, id(&path, "node")?, seen, force, now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
