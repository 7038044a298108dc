//! Cameras: life cycle, bad bodies, credentials, recording windows.

use serde_json::{Value, json};

use crate::support::World;

#[tokio::test]
async fn a_camera_is_created_read_changed_and_deleted() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let body = json!({"name": " Door ", "url": "rtsp://admin:p%40ss@10.0.0.5/s1", "audio": true});
    let (status, camera) = world.call("POST", "/api/v1/cameras", &token, Some(body)).await;
    assert_eq!(status, 201, "{camera}");
    assert_eq!(camera["name"], "Door");
    assert_eq!(camera["url"], "rtsp://10.0.0.5/s1");
    assert_eq!(camera["username"], "admin");
    assert_eq!(camera["recording"], true);
    assert!(
        !camera.to_string().contains("p@ss"),
        "passwords are never returned"
    );

    let path = format!("/api/v1/cameras/{}", camera["id"].as_str().unwrap());
    assert_eq!(
        world.call("GET", &path, &token, None).await,
        (200, camera.clone())
    );
    let patch = json!({"name": "Gate", "recording": false, "username": ""});
    let (status, changed) = world.call("PATCH", &path, &token, Some(patch)).await;
    assert_eq!(
        (status, &changed["name"], &changed["username"]),
        (200, &json!("Gate"), &Value::Null)
    );
    assert_eq!(
        (&changed["recording"], &changed["audio"]),
        (&json!(false), &json!(true))
    );

    let (_, list) = world.call("GET", "/api/v1/cameras", &token, None).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(world.call("DELETE", &path, &token, None).await.0, 204);
    for method in ["GET", "PATCH", "DELETE"] {
        let body = (method == "PATCH").then(|| json!({}));
        let (status, problem) = world.call(method, &path, &token, body).await;
        assert_eq!(
            (status, &problem["code"]),
            (404, &json!("camera_not_found")),
            "{method}"
        );
    }
    let (_, list) = world.call("GET", "/api/v1/cameras", &token, None).await;
    assert_eq!(list, json!({"items": []}));
}

#[tokio::test]
async fn bad_bodies_name_their_field() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let url = "rtsp://10.0.0.5/";
    for (body, field) in [
        (json!({"name": "", "url": url}), json!("name")),
        (json!({"name": "a\u{0}b", "url": url}), json!("name")),
        (json!({"name": "x".repeat(101), "url": url}), json!("name")),
        (json!({"name": "x", "url": ""}), json!("url")),
        (json!({"name": "x", "url": "file:///etc/passwd"}), json!("url")),
        (json!({"name": "x", "url": "http://10.0.0.5/"}), json!("url")),
        (json!({"name": "x", "url": "rtsp://0xa9fea9fe/"}), json!("url")),
        (
            json!({"name": "x", "url": "rtsp://[::ffff:169.254.169.254]/"}),
            json!("url"),
        ),
        (
            json!({"name": "x", "url": url, "password": "p"}),
            json!("username"),
        ),
        (
            json!({"name": "x", "url": url, "username": "a:b"}),
            json!("username"),
        ),
        (json!({"name": "x"}), Value::Null),
        (
            json!({"name": "x", "url": url, "transport": "pigeon"}),
            Value::Null,
        ),
        (json!({"name": "x", "url": url, "color": "red"}), Value::Null),
        (json!({"name": "x", "url": url, "recording": "yes"}), Value::Null),
        (json!("x"), Value::Null),
        (Value::Null, Value::Null),
    ] {
        let (status, problem) = world
            .call("POST", "/api/v1/cameras", &token, Some(body.clone()))
            .await;
        assert_eq!(status, 400, "{body}");
        assert_eq!(
            problem.get("field").cloned().unwrap_or_default(),
            field,
            "{body}: {problem}"
        );
    }
    for (content_type, text) in [
        ("application/json", "{"),
        ("application/json", ""),
        ("text/plain", "{}"),
    ] {
        let request = world.http.post(world.url("/api/v1/cameras")).bearer_auth(&token);
        let answer = request
            .header("content-type", content_type)
            .body(text)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 400, "{content_type} {text}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn credentials_change_by_halves() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let body = json!({"name": "x", "url": "rtsp://10.0.0.5/", "username": "a", "password": "p"});
    let (_, camera) = world.call("POST", "/api/v1/cameras", &token, Some(body)).await;
    let path = format!("/api/v1/cameras/{}", camera["id"].as_str().unwrap());
    for (patch, status, username) in [
        (json!({"username": "b"}), 200, json!("b")),
        (json!({"password": "q"}), 200, json!("b")),
        (json!({"url": "rtsp://c:d@10.0.0.6/"}), 200, json!("c")),
        (json!({"url": "rtsp://10.0.0.6/other"}), 200, json!("c")),
        (json!({"username": ""}), 200, Value::Null),
        (json!({"password": "q"}), 400, Value::Null),
    ] {
        let (answered, body) = world.call("PATCH", &path, &token, Some(patch.clone())).await;
        assert_eq!(answered, status, "{patch}");
        if status == 200 {
            assert_eq!(body["username"], username, "{patch}");
        }
    }
}

