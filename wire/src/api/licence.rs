//! Licences: the right to use one camera for a time.

use serde::{Deserialize, Serialize};

use crate::id::{CameraId, LicenceId, OrganizationId};
use crate::licence::{LicencePlan, LicenceState};
use crate::time::UnixMs;

/// `POST /api/v1/licences`: issue one or several alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewLicences {
    /// 1 to 100 characters.
    pub name: String,
    /// What they permit.
    pub plan: LicencePlan,
    /// First instant at which they permit it.
    pub valid_from: UnixMs,
    /// First instant after.
    pub valid_to: UnixMs,
    /// Days after that in which all goes on, 0 to 365.
    #[serde(default)]
    pub grace_days: u16,
    /// How many: 1 to 1,000.
    #[serde(default = "one")]
    pub count: u16,
}

const fn one() -> u16 {
    1
}

/// What was issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct IssuedLicences {
    /// The licences.
    pub items: Vec<Licence>,
}

/// A licence as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Licence {
    /// The licence.
    pub id: LicenceId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// What it permits.
    pub plan: LicencePlan,
    /// First instant at which it permits it.
    pub valid_from: UnixMs,
    /// First instant after.
    pub valid_to: UnixMs,
    /// Days after that in which all goes on.
    pub grace_days: u16,
    /// The end of its days of grace: from then on it permits nothing.
    pub lapses: UnixMs,
    /// Whether it is taken back for now.
    pub suspended: bool,
    /// What it is worth now.
    pub state: LicenceState,
    /// The camera it is assigned to.
    pub camera: Option<CameraId>,
    /// When it was issued.
    pub issued: UnixMs,
    /// Grows with each change; the same as in the `ETag`.
    pub revision: u64,
}

/// `PATCH /api/v1/licences/{id}`: only the fields given change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct LicencePatch {
    /// New name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// New plan, as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<LicencePlan>,
    /// New days of grace, 0 to 365.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace_days: Option<u16>,
}

/// `PUT /api/v1/licences/{id}/camera`: assign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AssignLicence {
    /// A camera without a licence.
    pub camera: CameraId,
}

/// `POST /api/v1/licences/{id}/transfer`: from one camera to another at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TransferLicence {
    /// The camera that has it.
    pub from: CameraId,
    /// A camera without a licence.
    pub to: CameraId,
}

/// `POST /api/v1/licences/{id}/renew`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RenewLicence {
    /// The new end.
    pub valid_to: UnixMs,
    /// Says that an end in the past is meant: the licence ends, its days of grace count from there.
    #[serde(default)]
    pub may_lapse: bool,
}

/// `GET /api/v1/licences/usage`: an organization's licences in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LicenceUsage {
    /// All licences.
    pub total: u64,
    /// Those that are assigned to a camera.
    pub assigned: u64,
    /// How many are in which state.
    pub by_state: LicencesByState,
    /// All cameras.
    pub cameras: u64,
    /// Cameras without a licence.
    pub cameras_without_licence: u64,
}

/// Licences by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LicencesByState {
    /// Not valid yet.
    pub pending: u64,
    /// Valid.
    pub active: u64,
    /// In their days of grace.
    pub grace: u64,
    /// Over.
    pub expired: u64,
    /// Taken back for now.
    pub suspended: u64,
}
