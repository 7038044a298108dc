//! How ids and enumerations look in columns: ids as 16 bytes, enumerations as small integers.
//!
//! Numbers written here are on disk for ever: add, never renumber.

use crate::domain::assign::NodeState;
use crate::domain::plan::OverrideKind;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{Binary, SmallInt};
use wire::access::Role;
use wire::api::{Licensing, OrganizationState, UserState};
use wire::coverage::GapCause;
use wire::event::EndReason;
use wire::schedule::StreamChoice;
use wire::source::{Reader, Transport};
use wire::{
    AuditId, EnrolmentId, ErasureId, GrantId, GroupId, JobId, LicenceId, OverrideId, RecordingId,
    ServiceKeyId, SessionId,
};
use wire::{CameraId, NodeId, ObjectId, OrganizationId, StreamKind, UserId};

/// Any id, as its column holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Binary)]
pub struct Id(pub [u8; 16]);

impl<DB: Backend> ToSql<Binary, DB> for Id
where
    [u8]: ToSql<Binary, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.as_slice().to_sql(out)
    }
}

impl<DB: Backend> FromSql<Binary, DB> for Id
where
    Vec<u8>: FromSql<Binary, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let bytes = Vec::<u8>::from_sql(value)?;
        Ok(Self(bytes.try_into().map_err(|_| "an id without 16 bytes")?))
    }
}

macro_rules! ids {
    ($($name:ident),+ $(,)?) => {$(
        impl From<Id> for $name {
            fn from(id: Id) -> Self { Self::from_bytes(id.0) }
        }
        impl From<$name> for Id {
            fn from(id: $name) -> Self { Self(*id.as_bytes()) }
        }
    )+};
}

ids!(
    OrganizationId,
    UserId,
    CameraId,
    NodeId,
    ObjectId,
    SessionId,
    ServiceKeyId,
    GroupId,
    GrantId,
    LicenceId,
    JobId,
    ErasureId,
    EnrolmentId,
    AuditId,
    RecordingId,
    OverrideId,
);

macro_rules! small {
    ($(#[$doc:meta])* $name:ident($inner:ty) { $($number:literal = $value:path,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
        #[diesel(sql_type = SmallInt)]
        pub struct $name(pub $inner);

        impl<DB: Backend> ToSql<SmallInt, DB> for $name
        where
            i16: ToSql<SmallInt, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                match self.0 { $($value => <i16 as ToSql<SmallInt, DB>>::to_sql(&$number, out),)+ }
            }
        }

        impl<DB: Backend> FromSql<SmallInt, DB> for $name
        where
            i16: FromSql<SmallInt, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                match i16::from_sql(value)? {
                    $($number => Ok(Self($value)),)+
                    other => Err(format!(concat!("unknown ", stringify!($name), " {}"), other).into()),
                }
            }
        }

        impl From<$name> for $inner {
            fn from(small: $name) -> Self { small.0 }
        }
        impl From<$inner> for $name {
            fn from(inner: $inner) -> Self { Self(inner) }
        }
    };
}

small!(/// Column of a [`StreamKind`].
StreamSql(StreamKind) { 0 = StreamKind::Main, 1 = StreamKind::Sub, });

small!(/// Column of a [`Transport`].
TransportSql(Transport) { 0 = Transport::Tcp, 1 = Transport::Udp, });

small!(/// Column of a [`Reader`].
ReaderSql(Reader) { 0 = Reader::Auto, 1 = Reader::Retina, 2 = Reader::Rtspsrc, });

small!(/// Column of a [`GapCause`].
CauseSql(GapCause) {
    0 = GapCause::Camera, 1 = GapCause::Network, 2 = GapCause::Node, 3 = GapCause::Disk,
    4 = GapCause::Upload, 5 = GapCause::Retention, 6 = GapCause::Operator, 7 = GapCause::Unlicensed,
    8 = GapCause::Unknown,
});

small!(/// Column of a [`StreamChoice`].
StreamsSql(StreamChoice) { 0 = StreamChoice::Main, 1 = StreamChoice::Sub, 2 = StreamChoice::Both, });

small!(/// Column of an [`OverrideKind`].
OverrideKindSql(OverrideKind) { 0 = OverrideKind::Record, 1 = OverrideKind::Pause, });

small!(/// Column of a [`NodeState`].
NodeStateSql(NodeState) { 0 = NodeState::Active, 1 = NodeState::Cordoned, 2 = NodeState::Draining, });

small!(/// Column of an [`ObjectState`].
StateSql(ObjectState) { 0 = ObjectState::Sealed, 1 = ObjectState::Stored, });

small!(/// Column of an [`EndReason`].
EndReasonSql(EndReason) {
    0 = EndReason::WindowEnded, 1 = EndReason::Withdrawn, 2 = EndReason::Moved, 3 = EndReason::Stopped,
    4 = EndReason::JobChanged, 5 = EndReason::CameraDeleted, 6 = EndReason::Unlicensed,
    7 = EndReason::Suspended, 8 = EndReason::NodeLost,
});

small!(/// Column of an [`OrganizationState`].
OrganizationStateSql(OrganizationState) {
    0 = OrganizationState::Active, 1 = OrganizationState::Suspended, 2 = OrganizationState::Deleting,
});

small!(/// Column of a [`Licensing`].
LicensingSql(Licensing) { 0 = Licensing::None, 1 = Licensing::Required, });

small!(/// Column of a [`Role`].
RoleSql(Role) { 0 = Role::SuperAdmin, 1 = Role::OrgAdmin, 2 = Role::OrgUser, });

small!(/// Column of a [`UserState`].
UserStateSql(UserState) { 0 = UserState::Active, 1 = UserState::Invited, 2 = UserState::Disabled, });

small!(/// Column of an [`ActorKind`].
ActorKindSql(ActorKind) { 0 = ActorKind::User, 1 = ActorKind::ServiceKey, 2 = ActorKind::System, });

small!(/// Column of a [`TokenPurpose`].
TokenPurposeSql(TokenPurpose) { 0 = TokenPurpose::Invitation, 1 = TokenPurpose::PasswordReset, });

/// Where an indexed object's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectState {
    /// In its node's spool only.
    Sealed,
    /// In the object store, verified.
    Stored,
}

/// What a one-time token lets its bearer do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenPurpose {
    /// Accept an invitation by choosing the first password.
    Invitation,
    /// Choose a new password.
    PasswordReset,
}

pub use wire::api::ActorKind;
