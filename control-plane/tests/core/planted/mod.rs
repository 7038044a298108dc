//! Secrets that are planted everywhere appear nowhere else: not in the log at its most talkative, not in what
//! commands say, not in the audit log, not in answers other than the one that shows them, not in the OpenAPI
//! document.

mod nodes;
mod people;
mod program;

use serde_json::json;

use program::{DATABASE_PASSWORD, Program, text};

#[tokio::test(flavor = "multi_thread")]
async fn planted_secrets_are_found_nowhere() {
    let mut program = Program::start().await;
    let password = std::fs::read_to_string(program.dir.path().join("data/admin-password")).unwrap();
    let password = password.trim().to_owned();
    let (session, cookie) = program.sign_in("admin", &password, None).await;
    let token = text(&session["access_token"]);
    let mut planted: Vec<String> = vec![password, token.clone(), cookie];
    planted.extend(people::people_and_machines(&mut program, &token).await);
    planted.extend(people::second_factor(&mut program).await);
    cameras(&mut program, &token).await;
    planted.extend(nodes::node_and_footage(&mut program, &token).await);
    people::mistakes(&mut program, &token).await;
    planted.extend(files(&program));
    planted.push(DATABASE_PASSWORD.to_owned());
    // Everything else that was typed or sent.
    planted.push("planted-".to_owned());
    for path in [
        "/api/v1/audit?limit=1000",
        "/api/v1/audit.csv",
        "/api/v1/users",
        "/api/v1/service-keys",
        "/api/v1/cameras",
        "/api/v1/nodes",
        "/api/v1/enrolment-tokens",
        "/api/v1/me/export",
        "/api/v1/openapi.json",
    ] {
        program.ask(("GET", path), &token, None, 200).await;
    }
    let (log, complaints) = (program.log(), program.complaints());
    assert!(
        log.contains("\"request\"") && log.contains("TRACE"),
        "the log was captured"
    );
    for (name, place) in [
        ("log", &log),
        ("commands' output", &complaints),
        ("answers", &program.answers),
    ] {
        for secret in &planted {
            if let Some(at) = found(place, secret) {
                let around = &place[place.floor_char_boundary(at.saturating_sub(300))..at];
                panic!("{secret:.12}… is in the {name} after: {around}");
            }
        }
    }
}

/// Where a secret is in a text. A number must stand by itself: six digits are in every time stamp.
fn found(place: &str, secret: &str) -> Option<usize> {
    if secret.len() > 6 {
        return place.find(secret);
    }
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'.');
    let bytes = place.as_bytes();
    let mut places = place.match_indices(secret).map(|(at, _)| at);
    places.find(|&at| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        !is_part(before) && !is_part(bytes.get(at + secret.len()))
    })
}

/// The keys on the server's disk.
fn files(program: &Program) -> Vec<String> {
    let folder = program.dir.path().join("data/secrets");
    let mut all = Vec::new();
    for name in ["jwt", "url", "master"] {
        let key = std::fs::read_to_string(folder.join(name)).unwrap();
        all.extend(key.lines().map(str::to_owned));
    }
    for seed in std::fs::read_dir(folder.join("bus")).unwrap() {
        let path = seed.unwrap().path();
        // Tokens of accounts are no secrets.
        if path.extension().is_none() {
            all.push(std::fs::read_to_string(path).unwrap().trim().to_owned());
        }
    }
    all
}

async fn cameras(program: &mut Program, token: &str) {
    let cameras = ("POST", "/api/v1/cameras");
    let url = "rtsp://somebody:planted-camera-password@192.0.2.1/1";
    let camera = json!({"name": "Door", "url": url, "sub_url": "rtsp://192.0.2.1/2"});
    let camera = program.ask(cameras, token, Some(camera), 201).await;
    let path = format!("/api/v1/cameras/{}", text(&camera["id"]));
    let sub =
        json!({"name": "Gate", "url": "rtsp://192.0.2.3/1", "sub_url": "rtsp://x:planted-sub-1@192.0.2.3/2"});
    program.ask(cameras, token, Some(sub), 201).await;
    for (body, expected) in [
        (
            json!({"password": "planted-camera-password-2", "username": "x"}),
            200,
        ),
        (
            json!({"url": "http://x:planted-camera-password-3@192.0.2.1/"}),
            400,
        ),
        (
            json!({"username": "a:b", "password": "planted-camera-password-4"}),
            400,
        ),
        (json!({"sub_url": "http://x:planted-sub-2@192.0.2.1/"}), 400),
        (json!({"sub_url": "rtsp://x:planted-sub-3@192.0.2.1/2"}), 400),
    ] {
        program.ask(("PATCH", &path), token, Some(body), expected).await;
    }
    let probe = json!({"url": "rtsp://x:planted-camera-password-5@192.0.2.1/1"});
    program
        .ask(("POST", "/api/v1/probe"), token, Some(probe), 503)
        .await;
    for (file, expected) in [
        (
            "name,url,username,password\nYard,rtsp://192.0.2.4/1,x,planted-import-1\n",
            201,
        ),
        ("name,url\nHall,rtsp://x:planted-import-2@192.0.2.5/1\n", 201),
        // Wrong columns, a wrong address, a header that is a row.
        ("name,planted-import-3\nHall,rtsp://192.0.2.6/1\n", 200),
        (
            "name,url,password\nHall,http://x:planted-import-4@192.0.2.6/,planted-import-5\n",
            200,
        ),
        ("Hall,rtsp://x:planted-import-6@192.0.2.7/1\n", 200),
    ] {
        let request = program.request("POST", "/api/v1/cameras/import", token, None);
        let request = request.header("content-type", "text/csv").body(file);
        program.kept(request, expected).await;
    }
    program.ask(("DELETE", &path), token, None, 204).await;
}
