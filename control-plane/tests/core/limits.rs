//! Footage beyond a licence is recorded all the same, and told of once.

use control_plane::state::now;
use control_plane::store::facts::{self, FactKind};
use serde_json::{Value, json};
use wire::Track;
use wire::event::NodeEvent;

use crate::node::{Site, object, site};
use crate::people::organization_of;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// Records a minute of pictures of this size.
async fn record(site: &Site, size: (u32, u32)) {
    let mut sealed = object(site.node.id, site.camera, now().0 - 120_000);
    sealed.tracks = vec![Track::Video {
        codec: "avc1.64001f".to_owned(),
        width: size.0,
        height: size.1,
        fps: 15.0,
    }];
    let event = NodeEvent::ObjectSealed(sealed);
    site.node.publish(&event).await;
    site.node.committed(event.message_id()).await;
}

/// What followers were told.
async fn told(site: &Site) -> Vec<Value> {
    let home = organization_of(&site.world, &site.token).await;
    let look = move |c: &mut _| facts::after(c, home, 0, 1000);
    let (all, _) = site.world.server.state.store.read(look).await.unwrap();
    let about = all
        .into_iter()
        .filter(|fact| fact.kind == FactKind::LicenceExceeded);
    about
        .map(|fact| json!([fact.camera, fact.data["width"], fact.data["height"]]))
        .collect()
}

async fn shown(site: &Site) -> Value {
    let path = format!("/api/v1/cameras/{}", site.camera);
    let (status, camera) = site.world.call("GET", &path, &site.token, None).await;
    assert_eq!(status, 200, "{camera}");
    let (_, list) = site.world.call("GET", "/api/v1/cameras", &site.token, None).await;
    assert_eq!(list["items"][0]["licence_exceeded"], camera["licence_exceeded"]);
    camera["licence_exceeded"].clone()
}

async fn change(site: &Site, method: &str, path: &str, body: Value) -> Value {
    let (status, answer) = site.world.call(method, path, &site.token, Some(body)).await;
    assert!(status < 300, "{path}: {answer}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn larger_pictures_than_licensed_are_kept_shown_and_told_once() {
    let site = site().await;
    let home = organization_of(&site.world, &site.token).await;
    record(&site, (1920, 1080)).await;
    assert_eq!(told(&site).await, [] as [Value; 0], "no licences are needed");

    let organization = format!("/api/v1/organizations/{home}");
    change(&site, "PATCH", &organization, json!({"licensing": "required"})).await;
    let plan = |width: u16, height: u16| {
        json!({
            "features": ["recording"], "retention_days": 30, "max_width": width, "max_height": height,
            "max_bitrate_bps": 4_000_000,
        })
    };
    let licence = json!({
        "name": "HD", "valid_from": now().0 - HOUR_MS, "valid_to": now().0 + HOUR_MS, "plan": plan(1280, 720),
    });
    let issued = change(&site, "POST", "/api/v1/licences", licence).await;
    let licence = format!("/api/v1/licences/{}", issued["items"][0]["id"].as_str().unwrap());
    let camera = json!({"camera": site.camera});
    change(&site, "PUT", &format!("{licence}/camera"), camera).await;

    record(&site, (1280, 720)).await;
    assert_eq!((told(&site).await.len(), shown(&site).await), (0, Value::Null));
    for _ in 0..3 {
        record(&site, (1920, 1080)).await;
    }
    let full_hd = json!([site.camera, 1920, 1080]);
    assert_eq!(
        told(&site).await,
        std::slice::from_ref(&full_hd),
        "once, not with each object"
    );
    let expected = json!([{"stream": "main", "width": 1920, "height": 1080}]);
    assert_eq!(shown(&site).await, expected);
    record(&site, (2560, 1440)).await;
    assert_eq!(
        told(&site).await,
        [full_hd, json!([site.camera, 2560, 1440])],
        "it grew"
    );

    change(&site, "PATCH", &licence, json!({"plan": plan(2560, 1440)})).await;
    assert_eq!(shown(&site).await, Value::Null, "a better licence ends it");
}
