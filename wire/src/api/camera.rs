//! Cameras and probes.

use serde::{Deserialize, Serialize};

use super::patch::clearable;
use super::recording_override::{Planned, RecordingOverride};
use crate::access::Permissions;
use crate::id::{CameraId, GroupId, NodeId};
use crate::media::StreamKind;
use crate::source::{Reader, Transport};
use crate::status::StreamState;
use crate::time::UnixMs;

/// `POST /api/v1/cameras`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewCamera {
    /// 1 to 100 characters.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 100))]
    pub name: String,
    /// `rtsp://` or `rtsps://`; credentials before the host are moved to their own fields. A camera that wants
    /// them in path or query gets them where `{username}` and `{password}` stand; a password itself is
    /// refused there.
    #[cfg_attr(feature = "schema", schema(max_length = 2048))]
    pub url: String,
    /// Address of the sub stream, if it has one; asked with the same credentials.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(max_length = 2048))]
    pub sub_url: Option<String>,
    /// User name for the camera.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(max_length = 256))]
    pub username: Option<String>,
    /// Password for the camera; never returned.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(max_length = 256))]
    pub password: Option<String>,
    /// Where it is, in words: at most 100 characters.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(max_length = 100))]
    pub site: String,
    /// At most 20 of 40 characters: letters, digits, `-`, `.` and `:`. Kept in lower case.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(max_items = 20))]
    pub tags: Vec<String>,
    /// The group it is in.
    #[serde(default)]
    pub group: Option<GroupId>,
    /// IANA time zone in which its schedules run.
    #[serde(default = "utc")]
    #[cfg_attr(feature = "schema", schema(example = "Europe/Berlin", default = "UTC"))]
    pub time_zone: String,
    /// How RTP travels.
    #[serde(default)]
    pub transport: Transport,
    /// Which reader to use.
    #[serde(default)]
    pub reader: Reader,
    /// Record sound when there is some.
    #[serde(default)]
    pub audio: bool,
    /// Record around the clock from now on, whatever its jobs say.
    #[serde(default = "yes")]
    pub recording: bool,
    /// How many nodes record it at once: 1 or 2.
    #[serde(default = "one")]
    #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 2, default = 1))]
    pub copies: u8,
    /// Labels that its nodes must have: at most 20, spelled like tags.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(max_items = 20))]
    pub node_labels: Vec<String>,
    /// Seconds of a segment that are aimed at: a player waits about three of them.
    #[serde(default = "segment_s")]
    #[cfg_attr(feature = "schema", schema(minimum = 2, maximum = 30, default = 6))]
    pub segment_s: u32,
    /// Seconds of a stored object that are aimed at; not below `segment_s`.
    #[serde(default = "object_s")]
    #[cfg_attr(feature = "schema", schema(minimum = 10, maximum = 600, default = 60))]
    pub object_s: u32,
    /// Anything else worth knowing, at most 4000 characters.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(max_length = 4000))]
    pub notes: String,
    /// Add it although another camera has this address.
    #[serde(default)]
    pub allow_duplicate: bool,
}

const fn yes() -> bool {
    true
}

fn utc() -> String {
    "UTC".to_owned()
}

const fn one() -> u8 {
    1
}

const fn segment_s() -> u32 {
    6
}

const fn object_s() -> u32 {
    60
}

impl Default for NewCamera {
    /// Without name and address; the rest as when it is not given.
    fn default() -> Self {
        Self {
            name: String::new(),
            url: String::new(),
            sub_url: None,
            username: None,
            password: None,
            site: String::new(),
            tags: Vec::new(),
            group: None,
            time_zone: utc(),
            transport: Transport::default(),
            reader: Reader::default(),
            audio: false,
            recording: yes(),
            copies: one(),
            node_labels: Vec::new(),
            segment_s: segment_s(),
            object_s: object_s(),
            notes: String::new(),
            allow_duplicate: false,
        }
    }
}

