//! Names on the bus, and the requests that travel over it.
//!
//! | name | kind | from → to |
//! |---|---|---|
//! | `cc.event.<node>` | JetStream stream `EVENTS` | node → index |
//! | `plans` / `<node>` | KV, its changes again as `cc.plan.<node>` | control plane → node |
//! | `nodes` / `<node>` | KV, 15 s to live | node → control plane |
//! | `heads` / `<node>.<camera>.<stream>` | KV | node → control plane |
//! | `cc.req.<node>.<request>` | request/reply, queue group | node → control plane |
//! | `cc.node.<node>.<request>` | request/reply | control plane → node |
//! | `cc.control.wake` | message | control plane → control planes |
//! | `cc.control.facts` | message | control plane → control planes |
//!
//! Each name that a node uses has the node in it, so that the bus' permissions vouch for who speaks. A node
//! asks JetStream for one thing only: the present value of its own plan, at [`plan_get_subject`].

use serde::{Deserialize, Serialize};

use crate::id::{CameraId, NodeId, ObjectId};
use crate::media::{StreamKind, Track};
use crate::source::{Credentials, Source};
use crate::time::UnixMs;

/// JetStream stream of all node events.
pub const EVENT_STREAM: &str = "EVENTS";
/// Subjects of [`EVENT_STREAM`].
pub const EVENT_SUBJECTS: &str = "cc.event.*";
/// Durable consumer of the index.
pub const INDEX_CONSUMER: &str = "index";
/// KV bucket of plans, one key a node.
pub const PLAN_BUCKET: &str = "plans";
/// KV bucket of node status, one key a node.
pub const NODE_BUCKET: &str = "nodes";
/// Seconds without status after which a node counts as lost.
pub const NODE_TTL_S: u64 = 15;
/// KV bucket of open heads, one key a node, camera and stream.
pub const HEAD_BUCKET: &str = "heads";
/// What of [`PLAN_BUCKET`] is published again, and as what.
pub const PLAN_REPUBLISH: (&str, &str) = ("$KV.plans.*", "cc.plan.{{wildcard(1)}}");
/// Requests from nodes, for the control plane's subscription.
pub const REQUEST_SUBJECTS: &str = "cc.req.*.*";
/// Queue group in which control planes share node requests.
pub const REQUEST_GROUP: &str = "control-plane";
/// Wakes the background tasks of other control planes; for control planes only.
pub const WAKE_SUBJECT: &str = "cc.control.wake";
/// Tells other control planes that there are new facts; for control planes only.
pub const FACTS_SUBJECT: &str = "cc.control.facts";
/// Most bytes of footage in one [`ReadReply`]; below NATS' default payload limit of 1 MiB.
pub const READ_MAX_BYTES: u32 = 512 * 1024;

/// Subject of a node's events.
#[must_use]
pub fn event_subject(node: NodeId) -> String {
    format!("cc.event.{node}")
}

/// Subject of a request from a node.
#[must_use]
pub fn request_subject(node: NodeId, request: NodeRequestKind) -> String {
    format!("cc.req.{node}.{}", request.as_str())
}

/// Subject of a request to a node.
#[must_use]
pub fn node_subject(node: NodeId, request: ControlRequestKind) -> String {
    format!("cc.node.{node}.{}", request.as_str())
}

/// Key of a stream's head, as its node has it.
#[must_use]
pub fn head_key(node: NodeId, camera: CameraId, stream: StreamKind) -> String {
    format!("{node}.{camera}.{}", stream.as_str())
}

/// Subject of a key of a bucket: publishing there is a put.
#[must_use]
pub fn kv_subject(bucket: &str, key: &str) -> String {
    format!("$KV.{bucket}.{key}")
}

/// Subject at which a node hears of changes of its plan.
#[must_use]
pub fn plan_subject(node: NodeId) -> String {
    format!("cc.plan.{node}")
}

