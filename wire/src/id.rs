//! Ids as types: a camera's id cannot be passed where an object's is expected.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a {kind} id: expected a UUID such as 0190f5fe-7c00-7a00-8000-0123456789ab")]
pub struct InvalidId {
    kind: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id; version 7, so that ids sort by the time they were made (RFC 9562 §5.7).
            #[cfg(feature = "generate")]
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id with these 16 bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The 16 bytes, as databases store them.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        #[cfg(feature = "schema")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .format(Some(SchemaFormat::Custom("uuid".to_owned())))
                    .description(Some(concat!("Id of a ", $kind, ".")))
                    .into()
            }
        }

        #[cfg(feature = "schema")]
        impl utoipa::ToSchema for $name {}

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.as_hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            // Only the hyphenated form: one spelling an id, so that it can be a file name or a subject.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let invalid = InvalidId { kind: $kind };
                if text.len() != 36 {
                    return Err(invalid);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| invalid)
            }
        }
    };
}

id!(/// A tenant.
    OrganizationId, "organization");
id!(/// A person who signs in.
    UserId, "user");
id!(/// A camera of one organization.
    CameraId, "camera");
id!(/// A recorder node.
    NodeId, "node");
id!(/// A sign-in and the tokens that descend from it.
    SessionId, "session");
id!(/// A machine's key to the API.
    ServiceKeyId, "service key");
id!(/// A named set of cameras.
    GroupId, "group");
id!(/// What one user may do with one camera or group.
    GrantId, "grant");
id!(/// The right to record one camera for a time.
    LicenceId, "licence");
id!(/// A rule that says when a camera is recorded.
    JobId, "recording job");
id!(/// An entry of the audit log.
    AuditId, "audit entry");
id!(/// One stored object of footage, about a minute of one camera's stream.
    ObjectId, "object");
id!(/// A deletion of a camera's footage by range, for as long as it is kept as a tombstone.
    ErasureId, "erasure");

id!(/// A session of recording: one window of one stream on one node under one epoch.
    RecordingId, "recording");
id!(/// A person's word that a camera is recorded, or not, whatever its schedules say.
    OverrideId, "override");
id!(/// A one-time token with which a node joins.
    EnrolmentId, "enrolment");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_only() {
        let text = "0190f5fe-7c00-7a00-8000-0123456789ab";
        let id: CameraId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        for bad in [
            "",
            "x",
            "0190f5fe7c007a0080000123456789ab",
            "../../../../etc/passwd",
            "{0190f5fe-7c00-7a00-8000-0123456789a}",
        ] {
            assert!(bad.parse::<CameraId>().is_err(), "{bad}");
        }
    }
}
