//! What reaches a node's plan: jobs, deletions, streams.

use serde_json::{Value, json};
use wire::plan::PlanEntry;
use wire::schedule::Weekday;
use wire::{CameraId, StreamKind, UnixMs};

use crate::node::{Node, camera};
use crate::support::{Nats, World, poll};

const HOUR_MS: i64 = 60 * 60 * 1000;

pub(crate) struct Site {
    pub(crate) nats: Nats,
    pub(crate) world: World,
    pub(crate) token: String,
    pub(crate) node: Node,
    pub(crate) camera: CameraId,
}

impl Site {
    /// A camera with a sub stream whose switch is off.
    pub(crate) async fn start() -> Self {
        let nats = Nats::start();
        let world = World::with_bus(&nats.url()).await;
        world.ready().await;
        let token = world.sign_in().await;
        let node = Node::start(&nats, &world).await;
        let body = json!({"name": "Door", "url": "rtsp://a:b@10.0.0.5/s1", "sub_url": "rtsp://10.0.0.5/s2",
            "recording": false, "time_zone": "Europe/Berlin", "segment_s": 4, "object_s": 20});
        let camera = camera(&world, &token, body).await;
        Self {
            nats,
            world,
            token,
            node,
            camera,
        }
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.world.call(method, path, &self.token, body).await;
        assert!(status < 300, "{method} {path}: {status} {answer}");
        answer
    }

    pub(crate) async fn job(&self, body: Value) -> String {
        let path = format!("/api/v1/cameras/{}/recording-jobs", self.camera);
        let job = self.call("POST", &path, Some(body)).await;
        job["id"].as_str().unwrap().to_owned()
    }

    /// The camera's entries once they do.
    pub(crate) async fn entries(&self, what: &str, holds: impl Fn(&[PlanEntry]) -> bool) -> Vec<PlanEntry> {
        let of = |entries: Vec<PlanEntry>| -> Vec<PlanEntry> {
            entries
                .into_iter()
                .filter(|entry| entry.camera == self.camera)
                .collect()
        };
        poll(what, async || {
            let entries = of(self.node.plan().await?.entries);
            holds(&entries).then_some(entries)
        })
        .await
    }

    /// The gaps of the last hour, and what is to come.
    pub(crate) async fn gaps(&self) -> Vec<(String, i64, i64)> {
        let now = control_plane::state::now();
        let (from, to) = (now.0 - HOUR_MS, now.0 + HOUR_MS);
        let path = format!("/player-api/cameras/{}/coverage?from={from}&to={to}", self.camera);
        let ledger = self.call("GET", &path, None).await;
        let stretches = ledger["stretches"].as_array().unwrap().iter();
        let gap = |gap: &Value| {
            let time = |name: &str| gap[name].as_i64().unwrap();
            (
                gap["cause"].as_str().unwrap_or("footage").to_owned(),
                time("start"),
                time("end"),
            )
        };
        stretches.map(gap).collect()
    }
}

/// Around the clock, but for the minute from 03:00 to 03:01.
fn nearly_always() -> Value {
    json!({"kind": "weekly", "windows": [{"days": Weekday::ALL, "from": "03:01", "to": "03:00"}]})
}

