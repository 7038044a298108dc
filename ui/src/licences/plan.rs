//! The fields of a plan, in the forms that issue and change licences.

use wire::licence::{LicenceFeature, LicencePlan};
use yew::prelude::*;

use super::words::{feature, feature_name};
use crate::entry::{Entry, Tick, Ticks};
use crate::sheet::{Sending, Typed};

/// What the server calls these fields.
pub(super) const FIELDS: &[&str] = &[
    "name",
    "count",
    "valid_from",
    "valid_to",
    "grace_days",
    "plan.features",
    "plan.retention_days",
    "plan.max_width",
    "plan.max_height",
    "plan.max_bitrate_bps",
];

/// What a new licence permits, unless somebody says otherwise.
pub(super) fn usual() -> LicencePlan {
    LicencePlan {
        features: vec![LicenceFeature::Recording, LicenceFeature::Live],
        retention_days: 30,
        max_width: 3840,
        max_height: 2160,
        max_bitrate_bps: 20_000_000,
    }
}

/// The fields.
pub(super) fn fields(plan: &LicencePlan, sending: &Sending) -> Html {
    let ticks: Vec<Tick> = LicenceFeature::ALL
        .into_iter()
        .map(|one| Tick {
            value: feature_name(one).to_owned(),
            text: feature(one).to_owned(),
            first: plan.features.contains(&one),
        })
        .collect();
    let mbits = f64::from(plan.max_bitrate_bps) / 1e6;
    html! {
        <>
            <Ticks label="What it permits" name="plan.features" {ticks} error={sending.said_of("plan.features")} />
            <Entry label="Days that footage is kept" name="plan.retention_days" kind="number" min="1" max="3650" required=true
                first={plan.retention_days.to_string()} error={sending.said_of("plan.retention_days")} />
            <Entry label="Widest picture, in pixels" name="plan.max_width" kind="number" min="16" max="16384" required=true
                first={plan.max_width.to_string()} error={sending.said_of("plan.max_width")} />
            <Entry label="Highest picture, in pixels" name="plan.max_height" kind="number" min="16" max="16384" required=true
                first={plan.max_height.to_string()} error={sending.said_of("plan.max_height")} />
            <Entry label="Highest rate of a stream, in Mbit/s" name="plan.max_bitrate_bps" kind="number" min="0.016" max="1000" step="any"
                required=true first={mbits.to_string()} error={sending.said_of("plan.max_bitrate_bps")} />
        </>
    }
}

/// What was typed into them.
pub(super) fn typed(typed: &Typed) -> LicencePlan {
    let ticked = typed.ticked("plan.features");
    let is_ticked = |one: &LicenceFeature| ticked.iter().any(|name| name == feature_name(*one));
    LicencePlan {
        features: LicenceFeature::ALL.into_iter().filter(is_ticked).collect(),
        retention_days: typed.parsed("plan.retention_days").unwrap_or_default(),
        max_width: typed.parsed("plan.max_width").unwrap_or_default(),
        max_height: typed.parsed("plan.max_height").unwrap_or_default(),
        max_bitrate_bps: (typed.parsed::<f64>("plan.max_bitrate_bps").unwrap_or_default() * 1e6) as u32,
    }
}
