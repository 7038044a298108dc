//! Recording jobs: life cycle, previews, wrong fields, tenants.

use control_plane::state::now;
use serde_json::{Value, json};
use wire::access::Role;

use crate::people::{camera, organization, person};
use crate::support::World;
use crate::support::database::{execute, url_of};

fn nightly() -> Value {
    json!({"kind": "weekly", "windows": [
        {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "22:00", "to": "06:00"},
    ]})
}

#[tokio::test]
async fn a_job_is_created_read_changed_and_deleted() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let camera = camera(&world, &token, "door").await;
    let jobs = format!("/api/v1/cameras/{camera}/recording-jobs");
    let body = json!({"name": " Nights ", "schedule": nightly(), "time_zone": "europe/berlin"});
    let (status, job) = world.call("POST", &jobs, &token, Some(body)).await;
    assert_eq!(status, 201, "{job}");
    assert_eq!(
        (
            &job["name"],
            &job["time_zone"],
            &job["streams"],
            &job["enabled"],
            &job["camera"]
        ),
        (
            &json!("Nights"),
            &json!("Europe/Berlin"),
            &json!("main"),
            &json!(true),
            &json!(camera)
        )
    );
    assert_eq!(job["upcoming"]["time_zone"], "Europe/Berlin");
    let policy = |job: &Value| (job["alert_after"].as_u64(), job["longest_pause_s"].as_u64());
    assert_eq!(policy(&job), (Some(10), Some(60)), "unless told");
    let windows = job["upcoming"]["windows"].as_array().unwrap();
    assert_eq!(windows.len(), 10);
    for pair in windows.windows(2) {
        assert!(pair[0]["end"].as_i64() < pair[1]["start"].as_i64(), "{pair:?}");
    }

    let path = format!("/api/v1/recording-jobs/{}", job["id"].as_str().unwrap());
    let (status, same) = world.call("GET", &path, &token, None).await;
    assert_eq!(
        (status, &same["schedule"], &same["revision"]),
        (200, &nightly(), &json!(1))
    );
    let patch = json!({
        "schedule": {"kind": "continuous"}, "time_zone": "", "streams": "both", "enabled": false, "name": "All",
        "alert_after": 1, "longest_pause_s": 3600,
    });
    let (status, changed) = world.call("PATCH", &path, &token, Some(patch)).await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(
        (
            &changed["name"],
            &changed["time_zone"],
            &changed["streams"],
            &changed["enabled"]
        ),
        (&json!("All"), &Value::Null, &json!("both"), &json!(false))
    );
    assert_eq!(policy(&changed), (Some(1), Some(3_600)));
    assert_eq!(changed["upcoming"]["time_zone"], "UTC", "the camera's");
    assert_eq!(changed["upcoming"]["windows"].as_array().unwrap().len(), 1);
    assert_eq!(
        changed["upcoming"]["windows"][0]["end"],
        Value::Null,
        "it never ends"
    );

    let (_, list) = world.call("GET", &jobs, &token, None).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(list["items"][0]["revision"], 2);
    assert_eq!(world.call("DELETE", &path, &token, None).await.0, 204);
    let (status, problem) = world.call("GET", &path, &token, None).await;
    assert_eq!((status, &problem["code"]), (404, &json!("job_not_found")));
    assert_eq!(
        world.call("GET", &jobs, &token, None).await,
        (200, json!({"items": []}))
    );
}

#[tokio::test]
async fn lists_come_in_pages_and_creates_are_made_once() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let camera = camera(&world, &token, "door").await;
    let jobs = format!("/api/v1/cameras/{camera}/recording-jobs");
    let mut made = Vec::new();
    for number in 0..5 {
        let body = json!({"name": format!("job {number}"), "schedule": {"kind": "continuous"}});
        for _ in 0..2 {
            let request = world.http.post(world.url(&jobs)).bearer_auth(&token).json(&body);
            let request = request.header("Idempotency-Key", format!("key {number}").replace(' ', "-"));
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 201);
            let job: Value = answer.json().await.unwrap();
            made.push(job["id"].as_str().unwrap().to_owned());
        }
    }
    made.dedup();
    assert_eq!(made.len(), 5);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("{jobs}?limit=2{cursor}");
        let (status, page) = world.call("GET", &path, &token, None).await;
        assert_eq!(status, 200, "{page}");
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|job| job["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, made);
}

/// Asks for what must be refused, with the name of the field.
async fn refused(world: &World, token: &str, path: &str, body: Value, field: Value) {
    let (status, problem) = world.call("POST", path, token, Some(body.clone())).await;
    let named = problem.get("field").cloned().unwrap_or_default();
    assert_eq!((status, named), (400, field), "{body}: {problem}");
}

