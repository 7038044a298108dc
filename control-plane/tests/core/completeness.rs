//! How complete footage is: figures that add up, late footage that counts, alerts that are told once.

use control_plane::store::completeness::{self, DayOf};
use control_plane::store::facts::{self, FactKind};
use control_plane::store::lease::{self, Grant, Taking};
use control_plane::store::{Connection, StoreError};
use control_plane::tasks::completeness::once;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use wire::access::Role;
use wire::coverage::{Gap, GapCause};
use wire::event::NodeEvent;
use wire::{ObjectId, OrganizationId, StreamKind, TimeRange, UnixMs};

use crate::node::{Site, T, object, site};
use crate::raw;

const HOUR: i64 = 3_600_000;

async fn grant(site: &Site) -> Grant {
    let take = |c: &mut Connection| lease::take(c, "test", "test", 3_600_000);
    match site.world.server.state.store.write(take).await.unwrap() {
        Taking::Taken(grant) => grant,
        Taking::Held(ms) => panic!("held for {ms} ms"),
    }
}

async fn home(site: &Site) -> OrganizationId {
    let (_, me) = site.world.call("GET", "/api/v1/me", &site.token, None).await;
    me["organization"].as_str().unwrap().parse().unwrap()
}

/// The camera was to be recorded from T for two hours, on this stream.
async fn planned(site: &Site, organization: OrganizationId, stream: i16) {
    let camera = site.camera;
    let plan = move |c: &mut Connection| -> Result<(), StoreError> {
        let (camera, organization) = (
            raw::bytes(c, camera.as_bytes()),
            raw::bytes(c, organization.as_bytes()),
        );
        let end = T + 2 * HOUR;
        Ok(c.batch_execute(&format!(
            "INSERT INTO recording_window (camera, stream, start_ms, end_ms, organization) \
             VALUES ({camera}, {stream}, {T}, {end}, {organization})"
        ))?)
    };
    site.world.server.state.store.write(plan).await.unwrap();
}

async fn figures(site: &Site, token: &str, query: &str) -> Value {
    let path = format!("/api/v1/completeness?from=2026-01-31&to=2026-02-01{query}");
    let (status, shown) = site.world.call("GET", &path, token, None).await;
    assert_eq!(status, 200, "{shown}");
    shown
}

async fn alerts(site: &Site, organization: OrganizationId) -> Vec<Value> {
    let look = move |c: &mut _| facts::after(c, organization, 0, 1000);
    let (all, _) = site.world.server.state.store.read(look).await.unwrap();
    let of = all
        .into_iter()
        .filter(|fact| fact.kind == FactKind::LedgerUnknown);
    of.map(|fact| fact.data).collect()
}

