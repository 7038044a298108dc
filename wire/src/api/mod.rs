//! Bodies of the HTTP API, as the browser and other clients see them: one module for each noun.

mod account;
mod audit;
mod camera;
mod completeness;
mod enrolment;
mod erasure;
mod event;
mod group;
mod import;
mod job;
mod licence;
mod node;
mod organization;
mod patch;
mod person;
mod placement;
mod playback;
mod recording;
mod recording_override;
mod service_key;
mod session;
mod user;

pub use account::{BeginTotp, ChangePassword, RecoveryCodes, RemoveTotp, TotpCode, TotpSecret, UserSession};
pub use audit::{ActorKind, AuditEntry};
pub use camera::{Camera, CameraPatch, LicenceExceeded, NewCamera, ProbeCamera};
pub use completeness::{Completeness, CompletenessDay, CompletenessFigures};
pub use enrolment::{
    Enrol, Enrolled, EnrolmentToken, MadeEnrolmentToken, NewEnrolmentToken, NodeChallenge, ProveNode,
};
pub use erasure::{Erasure, ErasureNode, ErasurePreview, NewErasure};
pub use event::{Event, EventKind};
pub use group::{Group, GroupPatch, NewGroup};
pub use import::{ImportProblem, ImportReport};
pub use job::{Job, JobPatch, NewJob, PreviewJob, UpcomingWindow, UpcomingWindows};
pub use licence::{
    AssignLicence, IssuedLicences, Licence, LicencePatch, LicenceUsage, LicencesByState, NewLicences,
    RenewLicence, TransferLicence,
};
pub use node::{Node, NodePatch, NodeState};
pub use organization::{
    Licensing, NewOrganization, Organization, OrganizationPatch, OrganizationState, Quotas, Usage,
};
pub use person::{PersonEntry, PersonExport, PersonFailures, PersonLink, PersonSession};
pub use placement::{OtherNode, PlacedNode, Placement};
pub use playback::{Coverage, Day, Days, Playback};
pub use recording::{Recording, RecordingState};
pub use recording_override::{
    NewOverride, OverrideKind, OverrideRequest, Planned, PlannedReason, RecordingOverride,
};
pub use service_key::{MadeServiceKey, NewServiceKey, ServiceKey, ServiceKeyPatch};
pub use session::{Me, Session, SignIn};
pub use user::{
    AcceptLink, Grant, Grants, Invited, LinkPurpose, LinkShown, LookAtLink, NewUser, OneTimeLink, User,
    UserPatch, UserState,
};

use serde::{Deserialize, Serialize};

/// `application/problem+json` (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Stable code, such as `camera_not_found`; programs match on it.
    pub code: String,
    /// HTTP status.
    pub status: u16,
    /// A sentence that the reader can act on.
    pub title: String,
    /// The offending field, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// As in the answer's `X-Request-Id` and the log.
    pub request_id: String,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Give it as `cursor` to get what follows; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
