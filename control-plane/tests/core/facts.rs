//! The stream of facts: nothing lost, nothing twice, nothing that is not the follower's.

use std::time::Duration;

use control_plane::http::openapi;
use control_plane::state::now;
use control_plane::store::facts::{self, FactKind};
use serde_json::{Value, json};
use wire::access::Role;
use wire::{CameraId, OrganizationId, UnixMs};

use crate::people::organization_of;
use crate::support::{DEADLINE, World, poll};

/// One server-sent event.
#[derive(Debug, Clone, PartialEq)]
struct Sent {
    id: Option<u64>,
    event: String,
    data: Value,
}

/// A client of the stream.
struct Stream {
    answer: reqwest::Response,
    text: String,
    /// The last id, whether something was dispatched with it or not.
    last: Option<u64>,
}

impl Stream {
    async fn open(world: &World, token: &str, query: &str, last: Option<u64>) -> Self {
        let answer = Self::ask(world, token, query, last).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self {
            answer,
            text: String::new(),
            last,
        }
    }

    /// A server notices late that a client went: it may say "too many", and means "later".
    async fn come_back(world: &World, token: &str, last: Option<u64>) -> Self {
        let answer = poll("a place", async || {
            let answer = Self::ask(world, token, "", last).await;
            assert!(matches!(answer.status().as_u16(), 200 | 429));
            (answer.status() == 200).then_some(answer)
        });
        Self {
            answer: answer.await,
            text: String::new(),
            last,
        }
    }

    async fn ask(world: &World, token: &str, query: &str, last: Option<u64>) -> reqwest::Response {
        let mut request = world
            .http
            .get(world.url(&format!("/api/v1/events{query}")))
            .bearer_auth(token);
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last.to_string());
        }
        request.send().await.unwrap()
    }

    /// The next event that is dispatched; none when the answer ended.
    async fn next(&mut self) -> Option<Sent> {
        tokio::time::timeout(DEADLINE, self.read())
            .await
            .expect("an event in time")
    }

    async fn read(&mut self) -> Option<Sent> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                if let Some(sent) = self.parsed(&block) {
                    return Some(sent);
                }
            }
            let chunk = self.answer.chunk().await.ok()??;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// WHATWG HTML §9.2.6, as far as it is used.
    fn parsed(&mut self, block: &str) -> Option<Sent> {
        let (mut event, mut data) = ("message".to_owned(), None);
        for line in block.lines() {
            match line.split_once(": ") {
                Some(("id", id)) => self.last = Some(id.parse().unwrap()),
                Some(("event", name)) => name.clone_into(&mut event),
                Some(("data", text)) => data = Some(serde_json::from_str(text).unwrap()),
                _ => {}
            }
        }
        data.map(|data| Sent {
            id: self.last,
            event,
            data,
        })
    }

    /// Everything up to the event whose data says so.
    async fn until(&mut self, marker: &str) -> Vec<Sent> {
        let mut all = Vec::new();
        loop {
            let sent = self.next().await.expect("the stream goes on");
            if sent.data["data"]["name"] == marker {
                return all;
            }
            all.push(sent);
        }
    }
}

async fn tell(
    world: &World,
    organization: OrganizationId,
    kind: FactKind,
    camera: Option<CameraId>,
    body: Value,
) {
    let add = move |c: &mut _| facts::add(c, organization, kind, camera, None, &body, now());
    world.server.state.store.write(add).await.unwrap();
}

async fn camera(world: &World, token: &str, name: &str) -> String {
    let body = json!({"name": name, "url": format!("rtsp://10.0.0.5/{name}")});
    let (status, camera) = world.call("POST", "/api/v1/cameras", token, Some(body)).await;
    assert_eq!(status, 201, "{camera}");
    camera["id"].as_str().unwrap().to_owned()
}

