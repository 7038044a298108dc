//! Recorder nodes and how they join.

use player::api::{all, post, tell};
use wire::EnrolmentId;
use wire::api::{EnrolmentToken, MadeEnrolmentToken, NewEnrolmentToken};

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
