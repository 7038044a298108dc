//! Cameras from a CSV file: all or nothing, and a word on each bad row.

use serde_json::{Value, json};
use wire::access::Role;

use crate::camera_fields::{group, quota};
use crate::people::{camera, organization, organization_of, person};
use crate::support::World;

const IMPORT: &str = "/api/v1/cameras/import";

/// Sends a file; status and report.
async fn send(world: &World, token: &str, query: &str, key: Option<&str>, file: &str) -> (u16, Value) {
    let mut request = world
        .http
        .post(world.url(&format!("{IMPORT}{query}")))
        .bearer_auth(token)
        .header("content-type", "text/csv; charset=utf-8")
        .body(file.to_owned());
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}

async fn cameras(world: &World, token: &str) -> Vec<Value> {
    let (_, list) = world.call("GET", "/api/v1/cameras?limit=1000", token, None).await;
    list["items"].as_array().unwrap().clone()
}

async fn actions(world: &World, token: &str, action: &str) -> usize {
    let path = format!("/api/v1/audit?action={action}&limit=1000");
    let (_, log) = world.call("GET", &path, token, None).await;
    log["items"].as_array().unwrap().len()
}

/// Line, field and code of each problem.
fn problems(report: &Value) -> Vec<(u64, &str, &str)> {
    let problems = report["problems"].as_array().unwrap().iter();
    problems
        .map(|one| {
            (
                one["line"].as_u64().unwrap(),
                one["field"].as_str().unwrap_or_default(),
                one["code"].as_str().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_file_becomes_cameras_once() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let home = organization_of(&world, &token).await;
    let yard = group(&world, home, "Yard").await;
    let file = "\u{feff}name,url,username,password,tags,group,notes\r\n\
        Door,rtsp://10.0.0.5/1,admin,planted,north;indoor,Yard,\"a, b\"\r\n\
        Gate,rtsp://10.0.0.6/1,,,,,\r\n";
    let (status, report) = send(&world, &token, "?dry_run=true", Some("k"), file).await;
    let nothing_wrong = json!({"rows": 2, "created": 0, "problems": []});
    assert_eq!((status, report), (200, nothing_wrong));
    assert!(
        cameras(&world, &token).await.is_empty(),
        "a dry run creates nothing"
    );

    let all = json!({"rows": 2, "created": 2, "problems": []});
    for _ in 0..2 {
        let answer = send(&world, &token, "", Some("k"), file).await;
        assert_eq!(answer, (201, all.clone()), "again is the same");
    }
    let other = file.replace("Gate", "Fence");
    let (status, problem) = send(&world, &token, "", Some("k"), &other).await;
    assert_eq!(
        (status, &problem["code"]),
        (409, &json!("idempotency_key_reused"))
    );
    let made = cameras(&world, &token).await;
    assert_eq!(made.len(), 2);
    assert_eq!(
        (&made[0]["name"], &made[0]["username"], &made[0]["tags"]),
        (&json!("Door"), &json!("admin"), &json!(["north", "indoor"]))
    );
    assert_eq!(
        (&made[0]["group"], &made[0]["notes"], &made[1]["group"]),
        (&json!(yard.to_string()), &json!("a, b"), &Value::Null)
    );
    assert_eq!(actions(&world, &token, "camera.create").await, 2);
    assert_eq!(actions(&world, &token, "camera.import").await, 1);
    let (_, log) = world.call("GET", "/api/v1/audit", &token, None).await;
    assert!(!log.to_string().contains("planted"));

    let (status, report) = send(&world, &token, "", None, file).await;
    assert_eq!(status, 200);
    let duplicate = "duplicate_camera";
    assert_eq!(problems(&report), [(2, "url", duplicate), (3, "url", duplicate)]);
    assert!(report.to_string().contains(made[0]["id"].as_str().unwrap()));
}

#[tokio::test]
async fn one_bad_row_and_nothing_is_created() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let elsewhere = organization(&world, "Other").await;
    group(&world, elsewhere, "Theirs").await;
    camera(&world, &token, "there").await;
    let file = "name,url,username,password,group\n\
        fine,rtsp://10.0.0.9/1,,,\n\
        ,rtsp://10.0.0.9/2,,planted,\n\
        again,rtsp://10.0.0.9:554/%31,,,\n\
        known,rtsp://10.0.0.5/there,,,\n\
        grouped,rtsp://10.0.0.9/3,,,Theirs\n";
    let expected = [
        (3, "name", "invalid_field"),
        (3, "username", "invalid_field"),
        (4, "url", "duplicate_in_file"),
        (5, "url", "duplicate_camera"),
        (6, "group", "unknown_group"),
    ];
    for query in ["?dry_run=true", "", "?dry_run=false"] {
        let (status, report) = send(&world, &token, query, None, file).await;
        assert_eq!(
            (status, &report["rows"], &report["created"]),
            (200, &json!(5), &json!(0))
        );
        assert_eq!(problems(&report), expected, "{query}");
        assert!(!report.to_string().contains("planted"));
    }
    assert_eq!(cameras(&world, &token).await.len(), 1);
    assert_eq!(actions(&world, &token, "camera.import").await, 0);
}

#[tokio::test]
async fn quota_rights_and_bodies_have_limits() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let tenant = organization(&world, "Small").await;
    let (_, admin) = person(&world, tenant, "admin@small", Role::OrgAdmin).await;
    let (_, user) = person(&world, tenant, "user@small", Role::OrgUser).await;
    quota(&world, tenant, 2).await;
    camera(&world, &admin, "first").await;
    let file = "name,url\na,rtsp://10.0.0.5/a\n\nb,rtsp://10.0.0.5/b\n";
    let (_, report) = send(&world, &admin, "", None, file).await;
    assert_eq!(problems(&report), [(4, "", "quota_exceeded")]);
    assert_eq!(cameras(&world, &admin).await.len(), 1);
    assert_eq!(send(&world, &user, "", None, file).await.0, 403);
    let (status, problem) = send(&world, &owner, "?dry_run=1", None, file).await;
    assert_eq!((status, &problem["field"]), (400, &json!("dry_run")));
    let long = format!("name,url\n\"{}", "x".repeat(5 << 20));
    let (status, problem) = send(&world, &owner, "", None, &long).await;
    assert_eq!((status, &problem["code"]), (413, &json!("too_large")));
    let body = Some(json!({}));
    let (status, problem) = world.call("POST", IMPORT, &owner, body).await;
    assert_eq!((status, &problem["code"]), (400, &json!("invalid_content_type")));
    let (status, report) = send(&world, &owner, "", None, "").await;
    assert_eq!((status, problems(&report)), (200, vec![(1, "", "empty_file")]));
}

#[tokio::test]
async fn thousands_of_cameras_are_imported_and_listed() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let mut file = "name,url,username,password,site\n".to_owned();
    for row in 0..5_000 {
        file.push_str(&format!(
            "Camera {row},rtsp://10.0.0.5/{row},admin,word,Hall {}\n",
            row % 7
        ));
    }
    let (status, report) = send(&world, &token, "", None, &file).await;
    assert_eq!((status, &report["created"]), (201, &json!(5_000)), "{report}");
    let first = cameras(&world, &token).await;
    assert_eq!(first.len(), 1_000);
    assert_eq!(
        (&first[0]["name"], &first[999]["name"]),
        (&json!("Camera 0"), &json!("Camera 999"))
    );
}
