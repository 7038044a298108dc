//! What recorder, control plane and browser say to each other.
//!
//! Plain data and its validation: ids, times, segments, events, plans, subjects, requests and the bodies
//! of the HTTP API. Nothing here reads a clock, opens a socket or knows a database; it builds for wasm32.

pub mod access;
pub mod api;
pub mod bus;
pub mod clocks;
pub mod coverage;
pub mod event;
pub mod id;
pub mod licence;
pub mod media;
pub mod plan;
pub mod schedule;
pub mod segment;
pub mod source;
pub mod status;
pub mod time;

pub use id::{
    AuditId, CameraId, EnrolmentId, ErasureId, GrantId, GroupId, JobId, LicenceId, NodeId, ObjectId,
    OrganizationId, OverrideId, RecordingId, ServiceKeyId, SessionId, UserId,
};
pub use media::{StreamKind, Track};
pub use segment::{Segment, SegmentTable};
pub use time::{TimeRange, UnixMs};