impl std::fmt::Debug for NewCamera {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewCamera")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// `PATCH /api/v1/cameras/{id}`: only the fields given change. `null` clears what can be empty and leaves
/// the rest as it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct CameraPatch {
    /// New name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 100))]
    pub name: Option<String>,
    /// New address. Where `url` or `sub_url` names another host, port or scheme than the camera has now, its
    /// saved password is not sent there: the request then holds `password` again, or an empty `username`, or
    /// is refused with 422 `credentials_required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(max_length = 2048))]
    pub url: Option<String>,
    /// New address of the sub stream; `null` when it has none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "clearable")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, max_length = 2048))]
    pub sub_url: Option<Option<String>>,
    /// New user name; `null` or the empty string removes the credentials.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "clearable")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, max_length = 256))]
    pub username: Option<Option<String>>,
    /// New password.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(max_length = 256))]
    pub password: Option<String>,
    /// New site; `null` when it has none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "clearable")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, max_length = 100))]
    pub site: Option<Option<String>>,
    /// The new tags, all of them; `null` when it has none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "clearable")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Vec<String>>, max_items = 20))]
    pub tags: Option<Option<Vec<String>>>,
    /// The group it is in from now on; `null` when it is in none. Needs `cameras:manage`: who was granted
    /// a group sees its cameras.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "clearable")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<GroupId>))]
    pub group: Option<Option<GroupId>>,
    /// New time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
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
    /// How many nodes record it from now on: 1 or 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 2))]
    pub copies: Option<u8>,
    /// Labels that its nodes must have, all of them; `null` when any node will do.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "clearable")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Vec<String>>, max_items = 20))]
    pub node_labels: Option<Option<Vec<String>>>,
    /// New length of segments in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(minimum = 2, maximum = 30))]
    pub segment_s: Option<u32>,
    /// New length of objects in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(minimum = 10, maximum = 600))]
    pub object_s: Option<u32>,
    /// New notes; `null` when there are none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "clearable")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, max_length = 4000))]
    pub notes: Option<Option<String>>,
    /// Take the new address although another camera has it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_duplicate: bool,
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
    /// Address of its sub stream, if it has one.
    pub sub_url: Option<String>,
    /// User name, if it has credentials.
    pub username: Option<String>,
    /// Where it is, in words.
    pub site: String,
    /// Its tags, in the order given.
    pub tags: Vec<String>,
    /// The group it is in.
    pub group: Option<GroupId>,
    /// IANA time zone in which its schedules run.
    pub time_zone: String,
    /// How RTP travels.
    pub transport: Transport,
    /// Which reader is used.
    pub reader: Reader,
    /// Whether sound is recorded.
    pub audio: bool,
    /// Whether it is to be recorded around the clock.
    pub recording: bool,
    /// How many nodes are to record it at once.
    #[serde(default = "one")]
    pub copies: u8,
    /// Labels that its nodes must have.
    #[serde(default)]
    pub node_labels: Vec<String>,
    /// Seconds of a segment that are aimed at.
    pub segment_s: u32,
    /// Seconds of a stored object that are aimed at.
    pub object_s: u32,
    /// Anything else worth knowing.
    pub notes: String,
    /// The node that records it, once one is assigned.
    pub node: Option<NodeId>,
    /// Whether that node reports; none while none is assigned. Not in the audit log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_online: Option<bool>,
    /// What its node last said; none while the node is lost or none is assigned.
    pub state: Option<StreamState>,
    /// When it was created.
    pub created: UnixMs,
    /// Grows with each change; the same as in the `ETag`.
    pub revision: u64,
    /// What is planned for it now, and why; not in the audit log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<Planned>,
    /// What somebody said of its recording that is in force now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#override: Option<RecordingOverride>,
    /// What was recorded today or yesterday (UTC) beyond its licence; not in the audit log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub licence_exceeded: Vec<LicenceExceeded>,
    /// What who asks may do with it.
    #[serde(default, skip_serializing_if = "Permissions::is_empty")]
    pub permissions: Permissions,
}

/// A stream that is recorded beyond its camera's licence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LicenceExceeded {
    /// The stream.
    pub stream: StreamKind,
    /// Width of its picture in pixels; not there while the picture is within the licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height of its picture in pixels; not there while the picture is within the licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Its bitrate when people were told; not there while it is within the licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitrate_bps: Option<u64>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_null_and_a_value_differ() {
        let read = |text: &str| serde_json::from_str::<CameraPatch>(text).unwrap();
        assert_eq!(read("{}"), CameraPatch::default());
        let cleared = read(r#"{"sub_url":null,"site":null,"tags":null,"group":null,"notes":null}"#);
        assert_eq!((cleared.sub_url, cleared.site), (Some(None), Some(None)));
        assert_eq!(
            (cleared.tags, cleared.group, cleared.notes),
            (Some(None), Some(None), Some(None))
        );
        let patch = read(r#"{"site":"north"}"#);
        assert_eq!(patch.site, Some(Some("north".to_owned())));
        assert_eq!(serde_json::to_string(&patch).unwrap(), r#"{"site":"north"}"#);
    }

    #[test]
    fn what_is_not_given_is_the_default() {
        let new: NewCamera = serde_json::from_str(r#"{"name":"","url":""}"#).unwrap();
        assert_eq!(new, NewCamera::default());
    }
}