#[tokio::test]
async fn a_job_reaches_the_node_and_goes_with_its_deletion() {
    let site = Site::start().await;
    let job = site
        .job(
            json!({"name": "Days", "schedule": nearly_always(), "streams": "both", "pre_roll_s": 5,
            "alert_after": 3, "longest_pause_s": 600}),
        )
        .await;
    let entries = site
        .entries("both streams are planned", |entries| entries.len() == 2)
        .await;
    let (main, sub) = (&entries[0], &entries[1]);
    assert_eq!((main.stream, sub.stream), (StreamKind::Main, StreamKind::Sub));
    assert_eq!(
        (main.source.url.as_str(), sub.source.url.as_str()),
        ("rtsp://10.0.0.5/s1", "rtsp://10.0.0.5/s2")
    );
    assert_eq!((main.pre_roll_ms, main.cut.unwrap().object_s), (5_000, 20));
    assert_eq!(
        (main.retry.alert_after, main.retry.longest_pause_ms),
        (3, 600_000)
    );
    assert_eq!(main.time_zone.as_deref(), Some("Europe/Berlin"), "the camera's");
    assert!((2..=3).contains(&main.windows.len()), "{:?}", main.windows);
    assert!((7..=8).contains(&main.afterwards.len()), "{:?}", main.afterwards);
    assert_eq!(
        (main.windows.as_slice(), main.continuous),
        (sub.windows.as_slice(), false)
    );
    assert!(main.windows[1].duration_ms() >= 22 * HOUR_MS, "a true end");

    // Later edits count: a stream less, another switch.
    let path = format!("/api/v1/recording-jobs/{job}");
    site.call("PATCH", &path, Some(json!({"streams": "sub"}))).await;
    let only = site
        .entries("the sub stream only", |entries| entries.len() == 1)
        .await;
    assert_eq!(only[0].stream, StreamKind::Sub);
    assert_eq!(
        only[0].windows[0].start(),
        sub.windows[0].start(),
        "an open window keeps its start"
    );
    site.call("PATCH", &path, Some(json!({"enabled": false}))).await;
    site.entries("a disabled job counts for nothing", <[_]>::is_empty)
        .await;
    site.call("PATCH", &path, Some(json!({"enabled": true, "streams": "main"})))
        .await;
    site.entries("it counts again", |entries| entries.len() == 1)
        .await;
    site.call("DELETE", &path, None).await;
    site.entries("it is deleted", <[_]>::is_empty).await;
}

#[tokio::test]
async fn a_camera_that_is_deleted_leaves_the_plan_and_its_windows_end() {
    let site = Site::start().await;
    site.job(json!({"name": "All", "schedule": {"kind": "continuous"}}))
        .await;
    let entries = site.entries("it is planned", |entries| entries.len() == 1).await;
    assert!(entries[0].continuous);
    site.call("DELETE", &format!("/api/v1/cameras/{}", site.camera), None)
        .await;
    site.entries("it is gone", <[_]>::is_empty).await;
    let me = site.call("GET", "/api/v1/me", None).await;
    let organization = me["organization"].as_str().unwrap().parse().unwrap();
    let all = wire::TimeRange::new(UnixMs::MIN, UnixMs::MAX).unwrap();
    let store = &site.world.server.state.store;
    let windows = store
        .windows_in_range(organization, site.camera, all, UnixMs::MAX)
        .await
        .unwrap();
    assert_eq!(windows.len(), 1);
    assert!(windows[0].end() < UnixMs::MAX);
}

#[tokio::test]
async fn what_should_exist_follows_jobs_without_a_bus() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let body = json!({"name": "x", "url": "rtsp://10.0.0.5/", "recording": false});
    let id = camera(&world, &token, body).await;
    let (_, me) = world.call("GET", "/api/v1/me", &token, None).await;
    let organization = me["organization"].as_str().unwrap().parse().unwrap();
    let all = wire::TimeRange::new(UnixMs::MIN, UnixMs::MAX).unwrap();
    let windows = async || {
        let store = &world.server.state.store;
        store
            .windows_in_range(organization, id, all, UnixMs::MAX)
            .await
            .unwrap()
    };
    assert!(windows().await.is_empty());
    let jobs = format!("/api/v1/cameras/{id}/recording-jobs");
    let body = json!({"name": "Days", "schedule": nearly_always()});
    let (status, job) = world.call("POST", &jobs, &token, Some(body)).await;
    assert_eq!(status, 201, "{job}");
    let planned = windows().await;
    assert!((2..=4).contains(&planned.len()), "two days ahead: {planned:?}");
    let made = UnixMs(job["created"].as_i64().unwrap());
    assert!(planned[0].start() >= made, "nothing was to be recorded before");
    let path = format!("/api/v1/cameras/{id}");
    world
        .call("PATCH", &path, &token, Some(json!({"recording": true})))
        .await;
    let joined = windows().await;
    assert_eq!(joined.len(), 1, "one stretch without an end: {joined:?}");
    assert_eq!(
        (joined[0].start(), joined[0].end()),
        (planned[0].start(), UnixMs::MAX)
    );
    world
        .call("PATCH", &path, &token, Some(json!({"recording": false})))
        .await;
    assert_eq!(windows().await.len(), planned.len());
    let path = format!("/api/v1/recording-jobs/{}", job["id"].as_str().unwrap());
    world.call("DELETE", &path, &token, None).await;
    let past = windows().await;
    assert!(
        past.len() <= 1 && past.iter().all(|window| window.end() < UnixMs::MAX),
        "{past:?}"
    );
}
