//! What licences permit, and when that changes.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

const FROM: UnixMs = UnixMs(1_767_225_600_000);

fn days(count: i64) -> UnixMs {
    FROM.plus(count * DAY_MS)
}

fn month() -> Validity {
    Validity::new(FROM, days(30), 7).unwrap()
}

fn full() -> LicencePlan {
    LicencePlan {
        features: LicenceFeature::ALL.to_vec(),
        retention_days: 30,
        max_width: 3_840,
        max_height: 2_160,
        max_bitrate_bps: 16_000_000,
    }
}

#[rstest]
#[case::before(-1, LicenceState::Pending, Some(0))]
#[case::at_the_start(0, LicenceState::Active, Some(30))]
#[case::inside(29, LicenceState::Active, Some(30))]
#[case::at_the_end(30, LicenceState::Grace, Some(37))]
#[case::in_grace(36, LicenceState::Grace, Some(37))]
#[case::after_grace(37, LicenceState::Expired, None)]
#[case::long_after(4_000, LicenceState::Expired, None)]
fn states(#[case] day: i64, #[case] state: LicenceState, #[case] next: Option<i64>) {
    assert_eq!(month().state(days(day)), state);
    assert_eq!(month().next_change(days(day)), next.map(days));
}

#[test]
fn a_suspended_one_permits_nothing_until_it_is_over() {
    let suspended = Validity {
        suspended: true,
        ..month()
    };
    for day in [-1, 0, 30, 36] {
        assert_eq!(suspended.state(days(day)), LicenceState::Suspended);
        assert_eq!(suspended.next_change(days(day)), Some(days(37)));
    }
    assert_eq!(suspended.state(days(37)), LicenceState::Expired);
    assert_eq!(suspended.permits(), None);
    assert_eq!(
        Permit::of(Some((&suspended, &LicenceFeature::ALL))),
        Permit::Never
    );
}

#[test]
fn recording_needs_its_feature() {
    let within = Permit::of(Some((
        &month(),
        &[LicenceFeature::Live, LicenceFeature::Recording],
    )));
    assert_eq!(within, Permit::Within(TimeRange::new(FROM, days(37)).unwrap()));
    assert_eq!(
        Permit::of(Some((&month(), &[LicenceFeature::Live]))),
        Permit::Never
    );
    assert_eq!(Permit::of(None), Permit::Never);
    let window = TimeRange::new(days(36), days(40)).unwrap();
    assert_eq!(within.cut(window), TimeRange::new(days(36), days(37)).ok());
    assert_eq!(Permit::Always.cut(window), Some(window));
    assert_eq!(Permit::Never.cut(window), None);
}

#[test]
fn a_renewal_that_ends_it_is_said_so() {
    let now = days(10);
    let later = month().renewed(days(60), false, now).unwrap();
    assert_eq!((later.valid.start(), later.lapses()), (FROM, days(67)));
    assert!(
        month().renewed(days(11), false, now).is_ok(),
        "shorter, but not over"
    );
    for passed in [now, days(5)] {
        assert_eq!(month().renewed(passed, false, now).unwrap_err().field, "valid_to");
        assert!(month().renewed(passed, true, now).is_ok());
    }
    for never in [FROM, days(-1), UnixMs(i64::MAX)] {
        assert_eq!(month().renewed(never, true, now).unwrap_err().field, "valid_to");
    }
}

#[rstest]
#[case::nothing(LicencePlan { features: vec![], ..full() }, "plan.features")]
#[case::no_retention(LicencePlan { retention_days: 0, ..full() }, "plan.retention_days")]
#[case::much_retention(LicencePlan { retention_days: 3_651, ..full() }, "plan.retention_days")]
#[case::narrow(LicencePlan { max_width: 15, ..full() }, "plan.max_width")]
#[case::high(LicencePlan { max_height: 16_385, ..full() }, "plan.max_height")]
#[case::slow(LicencePlan { max_bitrate_bps: 15_999, ..full() }, "plan.max_bitrate_bps")]
#[case::fast(LicencePlan { max_bitrate_bps: u32::MAX, ..full() }, "plan.max_bitrate_bps")]
fn plans_have_limits(#[case] bad: LicencePlan, #[case] field: &str) {
    assert_eq!(plan(&bad).unwrap_err().field, field);
}

#[test]
fn features_are_listed_once_and_in_order() {
    use LicenceFeature::{Live, Recording};
    let twice = LicencePlan {
        features: vec![Live, Recording, Live],
        ..full()
    };
    assert_eq!(plan(&twice).unwrap().features, [Recording, Live]);
    assert_eq!(plan(&full()), Ok(full()));
}

#[rstest]
#[case::empty(FROM, FROM, 0, "valid_to")]
#[case::backwards(FROM, days(-1), 0, "valid_to")]
#[case::before_all(UnixMs(0), FROM, 0, "valid_from")]
#[case::after_all(FROM, UnixMs(i64::MAX), 0, "valid_to")]
#[case::much_grace(FROM, days(1), 366, "grace_days")]
fn validities_have_limits(
    #[case] from: UnixMs,
    #[case] to: UnixMs,
    #[case] grace_days: u16,
    #[case] field: &str,
) {
    assert_eq!(Validity::new(from, to, grace_days).unwrap_err().field, field);
}

fn any_validity() -> impl Strategy<Value = Validity> {
    let start = UnixMs::MIN.0..UnixMs::MAX.0 - 1;
    (start, 0.0..1.0_f64, 0..=365_u16, any::<bool>()).prop_map(|(start, part, grace_days, suspended)| {
        let length = 1 + ((UnixMs::MAX.0 - start - 1) as f64 * part) as i64;
        let validity = Validity::new(UnixMs(start), UnixMs(start + length), grace_days).unwrap();
        Validity {
            suspended,
            ..validity
        }
    })
}

proptest! {
    #[test]
    fn nothing_changes_before_the_next_change(
        validity in any_validity(), now in UnixMs::MIN.0..UnixMs::MAX.0, part in 0.0..1.0_f64,
    ) {
        let now = UnixMs(now);
        let permit = Permit::of(Some((&validity, &LicenceFeature::ALL)));
        let until = |change: Option<UnixMs>| {
            let length = change.map_or(UnixMs::MAX.0, |at| at.0 - 1) - now.0;
            now.plus((length as f64 * part) as i64)
        };
        let change = validity.next_change(now);
        prop_assert_eq!(validity.state(until(change)), validity.state(now));
        if let Some(at) = change {
            prop_assert_eq!(validity.state(at.plus(-1)), validity.state(now));
            prop_assert_ne!(validity.state(at), validity.state(now));
        }
        let change = permit.next_change(now);
        prop_assert_eq!(permit.at(until(change)), permit.at(now));
        if let Some(at) = change {
            prop_assert_ne!(permit.at(at), permit.at(now));
        }
    }

    #[test]
    fn only_active_and_grace_permit(validity in any_validity(), now in UnixMs::MIN.0..UnixMs::MAX.0) {
        let permits = validity.permits().is_some_and(|range| range.contains(UnixMs(now)));
        let state = validity.state(UnixMs(now));
        prop_assert_eq!(permits, matches!(state, LicenceState::Active | LicenceState::Grace));
    }
}