/// Subject whose answer is the present value of a node's plan, or status 404.
#[must_use]
pub fn plan_get_subject(node: NodeId) -> String {
    format!("$JS.API.DIRECT.GET.KV_{PLAN_BUCKET}.$KV.{PLAN_BUCKET}.{node}")
}

/// Beginning of every subject at which a node hears answers.
#[must_use]
pub fn inbox_prefix(node: NodeId) -> String {
    format!("_INBOX.{node}")
}

/// What a node's key signs to get a new token over HTTPS: the server's challenge, and who answers it.
#[must_use]
pub fn token_statement(node: NodeId, challenge: &str) -> String {
    format!("cloudcam node token\n{node}\n{challenge}")
}

macro_rules! kinds {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }
        impl $name {
            /// The last token of its subject.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
            /// The request named by the last token of a subject.
            #[must_use]
            pub fn from_token(token: &str) -> Option<Self> {
                match token { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

kinds!(/// What a node asks the control plane.
NodeRequestKind {
    /// [`ConfirmRequest`] → [`ConfirmReply`].
    Confirm = "confirm",
    /// [`UploadRequest`] → [`UploadReply`].
    Upload = "upload",
    /// [`StoredRequest`] → [`StoredReply`].
    Stored = "stored",
    /// [`CredentialsRequest`] → [`CredentialsReply`].
    Credentials = "credentials",
    /// [`TokenRequest`] → [`BusAccess`].
    Token = "token",
});

kinds!(/// What the control plane asks a node.
ControlRequestKind {
    /// [`ReadRequest`] → bytes, see [`ReadReply`].
    Read = "read",
    /// [`ProbeRequest`] → [`ProbeReport`].
    Probe = "probe",
    /// [`SnapshotRequest`] → a JPEG, see [`SnapshotReply`].
    Snapshot = "snapshot",
    /// [`PictureRequest`] → a JPEG, as for a snapshot.
    Picture = "picture",
});

/// Every answer over request/reply: the value, or why not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply<T> {
    /// Done.
    Ok(T),
    /// Refused or failed.
    Err(ReplyError),
}

/// Why a request over the bus was not answered as asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code:?}: {detail}")]
pub struct ReplyError {
    /// What the asker can do about it.
    pub code: ReplyCode,
    /// One sentence; no secrets.
    pub detail: String,
}

/// What the asker can do about a failed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyCode {
    /// Malformed: asking again is useless.
    Invalid,
    /// Not there, or not the asker's.
    NotFound,
    /// Already done, or no longer possible.
    Conflict,
    /// Try again later.
    Unavailable,
}

/// Which of these events has the index committed? Asked until it has all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmRequest {
    /// [`NodeEvent::message_id`](crate::event::NodeEvent::message_id) of each, at most 500.
    pub messages: Vec<String>,
}

/// The committed ones among those asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmReply {
    /// Committed message ids; the node forgets these outbox rows.
    pub committed: Vec<String>,
    /// Message ids that the index refused for good, with the reason.
    pub refused: Vec<(String, String)>,
}

/// A place to PUT one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadRequest {
    /// A confirmed object of this node.
    pub object: ObjectId,
}

/// Where and how to PUT.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadReply {
    /// Pre-signed URL; a secret for the minutes that it lives.
    pub url: String,
    /// Headers that the signature covers, to be sent as they are.
    pub headers: Vec<(String, String)>,
    /// When the URL stops working.
    pub expires: UnixMs,
}

impl std::fmt::Debug for UploadReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UploadReply")
            .field("url", &"…")
            .field("expires", &self.expires)
            .finish()
    }
}

/// The PUT was answered with success (or 412, already there): verify and mark it stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRequest {
    /// The object.
    pub object: ObjectId,
}

/// Whether the store holds the object, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredReply {
    /// True: the local copy may go. False: the store does not have it, upload again.
    pub stored: bool,
}

/// The credentials of a camera in this node's plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialsRequest {
    /// The camera.
    pub camera: CameraId,
}