#[tokio::test]
async fn wrong_schedules_are_named_and_nothing_is_saved() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let camera = camera(&world, &token, "door").await;
    let jobs = format!("/api/v1/cameras/{camera}/recording-jobs");
    let weekly = |from: &str, to: &str, days: Value| json!({"kind": "weekly", "windows": [{"days": days, "from": from, "to": to}]});
    let cron = |text: &str, seconds: i64| json!({"kind": "cron", "expression": text, "duration_s": seconds});
    for (schedule, field) in [
        (
            json!({"kind": "weekly", "windows": []}),
            json!("schedule.windows"),
        ),
        (
            weekly("08:00", "09:00", json!([])),
            json!("schedule.windows.days"),
        ),
        (
            weekly("24:00", "09:00", json!(["mon"])),
            json!("schedule.windows.from"),
        ),
        (
            weekly("08:00", "24:30", json!(["mon"])),
            json!("schedule.windows.to"),
        ),
        (cron("* * *", 60), json!("schedule.expression")),
        (cron("0 0 8 * * *", 60), json!("schedule.expression")),
        (cron("0 8 * * *", 0), json!("schedule.duration_s")),
        (
            json!({"kind": "once", "from": 5, "to": 6}),
            json!("schedule.from"),
        ),
        (
            json!({"kind": "once", "from": 1_769_846_400_000_i64, "to": 1_769_846_400_000_i64}),
            json!("schedule.to"),
        ),
        (weekly("08:00", "09:00", json!(["monday"])), Value::Null),
        (cron("0 8 * * *", -1), Value::Null),
        (json!({"kind": "continuous", "more": 1}), Value::Null),
        (json!({"kind": "never"}), Value::Null),
    ] {
        let bodies = [
            (jobs.as_str(), json!({"name": "x", "schedule": schedule})),
            (
                "/api/v1/recording-jobs/preview",
                json!({"schedule": schedule, "time_zone": "UTC"}),
            ),
        ];
        for (path, body) in bodies {
            refused(&world, &token, path, body, field.clone()).await;
        }
    }
    assert_eq!(
        world.call("GET", &jobs, &token, None).await,
        (200, json!({"items": []}))
    );
}

#[tokio::test]
async fn wrong_fields_are_named_and_nothing_is_saved() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let camera = camera(&world, &token, "door").await;
    let jobs = format!("/api/v1/cameras/{camera}/recording-jobs");
    let continuous = json!({"kind": "continuous"});
    for (body, field) in [
        (json!({"name": "", "schedule": continuous}), json!("name")),
        (
            json!({"name": "x", "schedule": continuous, "time_zone": "Mars/Base"}),
            json!("time_zone"),
        ),
        (
            json!({"name": "x", "schedule": continuous, "alert_after": 0}),
            json!("alert_after"),
        ),
        (
            json!({"name": "x", "schedule": continuous, "alert_after": 1001}),
            json!("alert_after"),
        ),
        (
            json!({"name": "x", "schedule": continuous, "longest_pause_s": 4}),
            json!("longest_pause_s"),
        ),
        (
            json!({"name": "x", "schedule": continuous, "longest_pause_s": 3601}),
            json!("longest_pause_s"),
        ),
        (
            json!({"name": "x", "schedule": continuous, "streams": "third"}),
            Value::Null,
        ),
        (json!({"name": "x"}), Value::Null),
    ] {
        refused(&world, &token, &jobs, body, field).await;
    }
    assert_eq!(
        world.call("GET", &jobs, &token, None).await,
        (200, json!({"items": []}))
    );
}

#[tokio::test]
async fn previews_say_what_comes_and_save_nothing() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let camera = camera(&world, &token, "door").await;
    let preview = async |body: Value| {
        world
            .call("POST", "/api/v1/recording-jobs/preview", &token, Some(body))
            .await
    };
    // Kathmandu is 5:45 ahead of UTC; none of its windows is open now.
    let hour = (now().0 / 3_600_000 + 5 + 12) % 24;
    let expression = format!("0 {hour} * * 1-5");
    let cron = json!({"kind": "cron", "expression": expression, "duration_s": 3600});
    let (status, upcoming) = preview(json!({"schedule": cron, "time_zone": "Asia/Kathmandu"})).await;
    assert_eq!(
        (status, upcoming["windows"].as_array().unwrap().len()),
        (200, 10),
        "{upcoming}"
    );
    for window in upcoming["windows"].as_array().unwrap() {
        let (start, end) = (window["start"].as_i64().unwrap(), window["end"].as_i64().unwrap());
        let in_utc = (hour * 60 - (5 * 60 + 45)).rem_euclid(24 * 60);
        assert_eq!(start.rem_euclid(86_400_000), in_utc * 60_000);
        assert_eq!(end - start, 3_600_000);
    }
    let (status, upcoming) = preview(json!({"schedule": cron, "camera": camera})).await;
    assert_eq!((status, &upcoming["time_zone"]), (200, &json!("UTC")));
    let path = format!("/api/v1/cameras/{camera}");
    let patch = json!({"time_zone": "Australia/Lord_Howe"});
    assert_eq!(world.call("PATCH", &path, &token, Some(patch)).await.0, 200);
    let (status, upcoming) = preview(json!({"schedule": cron, "camera": camera})).await;
    assert_eq!(
        (status, &upcoming["time_zone"]),
        (200, &json!("Australia/Lord_Howe"))
    );
    let never = json!({"kind": "cron", "expression": "0 8 31 2 *", "duration_s": 60});
    let (status, upcoming) = preview(json!({"schedule": never, "time_zone": "UTC"})).await;
    assert_eq!(
        (status, &upcoming["windows"]),
        (200, &json!([])),
        "valid, but nothing follows"
    );
    let (status, problem) = preview(json!({"schedule": cron})).await;
    assert_eq!((status, &problem["field"]), (400, &json!("time_zone")));
    let jobs = format!("/api/v1/cameras/{camera}/recording-jobs");
    assert_eq!(
        world.call("GET", &jobs, &token, None).await,
        (200, json!({"items": []}))
    );
}

