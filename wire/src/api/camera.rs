//! Cameras and probes.

use serde::{Deserialize, Serialize};

use crate::id::{CameraId, NodeId};
use crate::source::{Reader, Transport};
use crate::status::StreamState;
use crate::time::UnixMs;

/// `POST /api/v1/cameras`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
    /// Grows with each change; the same as in the `ETag`.
    pub revision: u64,
}

/// `POST /api/v1/probe`: try an address before saving it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