/// A camera's credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialsReply {
    /// As in [`PlanEntry::credentials_revision`](crate::plan::PlanEntry::credentials_revision).
    pub revision: u64,
    /// None when the camera asks for none.
    pub credentials: Option<Credentials>,
}

/// A new token for the bus, in time before the present one ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRequest {}

/// With what a node gets on the bus. Without the node's private key it opens nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BusAccess {
    /// A NATS user JWT for the node's key.
    pub jwt: String,
    /// When it was made, by the server's clock.
    pub issued: UnixMs,
    /// When it ends.
    pub expires: UnixMs,
    /// Addresses of the bus: `nats://host:port` or `tls://host:port`.
    pub urls: Vec<String>,
    /// Certificates (PEM) that the bus' own must descend from; none when the system's do.
    pub ca: Option<String>,
}

impl std::fmt::Debug for BusAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BusAccess")
            .field("expires", &self.expires)
            .field("urls", &self.urls)
            .finish_non_exhaustive()
    }
}

/// A byte range of an object in the node's spool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadRequest {
    /// The object, growing or sealed.
    pub object: ObjectId,
    /// The camera it must belong to.
    pub camera: CameraId,
    /// First byte.
    pub offset: u64,
    /// At most [`READ_MAX_BYTES`].
    pub length: u32,
}

/// Answer to a [`ReadRequest`]: the raw bytes are the payload and this is the JSON of the header
/// [`READ_HEADER`]. Fewer bytes than asked for mean the (present) end of the object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadReply {
    /// Present size of the object.
    pub size: u64,
}

/// Header that carries `Reply<ReadReply>` beside the bytes.
pub const READ_HEADER: &str = "Cc-Read";

/// The newest keyframe of a camera that is recorded now, as a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotRequest {
    /// The camera.
    pub camera: CameraId,
    /// Widest picture that is wanted, in pixels; none is made wider than the camera sends it.
    pub max_width: u32,
}

/// Answer to a [`SnapshotRequest`]: the JPEG is the payload, at most [`SNAPSHOT_MAX_BYTES`], and this is the
/// JSON of the header [`SNAPSHOT_HEADER`]. `NotFound` when the camera is not recorded now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotReply {
    /// Capture time of the picture.
    pub captured: UnixMs,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

/// The next live picture of a camera that is recorded now. Who asks again within seconds of the answer, with the
/// capture time of what came, sees one picture after the other; the node makes them for as long as somebody
/// asks, once for all who ask for the same. Answered like a [`SnapshotRequest`], when there is a new picture;
/// `Unavailable` when none came for some seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureRequest {
    /// The camera.
    pub camera: CameraId,
    /// Pixels; the picture fits into the box, keeps its shape and is never larger than it was sent.
    pub max_width: u32,
    /// The same.
    pub max_height: u32,
    /// At most so many pictures a second; none: keyframes alone.
    pub per_second: Option<u16>,
    /// Of the JPEG, 1 to 100.
    pub quality: u8,
    /// A picture that was captured later than this; none: the first that there is.
    pub after: Option<UnixMs>,
}

/// Header that carries `Reply<SnapshotReply>` beside the JPEG.
pub const SNAPSHOT_HEADER: &str = "Cc-Snapshot";
/// Most bytes of a JPEG; below NATS' default payload limit of 1 MiB.
pub const SNAPSHOT_MAX_BYTES: usize = 512 * 1024;

/// Connect to a source and say what it sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeRequest {
    /// What to connect to.
    pub source: Source,
    /// With which credentials.
    pub credentials: Option<Credentials>,
}

/// What a probe found within its ten seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ProbeReport {
    /// The tracks, with measured frames per second.
    pub tracks: Vec<Track>,
    /// Bits per second over the probe.
    pub bitrate_bps: u64,
    /// Milliseconds between keyframes, when two were seen.
    pub keyframe_interval_ms: Option<u64>,
    /// Camera clock minus node clock, when the camera sends sender reports.
    pub clock_offset_ms: Option<i64>,
    /// Which reader took it: `retina` or `rtspsrc`.
    pub reader: String,
}
