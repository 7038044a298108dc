//! The player's API over footage.

use serde_json::json;
use wire::event::{Head, NodeEvent};
use wire::{StreamKind, UnixMs};

use crate::fixture::{Site, growing, hour_ago};
use crate::support::World;

#[tokio::test]
async fn the_ledger_tells_footage_from_gaps() {
    let site = Site::new(World::without_bus().await).await;
    let start = hour_ago();
    let at = |ms: i64| UnixMs(start.0 + ms);
    let (first, _) = site.object(start, 10);
    let (second, _) = site.object(at(90_000), 10);
    site.index(NodeEvent::ObjectSealed(first)).await;
    site.gap(at(60_000), at(90_000)).await;
    site.world.server.state.heads.put(Head {
        camera: site.camera,
        stream: StreamKind::Main,
        node: site.node,
        objects: vec![growing(&second, 2)],
    });
    let path = site.api(&format!("coverage?from={}&to={}", start, at(150_000)));
    let (status, coverage) = site.get(&path).await;
    assert_eq!(status, 200, "{coverage}");
    assert_eq!(
        coverage,
        json!({"stretches": [
            {"kind": "footage", "start": start, "end": at(60_000)},
            {"kind": "gap", "start": at(60_000), "end": at(90_000), "cause": "network", "detail": "unplugged"},
            {"kind": "footage", "start": at(90_000), "end": at(102_000)},
        ]})
    );
    let day = &start.to_string()[..10];
    let next = (start.plus(86_400_000)).to_string();
    let (status, days) = site
        .get(&site.api(&format!("days?from={day}&to={}&tz=UTC", &next[..10])))
        .await;
    assert_eq!(status, 200);
    assert_eq!(days["days"][0]["date"], day);
    assert_eq!(days["days"][0]["footage_ms"], 72_000);
}

#[tokio::test]
async fn another_tenants_camera_is_not_there() {
    let site = Site::new(World::without_bus().await).await;
    let mine = site.camera.to_string();
    for rest in [
        "days?from=2026-01-01&to=2026-02-01",
        "coverage?from=1769846400000&to=1769846500000",
        "playback?from=1769846400000",
    ] {
        let path = site
            .api(rest)
            .replace(&mine, &wire::CameraId::generate().to_string());
        let (status, problem) = site.get(&path).await;
        assert_eq!(
            (status, &problem["code"]),
            (404, &json!("camera_not_found")),
            "{rest}"
        );
        let (status, _) = site.get(&path.replace("cameras/", "cameras/x")).await;
        assert_eq!(status, 404);
        let bare = site
            .world
            .http
            .get(site.world.url(&site.api(rest)))
            .send()
            .await
            .unwrap();
        assert_eq!(bare.status(), 401, "{rest}");
    }
    let (status, problem) = site
        .get(&site.api("playback?from=1769846400000&to=1769846500000"))
        .await;
    assert_eq!((status, &problem["code"]), (404, &json!("footage_not_found")));
}

#[tokio::test]
async fn bad_ranges_name_their_field() {
    let site = Site::new(World::without_bus().await).await;
    let good = "2026-01-31T08:00:00Z";
    for what in ["coverage", "playback"] {
        for (query, field, code) in [
            (
                format!("from={good}&to=2026-01-31T07:00:00Z"),
                "to",
                "empty_range",
            ),
            (format!("from={good}&to={good}"), "to", "empty_range"),
            (
                format!("from={good}&to=2026-02-02T08:00:00Z"),
                "to",
                "range_too_long",
            ),
            (format!("from=NaN&to={good}"), "from", "invalid_time"),
            (format!("from={good}&to=Infinity"), "to", "invalid_time"),
            (format!("from=&to={good}"), "from", "invalid_time"),
            (
                format!("from=0001-01-01T00:00:00Z&to={good}"),
                "from",
                "time_out_of_range",
            ),
            (format!("from=1&to={good}"), "from", "time_out_of_range"),
            (
                format!("from={good}&to=9999-01-01T00:00:00Z"),
                "to",
                "time_out_of_range",
            ),
            (
                format!("from={good}&to=99999-01-01T00:00:00Z"),
                "to",
                "invalid_time",
            ),
            (
                format!("from={good}&to=99999999999999999999999"),
                "to",
                "time_out_of_range",
            ),
            (format!("to={good}"), "from", "missing_field"),
        ] {
            let (status, problem) = site.get(&site.api(&format!("{what}?{query}"))).await;
            assert_eq!(
                (status, &problem["field"], &problem["code"]),
                (400, &json!(field), &json!(code)),
                "{what}?{query}"
            );
        }
    }
    for (query, field, code) in [
        ("from=2026-02-01&to=2026-01-01", "to", "empty_range"),
        ("from=2026-02-01&to=2028-01-01", "to", "range_too_long"),
        ("from=0001-01-01&to=2026-01-01", "from", "date_out_of_range"),
        ("from=99999-01-01&to=2026-01-01", "from", "invalid_date"),
        ("from=NaN&to=2026-01-01", "from", "invalid_date"),
        ("from=2026-01-01T00:00:00Z&to=2026-01-02", "from", "invalid_date"),
        ("from=2026-01-01", "to", "missing_field"),
        (
            "from=2026-01-01&to=2026-01-02&tz=Mars/Olympus",
            "tz",
            "unknown_time_zone",
        ),
        (
            "from=2026-01-01&to=2026-01-02&tz=../../etc/passwd",
            "tz",
            "unknown_time_zone",
        ),
    ] {
        let (status, problem) = site.get(&site.api(&format!("days?{query}"))).await;
        assert_eq!(
            (status, &problem["field"], &problem["code"]),
            (400, &json!(field), &json!(code)),
            "days?{query}"
        );
    }
}
