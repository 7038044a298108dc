//! How complete an organization's footage is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::coverage::GapCause;

/// `GET /api/v1/completeness?from=2026-01-01&to=2026-02-01`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Completeness {
    /// The UTC days in which something was to be recorded, in order.
    pub days: Vec<CompletenessDay>,
    /// All of them together.
    pub total: CompletenessFigures,
}

/// One UTC day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CompletenessDay {
    /// `2026-01-31`.
    pub day: String,
    /// What it amounts to; of the present day, what has settled.
    pub figures: CompletenessFigures,
}

/// Planned time by what became of it, in milliseconds of all streams together. Footage, gaps and unknown
/// time add up to what was planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CompletenessFigures {
    /// Time in which streams were to be recorded.
    pub planned_ms: u64,
    /// Of it, with footage.
    pub footage_ms: u64,
    /// Of it, without footage, by cause.
    #[cfg_attr(feature = "schema", schema(value_type = std::collections::BTreeMap<String, u64>))]
    pub gaps_ms: BTreeMap<GapCause, u64>,
    /// Of it, what nobody explains.
    pub unknown_ms: u64,
    /// Share of the planned time with footage, 0 to 100; none when nothing was planned.
    pub covered_percent: Option<f64>,
    /// Share of the planned time that is footage or an explained gap.
    pub explained_percent: Option<f64>,
}