#[tokio::test]
async fn ids_that_are_none_and_probes_without_a_bus() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    for id in [
        "x",
        "%00",
        "..%2f..%2fetc",
        "0190f5fe7c007a0080000123456789ab",
        "0190f5fe-7c00-7a00-8000-0123456789ab",
    ] {
        let (status, _) = world
            .call("GET", &format!("/api/v1/cameras/{id}"), &token, None)
            .await;
        assert_eq!(status, 404, "{id}");
    }
    let probe = json!({"url": "rtsp://10.0.0.5/"});
    let (status, problem) = world.call("POST", "/api/v1/probe", &token, Some(probe)).await;
    assert_eq!((status, &problem["code"]), (503, &json!("bus_unavailable")));
    let bad = json!({"url": "gopher://x/"});
    let (status, problem) = world.call("POST", "/api/v1/probe", &token, Some(bad)).await;
    assert_eq!((status, &problem["field"]), (400, &json!("url")));
    let (status, problem) = world.call("PUT", "/api/v1/cameras", &token, None).await;
    assert_eq!((status, &problem["code"]), (405, &json!("method_not_allowed")));
    let (status, problem) = world.call("GET", "/api/v1/nothing", &token, None).await;
    assert_eq!((status, &problem["code"]), (404, &json!("page_not_found")));
}

#[tokio::test]
async fn recording_windows_open_and_close_with_the_switch() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let (_, me) = world.call("GET", "/api/v1/me", &token, None).await;
    let organization = me["organization"].as_str().unwrap().parse().unwrap();
    let body = json!({"name": "x", "url": "rtsp://10.0.0.5/"});
    let (_, camera) = world.call("POST", "/api/v1/cameras", &token, Some(body)).await;
    let path = format!("/api/v1/cameras/{}", camera["id"].as_str().unwrap());
    let id = camera["id"].as_str().unwrap().parse().unwrap();
    let all = wire::TimeRange::new(wire::UnixMs::MIN, wire::UnixMs::MAX).unwrap();
    let store = &world.server.state.store;
    let windows = async || {
        store
            .windows_in_range(organization, id, all, wire::UnixMs::MAX)
            .await
            .unwrap()
    };
    let created = wire::UnixMs(camera["created"].as_i64().unwrap());
    assert_eq!(
        windows().await,
        [wire::TimeRange::new(created, wire::UnixMs::MAX).unwrap()]
    );
    for (body, open) in [
        (json!({"name": "y"}), true),
        (json!({"recording": false}), false),
        (json!({"recording": false}), false),
        (json!({"recording": true}), true),
    ] {
        world.call("PATCH", &path, &token, Some(body.clone())).await;
        let last = *windows().await.last().unwrap();
        assert_eq!(last.end() == wire::UnixMs::MAX, open, "{body}");
    }
    let before = windows().await;
    assert!(before.windows(2).all(|pair| pair[0].end() <= pair[1].start()));
    world.call("DELETE", &path, &token, None).await;
    assert!(
        windows()
            .await
            .iter()
            .all(|window| window.end() < wire::UnixMs::MAX)
    );
}

