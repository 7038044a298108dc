//! What a licence permits, and what state it is in.
//!
//! Plain data; the rules are the control plane's.

use serde::{Deserialize, Serialize};

/// What a licence permits for the one camera it is assigned to.
///
/// Enforced: the features `recording`, `sub_stream` and `redundant`, and the time in which the licence is
/// valid. Only told of, as `licence_exceeded` of the camera and the event `licence.exceeded`: resolution and
/// bitrate; the footage is recorded all the same. Kept for later: the feature `live`, and `retention_days`,
/// which never deletes footage early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LicencePlan {
    /// What the camera may be used for, at least one.
    pub features: Vec<LicenceFeature>,
    /// How long its footage is kept, in days: 1 to 3,650. Not in effect yet: nothing is deleted by age.
    pub retention_days: u16,
    /// Widest picture, in pixels: 16 to 16,384. A wider one is recorded and told of.
    pub max_width: u16,
    /// Highest picture, in pixels: 16 to 16,384. A higher one is recorded and told of.
    pub max_height: u16,
    /// Highest bitrate of a stream, in bits per second: 16,000 to 1,000,000,000. A higher one is recorded and
    /// told of.
    pub max_bitrate_bps: u32,
}

/// Something a camera may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LicenceFeature {
    /// Recording the main stream.
    Recording,
    /// Watching live. Not in effect yet.
    Live,
    /// Recording the sub-stream.
    SubStream,
    /// Recording by two nodes at once.
    Redundant,
}

impl LicenceFeature {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 4] = [Self::Recording, Self::Live, Self::SubStream, Self::Redundant];
}

/// What a licence is worth at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LicenceState {
    /// Not valid yet.
    Pending,
    /// Valid.
    Active,
    /// Over, but its days of grace are not: permits what it did.
    Grace,
    /// Over, its days of grace too.
    Expired,
    /// Taken back for now, before it was over.
    Suspended,
}

impl LicenceState {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Active,
        Self::Grace,
        Self::Expired,
        Self::Suspended,
    ];

    /// As in queries and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Grace => "grace",
            Self::Expired => "expired",
            Self::Suspended => "suspended",
        }
    }
}