async fn record(site: &Site, minutes: std::ops::Range<i64>) {
    for minute in minutes {
        let event = NodeEvent::ObjectSealed(object(site.node.id, site.camera, T + minute * 60_000));
        site.node.publish(&event).await;
        site.node.committed(event.message_id()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_add_up_late_footage_counts_and_alerts_are_told_once() {
    let site = site().await;
    let (state, organization) = (site.world.server.state.clone(), home(&site).await);
    planned(&site, organization, 0).await;
    record(&site, 0..10).await;
    let gap = NodeEvent::Gap(Gap {
        id: ObjectId::generate(),
        camera: site.camera,
        stream: StreamKind::Main,
        node: site.node.id,
        range: TimeRange::new(UnixMs(T + 600_000), UnixMs(T + HOUR)).unwrap(),
        cause: GapCause::Camera,
        detail: String::new(),
    });
    site.node.publish(&gap).await;
    site.node.committed(gap.message_id()).await;
    let grant = grant(&site).await;
    // An hour into the second hour: what has not settled yet does not count.
    once(&state, &grant, UnixMs(T + 20 * 60_000)).await.unwrap();
    let early = figures(&site, &site.token, "").await;
    assert_eq!(early["total"]["planned_ms"], 4 * 60_000);
    assert_eq!(early["total"]["footage_ms"], 4 * 60_000);
    assert_eq!(early["total"]["covered_percent"], 100.0);

    let later = UnixMs(T + 5 * HOUR);
    once(&state, &grant, later).await.unwrap();
    let all = figures(&site, &site.token, "").await;
    let planned_ms = 2 * HOUR - 2_000;
    assert_eq!(all["days"][0]["day"], "2026-01-31");
    assert_eq!(all["days"][0]["figures"], all["total"]);
    let total = &all["total"];
    assert_eq!(total["planned_ms"], planned_ms);
    assert_eq!(total["footage_ms"], 600_000);
    assert_eq!(total["gaps_ms"], json!({"camera": HOUR - 600_000}));
    assert_eq!(total["unknown_ms"], planned_ms - HOUR);
    assert!((total["explained_percent"].as_f64().unwrap() - 50.0).abs() < 0.1);
    // Nobody who could explain it was there at that time: told, and told once.
    let told = alerts(&site, organization).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["unknown_ms"], planned_ms - HOUR);
    assert_eq!(told[0]["stretches"][0]["start"], T + HOUR);
    once(&state, &grant, later.plus(60_000)).await.unwrap();
    assert_eq!(alerts(&site, organization).await.len(), 1);

    // Days later some of it arrives: that day alone is computed again.
    let days_later = UnixMs(T + 40 * 24 * HOUR);
    once(&state, &grant, days_later).await.unwrap();
    record(&site, 60..70).await;
    once(&state, &grant, days_later.plus(60_000)).await.unwrap();
    let late = figures(&site, &site.token, "").await;
    assert_eq!(late["total"]["footage_ms"], 1_200_000);
    assert_eq!(late["total"]["unknown_ms"], planned_ms - HOUR - 600_000);
    assert_eq!(alerts(&site, organization).await.len(), 1, "less is no news");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_still_explain_is_waited_for() {
    let site = site().await;
    let (state, organization) = (site.world.server.state.clone(), home(&site).await);
    let camera = site.camera;
    // As if the node had had the camera all the time.
    let since = format!("UPDATE assignment SET since = {}", T - HOUR);
    raw::execute(&state.store, since).await.unwrap();
    planned(&site, organization, 0).await;
    let grant = grant(&site).await;
    state.nodes.forget(site.node.id);
    once(&state, &grant, UnixMs(T + 5 * HOUR)).await.unwrap();
    let shown = figures(&site, &site.token, "").await;
    assert_eq!(
        shown["total"]["unknown_ms"],
        2 * HOUR - 2_000,
        "it is shown as what it is"
    );
    assert!(alerts(&site, organization).await.is_empty(), "the node is away");
    // It is looked at again, however old it is, until the node is back or was removed.
    let stale = |c: &mut Connection| completeness::stale(c, 10);
    let of = DayOf {
        organization,
        camera,
        stream: StreamKind::Main,
        day: completeness::day_of(UnixMs(T)),
    };
    assert_eq!(state.store.read(stale).await.unwrap(), [of]);
    let path = format!("/api/v1/nodes/{}?force=true", site.node.id);
    assert_eq!(site.world.call("DELETE", &path, &site.token, None).await.0, 204);
    once(&state, &grant, UnixMs(T + 40 * 24 * HOUR)).await.unwrap();
    assert_eq!(alerts(&site, organization).await.len(), 1);
    assert!(state.store.read(stale).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_end_at_the_wall_and_at_the_grant() {
    let site = site().await;
    let (state, organization) = (site.world.server.state.clone(), home(&site).await);
    planned(&site, organization, 0).await;
    planned(&site, organization, 1).await;
    let grant = grant(&site).await;
    once(&state, &grant, UnixMs(T + 5 * HOUR)).await.unwrap();
    let both = 2 * (2 * HOUR - 2_000);
    assert_eq!(figures(&site, &site.token, "").await["total"]["planned_ms"], both);
    let of_camera = format!("&camera={}", site.camera);
    assert_eq!(
        figures(&site, &site.token, &of_camera).await["total"]["planned_ms"],
        both
    );
    let (user, guest) = site.world.person(organization, "guest", Role::OrgUser).await;
    let elsewhere = site.world.organization("Elsewhere").await;
    let (_, stranger) = site.world.person(elsewhere, "stranger", Role::OrgAdmin).await;
    for token in [&guest, &stranger] {
        let none = figures(&site, token, "").await;
        assert_eq!(
            (&none["days"], &none["total"]["planned_ms"]),
            (&json!([]), &json!(0))
        );
        assert_eq!(none["total"]["covered_percent"], Value::Null);
        let path = format!("/api/v1/completeness?from=2026-01-31&to=2026-02-01{of_camera}");
        assert_eq!(site.world.call("GET", &path, token, None).await.0, 404);
    }
    let grants = json!({"items": [{"camera": site.camera, "permissions": ["view_live"]}]});
    let path = format!("/api/v1/users/{user}/grants");
    assert_eq!(
        site.world.call("PUT", &path, &site.token, Some(grants)).await.0,
        200
    );
    assert_eq!(figures(&site, &guest, "").await["total"]["planned_ms"], both);
    for bad in [
        "",
        "?from=2026-01-31",
        "?from=2026-02-01&to=2026-01-31",
        "?from=2020-01-01&to=2021-01-01",
    ] {
        let path = format!("/api/v1/completeness{bad}");
        assert_eq!(
            site.world.call("GET", &path, &site.token, None).await.0,
            400,
            "{bad}"
        );
    }
    let path = format!(
        "/player-api/cameras/{}/coverage?from={T}&to={}&stream=sub",
        site.camera,
        T + HOUR
    );
    let (status, ledger) = site.world.call("GET", &path, &site.token, None).await;
    assert_eq!(
        (status, &ledger["stretches"][0]["cause"]),
        (200, &json!("unknown")),
        "{ledger}"
    );
}
