//! Licences in the reader's words.

use wire::UnixMs;
use wire::api::Licence;
use wire::licence::{LicenceFeature, LicencePlan, LicenceState};
use yew::prelude::*;

const DAY_MS: i64 = 86_400_000;

/// The state, coloured.
pub(crate) fn badge(licence: &Licence) -> Html {
    let (tone, text) = match licence.state {
        LicenceState::Active => ("good", "active"),
        LicenceState::Pending => ("idle", "not valid yet"),
        LicenceState::Grace => ("bad", "in its days of grace"),
        LicenceState::Expired => ("bad", "expired"),
        LicenceState::Suspended => ("bad", "suspended"),
    };
    html! { <span class={classes!("state", tone)}>{ text }</span> }
}

/// How long it lasts yet, or since when it does not; `day` writes a day.
pub(crate) fn until(licence: &Licence, now: UnixMs, day: impl Fn(UnixMs) -> String) -> String {
    let (from, to, lapses) = (licence.valid_from, licence.valid_to, licence.lapses);
    match licence.state {
        LicenceState::Pending => format!("Valid from {} to {}.", day(from), day(to)),
        LicenceState::Active => format!("{} left: valid until {}.", days(now, to), day(to)),
        LicenceState::Grace => {
            format!(
                "It was valid until {}. {} of grace left, until {}.",
                day(to),
                days(now, lapses),
                day(lapses)
            )
        }
        LicenceState::Expired => format!("It ended {}. Renewed, it permits again.", day(lapses)),
        LicenceState::Suspended => "It is taken back for now, and permits nothing.".to_owned(),
    }
}

fn days(now: UnixMs, end: UnixMs) -> String {
    match end.since(now) / DAY_MS {
        0 => "Less than a day".to_owned(),
        1 => "1 day".to_owned(),
        many => format!("{many} days"),
    }
}

/// What a plan permits, in a line.
pub(super) fn plan(plan: &LicencePlan) -> String {
    let features: Vec<&str> = plan
        .features
        .iter()
        .map(|feature| self::feature(*feature))
        .collect();
    format!(
        "{} · kept {} days · up to {} × {}, {} Mbit/s",
        features.join(", "),
        plan.retention_days,
        plan.max_width,
        plan.max_height,
        f64::from(plan.max_bitrate_bps) / 1e6,
    )
}

pub(super) const fn feature(feature: LicenceFeature) -> &'static str {
    match feature {
        LicenceFeature::Recording => "recording",
        LicenceFeature::Live => "live",
        LicenceFeature::SubStream => "sub stream",
        LicenceFeature::Redundant => "two nodes at once",
    }
}

/// As the server names it.
pub(super) const fn feature_name(feature: LicenceFeature) -> &'static str {
    match feature {
        LicenceFeature::Recording => "recording",
        LicenceFeature::Live => "live",
        LicenceFeature::SubStream => "sub_stream",
        LicenceFeature::Redundant => "redundant",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn licence(state: LicenceState) -> Licence {
        serde_json::from_value(serde_json::json!({
            "id": "018f0000-0000-7000-8000-000000000001", "organization": "018f0000-0000-7000-8000-000000000002",
            "name": "Standard", "plan": {"features": ["recording", "redundant"], "retention_days": 30,
                "max_width": 1920, "max_height": 1080, "max_bitrate_bps": 8_500_000},
            "valid_from": 0, "valid_to": 10 * DAY_MS, "grace_days": 5, "lapses": 15 * DAY_MS, "suspended": false,
            "state": state, "camera": null, "issued": 0, "revision": 1,
        }))
        .unwrap()
    }

    #[test]
    fn how_long_it_lasts_is_said_in_days() {
        let said = |state, day: i64| {
            until(&licence(state), UnixMs(day * DAY_MS), |at| {
                format!("day {}", at.0 / DAY_MS)
            })
        };
        assert_eq!(said(LicenceState::Active, 3), "7 days left: valid until day 10.");
        assert_eq!(said(LicenceState::Active, 9), "1 day left: valid until day 10.");
        assert_eq!(
            said(LicenceState::Grace, 12),
            "It was valid until day 10. 3 days of grace left, until day 15."
        );
        assert_eq!(
            said(LicenceState::Expired, 20),
            "It ended day 15. Renewed, it permits again."
        );
    }

    #[test]
    fn a_plan_is_a_line() {
        assert_eq!(
            plan(&licence(LicenceState::Active).plan),
            "recording, two nodes at once · kept 30 days · up to 1920 × 1080, 8.5 Mbit/s"
        );
    }
}
