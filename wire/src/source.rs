//! How a camera's stream is reached.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How RTP reaches the recorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Interleaved in the RTSP connection (RFC 2326 §10.12); the default.
    #[default]
    Tcp,
    /// Plain RTP over UDP.
    Udp,
}

/// Which reader takes the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Reader {
    /// Retina where it can, GStreamer's rtspsrc for the rest.
    #[default]
    Auto,
    /// Retina only.
    Retina,
    /// GStreamer's rtspsrc only.
    Rtspsrc,
}

/// Stands in an address where a camera wants the user name; the node fills it in.
pub const USERNAME_PLACE: &str = "{username}";
/// Stands in an address where a camera wants the password; the node fills it in.
pub const PASSWORD_PLACE: &str = "{password}";

/// A stream to read, without its secrets; what plans carry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// `rtsp://` or `rtsps://`, never with credentials inside; perhaps with places for them in path or query.
    pub url: String,
    /// How RTP travels.
    #[serde(default)]
    pub transport: Transport,
    /// Which reader to use.
    #[serde(default)]
    pub reader: Reader,
    /// Whether sound is recorded when there is some.
    #[serde(default)]
    pub audio: bool,
}

/// What a camera wants to know before it answers. Its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The camera's user name.
    pub username: String,
    /// The camera's password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .field("password", &"…")
            .finish()
    }
}
