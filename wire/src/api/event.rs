//! Facts for people and programs, as `/api/v1/events` tells them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{CameraId, NodeId};
use crate::time::UnixMs;

/// A fact: something that happened, told once to everybody who may know of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Event {
    /// Grows with each fact; give the last one seen to go on after it.
    pub id: u64,
    /// When it happened.
    pub happened: UnixMs,
    /// What happened.
    pub kind: EventKind,
    /// The camera that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera: Option<CameraId>,
    /// The node that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// More about it; what is in it depends on the kind, and grows with versions.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub data: Value,
}

// `tt`, not `literal`: the document's attributes do not read a literal that a macro has captured, and would
// name the variants instead.
macro_rules! kinds {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:tt,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)+ }

        impl $name {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its name, which never changes.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The kind of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

kinds!(/// What happened. Names are stable; new ones are added.
EventKind {
    /// A camera was added.
    CameraCreated = "camera.created",
    /// A camera's settings were changed.
    CameraChanged = "camera.changed",
    /// A camera was deleted.
    CameraDeleted = "camera.deleted",
    /// A recording job was added.
    JobCreated = "job.created",
    /// A recording job was changed.
    JobChanged = "job.changed",
    /// A recording job was deleted.
    JobDeleted = "job.deleted",
    /// A person said that a camera is recorded, or not, whatever its jobs say.
    OverrideCreated = "override.created",
    /// Such a word was taken back.
    OverrideCancelled = "override.cancelled",
    /// A camera is recorded by other nodes than before.
    AssignmentChanged = "assignment.changed",
    /// A session of recording has its first picture.
    RecordingStarted = "recording.started",
    /// A session of recording ended.
    RecordingEnded = "recording.ended",
    /// Recording keeps failing.
    RecordingFailing = "recording.failing",
    /// Recording that kept failing works again.
    RecordingRecovered = "recording.recovered",
    /// Planned time without footage began, with its cause.
    GapOpened = "gap.opened",
    /// Nobody explains why planned time has no footage.
    LedgerUnknown = "ledger.unknown",
    /// Footage was erased by a person.
    FootageErased = "footage.erased",
    /// A node joined.
    NodeEnrolled = "node.enrolled",
    /// A node reports.
    NodeOnline = "node.online",
    /// A node reports no more.
    NodeOffline = "node.offline",
    /// A node's settings were changed.
    NodeChanged = "node.changed",
    /// A node was removed.
    NodeRemoved = "node.removed",
    /// A node said what cannot be true or is not its own; the index refused it.
    NodeRefused = "node.refused",
    /// A licence was issued, changed, assigned or taken away.
    LicenceChanged = "licence.changed",
    /// A camera records a larger picture or more bits than its licence permits: once a day, and when it grows.
    LicenceExceeded = "licence.exceeded",
    /// The organization was renamed, limited, suspended or woken.
    OrganizationChanged = "organization.changed",
    /// Another organization, which is gone now, was erased.
    OrganizationErased = "organization.erased",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_are_what_json_says() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_name(kind.as_str()), Some(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(EventKind::from_name("camera"), None);
    }
}
