//! Recorder nodes and how they join.

use player::api::{all, change, get, post, tell};
use wire::api::{Completeness, EnrolmentToken, MadeEnrolmentToken, NewEnrolmentToken, Node, NodePatch};
use wire::{CameraId, EnrolmentId, NodeId};

use super::{NOTHING, Result};

/// Tokens with which nodes join, used and expired ones too.
pub(crate) async fn enrolment_tokens() -> Result<Vec<EnrolmentToken>> {
    all("/api/v1/enrolment-tokens").await
}

/// Makes a token; its command is shown this once.
pub(crate) async fn make_enrolment_token(new: &NewEnrolmentToken) -> Result<MadeEnrolmentToken> {
    post("/api/v1/enrolment-tokens", new).await
}

/// No node joins with it any more.
pub(crate) async fn revoke_enrolment_token(id: EnrolmentId) -> Result<()> {
    tell("DELETE", &format!("/api/v1/enrolment-tokens/{id}"), NOTHING).await
}

/// Changes a node as it was seen.
pub(crate) async fn change_node(id: NodeId, revision: u64, patch: &NodePatch) -> Result<Node> {
    change(&format!("/api/v1/nodes/{id}"), patch, revision).await
}

/// Removes a node for good; by force also with what it has not handed over.
pub(crate) async fn remove_node(id: NodeId, force: bool) -> Result<()> {
    tell("DELETE", &format!("/api/v1/nodes/{id}?force={force}"), NOTHING).await
}

/// What became of the planned time from one UTC day to before another; of one camera, or of all.
pub(crate) async fn completeness(camera: Option<CameraId>, from: &str, to: &str) -> Result<Completeness> {
    let camera = camera.map(|id| format!("&camera={id}")).unwrap_or_default();
    get(&format!("/api/v1/completeness?from={from}&to={to}{camera}")).await
}