#[tokio::test]
async fn a_saved_password_does_not_follow_to_another_host() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let body = json!({
        "name": "x", "url": "rtsp://10.0.0.5/1", "sub_url": "rtsp://10.0.0.6/2", "username": "a", "password": "p",
    });
    let (_, camera) = world.call("POST", "/api/v1/cameras", &token, Some(body)).await;
    let path = format!("/api/v1/cameras/{}", camera["id"].as_str().unwrap());
    for patch in [
        json!({"url": "rtsp://10.0.0.66/1"}),
        json!({"url": "rtsp://10.0.0.5:8554/1"}),
        json!({"url": "rtsps://10.0.0.5/1"}),
        json!({"url": "rtsp://10.0.0.66/1", "username": "b"}),
        json!({"sub_url": "rtsp://10.0.0.66/2"}),
        json!({"url": "rtsp://10.0.0.6/1", "sub_url": "rtsp://10.0.0.66/2"}),
    ] {
        let (status, problem) = world.call("PATCH", &path, &token, Some(patch.clone())).await;
        assert_eq!(
            (status, &problem["code"], &problem["field"]),
            (422, &json!("credentials_required"), &json!("password")),
            "{patch}"
        );
    }
    let (_, same) = world.call("GET", &path, &token, None).await;
    assert_eq!((&same["url"], &same["revision"]), (&camera["url"], &json!(1)));
    for (patch, username) in [
        // Both are asked with it already.
        (
            json!({"url": "rtsp://10.0.0.6/1", "sub_url": "rtsp://10.0.0.5:554/3"}),
            json!("a"),
        ),
        (json!({"url": "rtsp://10.0.0.7/1", "password": "q"}), json!("a")),
        (json!({"sub_url": "rtsp://a:q@10.0.0.8/2"}), json!("a")),
        (json!({"url": "rtsp://10.0.0.9/1", "username": null}), Value::Null),
        (json!({"url": "rtsp://10.0.0.10/1"}), Value::Null),
    ] {
        let (status, body) = world.call("PATCH", &path, &token, Some(patch.clone())).await;
        assert_eq!((status, &body["username"]), (200, &username), "{patch}: {body}");
    }
}

#[tokio::test]
async fn a_password_inside_an_address_is_refused_and_a_place_for_it_is_kept() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let kept = "rtsp://10.0.0.5/live?user={username}&password={password}";
    let body = json!({"name": "x", "url": kept, "username": "a", "password": "planted"});
    let (status, camera) = world.call("POST", "/api/v1/cameras", &token, Some(body)).await;
    assert_eq!((status, &camera["url"]), (201, &json!(kept)));
    let path = format!("/api/v1/cameras/{}", camera["id"].as_str().unwrap());
    let secret = "rtsp://10.0.0.5/live?user=a&password=planted";
    for (method, path, body, field) in [
        (
            "POST",
            "/api/v1/cameras",
            json!({"name": "y", "url": secret}),
            "url",
        ),
        ("POST", "/api/v1/probe", json!({"url": secret}), "url"),
        ("PATCH", path.as_str(), json!({"url": secret}), "url"),
        ("PATCH", path.as_str(), json!({"sub_url": secret}), "sub_url"),
    ] {
        let (status, problem) = world.call(method, path, &token, Some(body)).await;
        assert_eq!(
            (status, &problem["code"], &problem["field"]),
            (422, &json!("secret_in_address"), &json!(field)),
            "{method} {path}"
        );
        assert!(!problem.to_string().contains("planted"), "{problem}");
    }
    let (_, log) = world.call("GET", "/api/v1/audit", &token, None).await;
    assert!(!log.to_string().contains("planted"), "{log}");
}