#[test]
fn the_document_names_kinds_as_they_are_told() {
    let document: Value = serde_json::from_str(&openapi::json().unwrap()).unwrap();
    let told: Vec<&str> = FactKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(
        document["components"]["schemas"]["EventKind"]["enum"],
        json!(told)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_misses_nothing_and_gets_nothing_twice() {
    let world = World::without_bus().await;
    let (mine, other) = (
        world.organization("Mine").await,
        world.organization("Other").await,
    );
    let (_, token) = world.person(mine, "mine", Role::OrgAdmin).await;
    let writers = (0..4).map(|writer| {
        let store = world.server.state.store.clone();
        tokio::spawn(async move {
            for count in 0..60 {
                let whose = if count % 3 == 0 { other } else { mine };
                let body = json!({"writer": writer, "count": count});
                let add =
                    move |c: &mut _| facts::add(c, whose, FactKind::NodeChanged, None, None, &body, now());
                store.write(add).await.unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let (mut got, mut last) = (Vec::new(), Some(0));
    let wanted = 4 * 40;
    let mut round = 0;
    while got.len() < wanted {
        round += 1;
        let mut stream = Stream::come_back(&world, &token, last).await;
        // Each connection breaks off somewhere else.
        for _ in 0..(5 + round * 7 % 13) {
            if got.len() == wanted {
                break;
            }
            let sent = stream.next().await.expect("the stream goes on");
            assert_eq!(sent.event, "node.changed");
            assert_eq!(sent.id, sent.data["id"].as_u64());
            got.push(sent);
        }
        last = stream.last;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let ids: Vec<u64> = got.iter().map(|sent| sent.id.unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    for writer in 0..4 {
        let of = |sent: &&Sent| sent.data["data"]["writer"] == writer;
        let counts: Vec<u64> = got
            .iter()
            .filter(of)
            .map(|sent| sent.data["data"]["count"].as_u64().unwrap())
            .collect();
        let expected: Vec<u64> = (0..60).filter(|count| count % 3 != 0).collect();
        assert_eq!(counts, expected, "in the order of the commits");
    }
    let all = world
        .server
        .state
        .store
        .read(move |c| facts::after(c, mine, 0, 1000))
        .await
        .unwrap();
    assert_eq!(all.0.iter().map(|fact| fact.id).collect::<Vec<_>>(), ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_told_at_once_to_who_may_know_of_them() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let home = organization_of(&world, &owner).await;
    let elsewhere = world.organization("Elsewhere").await;
    let (_, stranger) = world.person(elsewhere, "stranger", Role::OrgAdmin).await;
    let (user, guest) = world.person(home, "guest", Role::OrgUser).await;
    let (door, gate) = (
        camera(&world, &owner, "door").await,
        camera(&world, &owner, "gate").await,
    );
    let grants = json!({"items": [{"camera": door, "permissions": ["view_live"]}]});
    let path = format!("/api/v1/users/{user}/grants");
    assert_eq!(world.call("PUT", &path, &owner, Some(grants)).await.0, 200);

    let mut all = Stream::open(&world, &owner, "", None).await;
    let mut few = Stream::open(&world, &guest, "", None).await;
    let mut none = Stream::open(&world, &stranger, "", None).await;
    let mut jobs = Stream::open(&world, &owner, "?kind=job.,camera.deleted", None).await;
    for camera in [&gate, &door] {
        let path = format!("/api/v1/cameras/{camera}");
        let rename = json!({"name": "renamed"});
        assert_eq!(world.call("PATCH", &path, &owner, Some(rename)).await.0, 200);
        let path = format!("{path}/recording-jobs");
        let job = json!({"name": "Always", "schedule": {"kind": "continuous"}});
        assert_eq!(world.call("POST", &path, &owner, Some(job)).await.0, 201);
    }
    tell(&world, home, FactKind::NodeOffline, None, json!({})).await;
    tell(
        &world,
        home,
        FactKind::JobDeleted,
        Some(door.parse().unwrap()),
        json!({"name": "last"}),
    )
    .await;
    tell(
        &world,
        elsewhere,
        FactKind::NodeOffline,
        None,
        json!({"name": "last"}),
    )
    .await;

    let names = |sent: Vec<Sent>| sent.into_iter().map(|sent| sent.event).collect::<Vec<_>>();
    assert_eq!(
        names(all.until("last").await),
        [
            "camera.changed",
            "job.created",
            "camera.changed",
            "job.created",
            "node.offline"
        ]
    );
    let seen = few.until("last").await;
    assert!(
        seen.iter().all(|sent| sent.data["camera"] == json!(door)),
        "{seen:?}"
    );
    assert_eq!(names(seen), ["camera.changed", "job.created"]);
    assert_eq!(names(none.until("last").await), Vec::<String>::new());
    assert_eq!(names(jobs.until("last").await), ["job.created", "job.created"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_any_more_is_not_told_any_more() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let home = organization_of(&world, &owner).await;
    let (user, guest) = world.person(home, "guest", Role::OrgUser).await;
    let (door, gate) = (
        camera(&world, &owner, "door").await,
        camera(&world, &owner, "gate").await,
    );
    let path = format!("/api/v1/users/{user}/grants");
    let mut stream = Stream::open(&world, &guest, "", None).await;
    for (granted, about, name) in [
        (Some(&door), &door, "first"),
        (None, &door, "hidden"),
        (Some(&gate), &gate, "shown"),
    ] {
        let grants = granted.map(|id| json!({"camera": id, "permissions": ["view_live"]}));
        let grants = json!({"items": grants.into_iter().collect::<Vec<_>>()});
        assert_eq!(world.call("PUT", &path, &owner, Some(grants)).await.0, 200);
        let about = Some(about.parse().unwrap());
        tell(&world, home, FactKind::JobDeleted, about, json!({"name": name})).await;
        if name != "hidden" {
            // On the same connection; what was hidden does not come later either.
            assert_eq!(stream.until(name).await, []);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn words_on_recording_and_moves_are_told() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let home = organization_of(&world, &owner).await;
    let (user, guest) = world.person(home, "guest", Role::OrgUser).await;
    let door = camera(&world, &owner, "door").await;
    let grants = json!({"items": [{"camera": door, "permissions": ["view_live"]}]});
    let path = format!("/api/v1/users/{user}/grants");
    assert_eq!(world.call("PUT", &path, &owner, Some(grants)).await.0, 200);
    let mut all = Stream::open(&world, &owner, "", None).await;
    let mut few = Stream::open(&world, &guest, "", None).await;

    let path = format!("/api/v1/cameras/{door}/overrides");
    let pause = json!({"kind": "pause", "reason": "painters"});
    let (status, said) = world.call("POST", &path, &owner, Some(pause)).await;
    assert_eq!(status, 201, "{said}");
    let about = Some(door.parse().unwrap());
    tell(&world, home, FactKind::AssignmentChanged, about, json!({})).await;
    let path = format!("/api/v1/overrides/{}", said["id"].as_str().unwrap());
    assert_eq!(world.call("DELETE", &path, &owner, None).await.0, 204);
    tell(&world, home, FactKind::JobDeleted, about, json!({"name": "last"})).await;

    let told = all.until("last").await;
    let names: Vec<_> = told.iter().map(|sent| sent.event.as_str()).collect();
    assert_eq!(
        names,
        ["override.created", "assignment.changed", "override.cancelled"]
    );
    for sent in &told {
        assert_eq!(sent.data["camera"], json!(door), "{sent:?}");
    }
    let (made, over) = (&told[0].data["data"], &told[2].data["data"]);
    assert_eq!(
        (
            &made["override"],
            &made["kind"],
            &made["reason"],
            &made["cancelled"]
        ),
        (&said["id"], &json!("pause"), &json!("painters"), &Value::Null)
    );
    assert_eq!(
        (&over["override"], over["cancelled"].is_null()),
        (&said["id"], false)
    );
    // Which nodes there are is not for everybody who watches.
    let few: Vec<_> = few
        .until("last")
        .await
        .into_iter()
        .map(|sent| sent.event)
        .collect();
    assert_eq!(few, ["override.created", "override.cancelled"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_session_and_with_the_server() {
    let world = World::without_bus().await;
    let organization = world.organization("Mine").await;
    let (_, token) = world.person(organization, "mine", Role::OrgAdmin).await;
    let owner = world.sign_in().await;
    let mut stream = Stream::open(&world, &token, "", None).await;
    let mut other = Stream::open(&world, &owner, "", None).await;
    let (_, sessions) = world.call("GET", "/api/v1/me/sessions", &token, None).await;
    let id = sessions["items"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/me/sessions/{id}");
    assert_eq!(world.call("DELETE", &path, &token, None).await.0, 204);
    let end = stream.next().await.expect("a last word");
    assert_eq!(
        (end.event.as_str(), &end.data["code"]),
        ("end", &json!("unauthorized"))
    );
    assert_eq!(stream.next().await, None);
    let stopping = std::time::Instant::now();
    world.server.stop().await.unwrap();
    assert_eq!(other.next().await, None);
    assert!(stopping.elapsed() < DEADLINE);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_too_long_is_told_so() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    camera(&world, &owner, "one").await;
    camera(&world, &owner, "two").await;
    let store = &world.server.state.store;
    let (oldest, newest) = store.read(facts::bounds).await.unwrap();
    assert_eq!((oldest, newest), (1, 2));
    // Exactly at the edge nothing is missing.
    let mut kept = Stream::open(&world, &owner, "?after=0", None).await;
    assert_eq!(kept.next().await.unwrap().id, Some(1));
    let forgotten = store
        .write(|c| facts::forget(c, now().plus(3_600_000)))
        .await
        .unwrap();
    assert_eq!(forgotten, 1, "the newest stays: its number must not come again");
    camera(&world, &owner, "three").await;
    for (seen, first) in [
        (Some(1), "camera.created"),
        (Some(0), "camera.created"),
        (Some(99), "reset"),
    ] {
        let mut stream = Stream::open(&world, &owner, "", seen).await;
        let sent = stream.next().await.unwrap();
        assert_eq!(sent.event, first, "{seen:?}");
    }
    store
        .write(|c| facts::forget(c, now().plus(3_600_000)))
        .await
        .unwrap();
    let mut stream = Stream::open(&world, &owner, "", Some(1)).await;
    let reset = stream.next().await.unwrap();
    assert_eq!((reset.event.as_str(), reset.id), ("reset", Some(3)));
    camera(&world, &owner, "four").await;
    assert_eq!(stream.next().await.unwrap().id, Some(4), "and goes on");
    for (query, last) in [
        ("?after=x", None),
        ("?kind=camera", None),
        ("?after=-1", None),
        ("?kind=", None),
    ] {
        assert_eq!(
            Stream::ask(&world, &owner, query, last).await.status(),
            400,
            "{query}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_bounded_and_a_slow_one_holds_up_nobody() {
    let world = World::without_bus().await;
    let organization = world.organization("Mine").await;
    let (_, token) = world.person(organization, "mine", Role::OrgAdmin).await;
    let mut slow = Stream::open(&world, &token, "?after=0", None).await;
    let mut quick = Stream::open(&world, &token, "?after=0", None).await;
    let mut held = Vec::new();
    for _ in 2..16 {
        held.push(Stream::open(&world, &token, "", None).await);
    }
    let refused = Stream::ask(&world, &token, "", None).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    // More than the buffers between the two hold.
    let long = "x".repeat(20_000);
    for part in 0..20 {
        let long = long.clone();
        let add = move |c: &mut control_plane::store::Connection| {
            for count in 0..50 {
                let body = json!({"count": part * 50 + count, "long": long});
                facts::add(
                    c,
                    organization,
                    FactKind::NodeChanged,
                    None,
                    None,
                    &body,
                    UnixMs(0),
                )?;
            }
            Ok(())
        };
        world.server.state.store.write(add).await.unwrap();
    }
    for stream in [&mut quick, &mut slow] {
        for count in 0..1000 {
            let sent = stream.next().await.unwrap();
            assert_eq!(sent.data["data"]["count"], count);
        }
    }
    drop((slow, quick, held));
    poll("places are free again", async || {
        let status = Stream::ask(&world, &token, "", None).await.status();
        // A place is free when the server notices that its client went, at the latest with the next word.
        tell(&world, organization, FactKind::NodeChanged, None, json!({})).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        (status == 200).then_some(())
    })
    .await;
}