#[tokio::test]
async fn another_organization_and_an_ungranted_user_find_no_job() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let camera = camera(&world, &token, "door").await;
    let jobs = format!("/api/v1/cameras/{camera}/recording-jobs");
    let body = json!({"name": "x", "schedule": {"kind": "continuous"}});
    let (_, job) = world.call("POST", &jobs, &token, Some(body.clone())).await;
    let path = format!("/api/v1/recording-jobs/{}", job["id"].as_str().unwrap());
    let other = organization(&world, "Other").await;
    let home = crate::people::organization_of(&world, &token).await;
    let (_, stranger) = person(&world, other, "stranger", Role::OrgAdmin).await;
    let (_, nobody) = person(&world, home, "nobody", Role::OrgUser).await;
    for token in [&stranger, &nobody] {
        for (method, path, body) in [
            ("GET", &jobs, None),
            ("POST", &jobs, Some(body.clone())),
            ("GET", &path, None),
            ("PATCH", &path, Some(json!({"enabled": false}))),
            ("DELETE", &path, None),
        ] {
            let (status, problem) = world.call(method, path, token, body).await;
            assert_eq!(status, 404, "{method} {path}: {problem}");
        }
        let body = json!({"schedule": {"kind": "continuous"}, "camera": camera});
        let (status, _) = world
            .call("POST", "/api/v1/recording-jobs/preview", token, Some(body))
            .await;
        assert_eq!(status, 404);
    }
    let (status, same) = world.call("GET", &path, &token, None).await;
    assert_eq!((status, &same["enabled"]), (200, &json!(true)));
}

#[tokio::test]
async fn a_change_of_what_was_not_seen_is_refused() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let camera = camera(&world, &token, "door").await;
    let jobs = format!("/api/v1/cameras/{camera}/recording-jobs");
    let body = json!({"name": "x", "schedule": {"kind": "continuous"}});
    let (_, job) = world.call("POST", &jobs, &token, Some(body)).await;
    let path = world.url(&format!("/api/v1/recording-jobs/{}", job["id"].as_str().unwrap()));
    let mut statuses = Vec::new();
    for name in ["first", "second"] {
        let request = world
            .http
            .patch(&path)
            .bearer_auth(&token)
            .header("If-Match", "\"1\"");
        let answer = request.json(&json!({"name": name})).send().await.unwrap();
        statuses.push(answer.status().as_u16());
    }
    assert_eq!(statuses, [200, 412]);
}

#[tokio::test]
async fn a_job_that_cannot_be_read_is_said_of_its_camera_and_hides_no_other() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let (door, gate) = (
        camera(&world, &token, "door").await,
        camera(&world, &token, "gate").await,
    );
    for (camera, name) in [(&door, "bad"), (&gate, "good")] {
        let body = json!({"name": name, "schedule": {"kind": "continuous"}});
        let jobs = format!("/api/v1/cameras/{camera}/recording-jobs");
        assert_eq!(world.call("POST", &jobs, &token, Some(body)).await.0, 201);
        // The switch would record it, whatever its jobs say.
        let off = json!({"recording": false});
        let path = format!("/api/v1/cameras/{camera}");
        assert_eq!(world.call("PATCH", &path, &token, Some(off)).await.0, 200);
    }
    let reasons = async || {
        let (status, page) = world.call("GET", "/api/v1/cameras", &token, None).await;
        assert_eq!(status, 200, "{page}");
        let items = page["items"].as_array().unwrap().iter();
        let reason = |one: &Value| {
            (
                one["name"].as_str().unwrap().to_owned(),
                one["planned"]["reason"].clone(),
            )
        };
        let mut reasons: Vec<_> = items.map(reason).collect();
        reasons.sort_by(|one, other| one.0.cmp(&other.0));
        reasons
    };
    let told = |door: &str| {
        vec![
            ("door".to_owned(), json!(door)),
            ("gate".to_owned(), json!("no_node")),
        ]
    };
    assert_eq!(reasons().await, told("no_node"));
    for bad in [
        "schedule = '{'",
        "schedule = '{\"kind\":\"continuous\"}', time_zone = 'Nowhere'",
    ] {
        let sql = format!("UPDATE recording_job SET {bad} WHERE name = 'bad'");
        execute(&url_of(world.dir.path()), &sql);
        assert_eq!(reasons().await, told("unreadable_job"), "{bad}");
    }
}
