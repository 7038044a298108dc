//! How ids and enumerations look in columns: ids as 16 bytes, enumerations as small integers.
//!
//! Numbers written here are on disk for ever: add, never renumber.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{Binary, SmallInt};
use diesel::sqlite::Sqlite;
use wire::coverage::GapCause;
use wire::source::{Reader, Transport};
use wire::{CameraId, NodeId, ObjectId, OrganizationId, StreamKind, UserId};

/// Any id, as its column holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Binary)]
pub struct Id(pub [u8; 16]);

impl ToSql<Binary, Sqlite> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        <[u8] as ToSql<Binary, Sqlite>>::to_sql(&self.0, out)
    }
}

impl FromSql<Binary, Sqlite> for Id {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?;
        Ok(Self(bytes.try_into().map_err(|_| "an id without 16 bytes")?))
    }
}

macro_rules! ids {
    ($($name:ident),+) => {$(
        impl From<Id> for $name {
            fn from(id: Id) -> Self { Self::from_bytes(id.0) }
        }
        impl From<$name> for Id {
            fn from(id: $name) -> Self { Self(*id.as_bytes()) }
        }
    )+};
}

ids!(OrganizationId, UserId, CameraId, NodeId, ObjectId);

macro_rules! small {
    ($(#[$doc:meta])* $name:ident($inner:ty) { $($number:literal = $value:path,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
        #[diesel(sql_type = SmallInt)]
        pub struct $name(pub $inner);

        impl ToSql<SmallInt, Sqlite> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                let number: i16 = match self.0 { $($value => $number,)+ };
                out.set_value(i32::from(number));
                Ok(serialize::IsNull::No)
            }
        }

        impl FromSql<SmallInt, Sqlite> for $name {
            fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                match <i16 as FromSql<SmallInt, Sqlite>>::from_sql(value)? {
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

small!(/// Column of an [`ObjectState`].
StateSql(ObjectState) { 0 = ObjectState::Sealed, 1 = ObjectState::Stored, });

/// Where an indexed object's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectState {
    /// In its node's spool only.
    Sealed,
    /// In the object store, verified.
    Stored,
}
