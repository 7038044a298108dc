//! Recording jobs: rules that say when a camera is recorded.

use serde::{Deserialize, Serialize};

use crate::id::{CameraId, JobId};
use crate::plan::RetryPolicy;
use crate::schedule::{Schedule, StreamChoice};
use crate::time::UnixMs;

/// `POST /api/v1/cameras/{id}/recording-jobs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewJob {
    /// 1 to 100 characters.
    pub name: String,
    /// When to record.
    pub schedule: Schedule,
    /// IANA name of the time zone of the schedule; the camera's without one.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// What to record. Where licences count, the sub stream needs one with the feature `sub_stream`.
    #[serde(default)]
    pub streams: StreamChoice,
    /// Whether it counts.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Seconds of footage from before each window that are kept, from memory, when it opens: 0 to 30. Needs
    /// a connection to the camera that long before.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(maximum = 30, default = 0))]
    pub pre_roll_s: u32,
    /// Attempts without footage, one after the other, after which the recording counts as failing and people
    /// are told: 1 to 1000. It is tried again all the same. Of several jobs the least counts.
    #[serde(default = "alert_after")]
    #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 1000, default = 10))]
    pub alert_after: u32,
    /// Longest pause between two attempts at a camera that refuses, in seconds: 5 to 3600. One that is away is
    /// tried every few seconds. Of several jobs the least counts.
    #[serde(default = "longest_pause_s")]
    #[cfg_attr(feature = "schema", schema(minimum = 5, maximum = 3600, default = 60))]
    pub longest_pause_s: u32,
}

const fn yes() -> bool {
    true
}

fn alert_after() -> u32 {
    RetryPolicy::default().alert_after
}

fn longest_pause_s() -> u32 {
    RetryPolicy::default().longest_pause_ms / 1000
}

/// `PATCH /api/v1/recording-jobs/{id}`: only the fields given change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct JobPatch {
    /// New name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// New schedule, as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// New time zone; the empty string for the camera's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// New streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streams: Option<StreamChoice>,
    /// On or off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// New seconds of pre-roll.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(maximum = 30))]
    pub pre_roll_s: Option<u32>,
    /// New number of attempts after which people are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 1000))]
    pub alert_after: Option<u32>,
    /// New longest pause in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(minimum = 5, maximum = 3600))]
    pub longest_pause_s: Option<u32>,
}

/// A recording job as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Job {
    /// The job.
    pub id: JobId,
    /// Whose recording it rules.
    pub camera: CameraId,
    /// Its name.
    pub name: String,
    /// When it records.
    pub schedule: Schedule,
    /// Its own time zone, if it has one.
    pub time_zone: Option<String>,
    /// What it records.
    pub streams: StreamChoice,
    /// Whether it counts.
    pub enabled: bool,
    /// Seconds of footage from before each window that are kept when it opens.
    #[serde(default)]
    pub pre_roll_s: u32,
    /// Attempts without footage after which people are told.
    #[serde(default = "alert_after")]
    pub alert_after: u32,
    /// Longest pause between two attempts at a camera that refuses, in seconds.
    #[serde(default = "longest_pause_s")]
    pub longest_pause_s: u32,
    /// When it was made.
    pub created: UnixMs,
    /// Grows with each change; the same as in the `ETag`.
    pub revision: u64,
    /// What its schedule means from now on, whether it is enabled or not.
    pub upcoming: UpcomingWindows,
}

/// `POST /api/v1/recording-jobs/preview`: what a schedule would mean, without saving it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PreviewJob {
    /// When to record.
    pub schedule: Schedule,
    /// IANA name of the time zone of the schedule; the camera's without one.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Whose time zone counts when none is given.
    #[serde(default)]
    pub camera: Option<CameraId>,
}

/// The next windows of a schedule, ten at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct UpcomingWindows {
    /// The time zone that counts.
    pub time_zone: String,
    /// In order; one that is open now begins now. Fewer than ten: no more start before `searched_until`.
    pub windows: Vec<UpcomingWindow>,
    /// How far was looked.
    pub searched_until: UnixMs,
}

/// A stretch of recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct UpcomingWindow {
    /// First instant.
    pub start: UnixMs,
    /// First instant after; none when it goes on past `searched_until`.
    pub end: Option<UnixMs>,
}
