//! Bodies of the HTTP API, as the browser and other clients see them.

use serde::{Deserialize, Serialize};

use crate::coverage::Stretch;
use crate::id::{CameraId, NodeId, OrganizationId, UserId};
use crate::source::{Reader, Transport};
use crate::status::StreamState;
use crate::time::UnixMs;

/// `application/problem+json` (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// `POST /api/v1/session`: sign in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// E-mail address or the administrator's name.
    pub login: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn")
            .field("login", &self.login)
            .field("password", &"…")
            .finish()
    }
}

/// Answer to sign-in and refresh. The refresh token travels in an HttpOnly cookie only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// JWT for `Authorization: Bearer`.
    pub access_token: String,
    /// Seconds until it expires.
    pub expires_in_s: u32,
    /// Who signed in.
    pub user: Me,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("access_token", &"…")
            .field("user", &self.user)
            .finish()
    }
}

/// `GET /api/v1/me`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// The user.
    pub id: UserId,
    /// Name that signs in.
    pub login: String,
    /// The user's organization.
    pub organization: OrganizationId,
    /// Its name.
    pub organization_name: String,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
}

/// `POST /api/v1/cameras`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCamera {
    /// 1 to 100 characters.
    pub name: String,
    /// `rtsp://` or `rtsps://`; credentials inside are moved to their own fields.
    pub url: String,
    /// User name for the camera.
    #[serde(default)]
    pub username: Option<String>,
    /// Password for the camera; never returned.
    #[serde(default)]
    pub password: Option<String>,
    /// How RTP travels.
    #[serde(default)]
    pub transport: Transport,
    /// Which reader to use.
    #[serde(default)]
    pub reader: Reader,
    /// Record sound when there is some.
    #[serde(default)]
    pub audio: bool,
    /// Record around the clock from now on.
    #[serde(default = "yes")]
    pub recording: bool,
}

const fn yes() -> bool {
    true
}

impl std::fmt::Debug for NewCamera {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewCamera")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// `PATCH /api/v1/cameras/{id}`: only the fields given change.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct CameraPatch {
    /// New name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// New address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// New user name; the empty string removes the credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// New password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// New transport.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
    /// New reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reader: Option<Reader>,
    /// Sound on or off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<bool>,
    /// Recording on or off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<bool>,
}

impl std::fmt::Debug for CameraPatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CameraPatch")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A camera as the API shows it; without its password.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Camera {
    /// The camera.
    pub id: CameraId,
    /// Its name.
    pub name: String,
    /// Address without credentials.
    pub url: String,
    /// User name, if it has credentials.
    pub username: Option<String>,
    /// How RTP travels.
    pub transport: Transport,
    /// Which reader is used.
    pub reader: Reader,
    /// Whether sound is recorded.
    pub audio: bool,
    /// Whether it is to be recorded.
    pub recording: bool,
    /// The node that records it, once one is assigned.
    pub node: Option<NodeId>,
    /// What its node last said; none while the node is lost or none is assigned.
    pub state: Option<StreamState>,
    /// When it was created.
    pub created: UnixMs,
}

/// `POST /api/v1/probe`: try an address before saving it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeCamera {
    /// `rtsp://` or `rtsps://`.
    pub url: String,
    /// User name for the camera.
    #[serde(default)]
    pub username: Option<String>,
    /// Password for the camera.
    #[serde(default)]
    pub password: Option<String>,
    /// How RTP travels.
    #[serde(default)]
    pub transport: Transport,
    /// Which reader to use.
    #[serde(default)]
    pub reader: Reader,
}

impl std::fmt::Debug for ProbeCamera {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProbeCamera").finish_non_exhaustive()
    }
}

/// `GET /api/v1/nodes`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// The node.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// Whether it reported within its time to live.
    pub online: bool,
    /// What it last said of itself; none while it is lost.
    pub status: Option<crate::status::NodeStatus>,
}

/// `GET /player-api/cameras/{id}/days?from=2026-01-01&to=2026-02-01&tz=Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days {
    /// Days with footage, `2026-01-31`, in the time zone asked for.
    pub days: Vec<Day>,
}

/// One day of the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// `2026-01-31`.
    pub date: String,
    /// Milliseconds of footage in it.
    pub footage_ms: u64,
    /// Bit h is set when hour h of the local day has footage (bit 24 for the 25th hour of a long day).
    pub hours: u32,
}

/// `GET /player-api/cameras/{id}/coverage?from=…&to=…`: in order, no overlap, nothing left out between
/// the camera's first planned instant and now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The stretches.
    pub stretches: Vec<Stretch>,
}

/// `GET /player-api/cameras/{id}/playback?from=…&to=…`: a signed address of the range's playlist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Playback {
    /// Path and query of the multivariant playlist.
    pub url: String,
    /// When the address stops working.
    pub expires: UnixMs,
    /// RFC 6381 codec strings in it, for `MediaSource.isTypeSupported`.
    pub codecs: Vec<String>,
}
