//! The program itself: its lines, its signals, its exit codes.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::support::nats::give_keys;
use crate::support::{Nats, free_port, poll};

fn control_plane() -> Command {
    Command::new(env!("CARGO_BIN_EXE_control-plane"))
}

fn write_config(dir: &Path, bus: &str, port: u16) -> std::path::PathBuf {
    let path = dir.join("control.toml");
    let text = format!(
        "data_dir = {:?}\n[http]\nbind = \"127.0.0.1:{port}\"\n[bus]\nurl = \"{bus}\"\n",
        dir.join("data")
    );
    std::fs::write(&path, text).unwrap();
    path
}

async fn exit(child: &mut Child) -> i32 {
    poll("the process ends", async || child.try_wait().unwrap())
        .await
        .code()
        .unwrap_or(-1)
}

#[tokio::test]
async fn says_ready_on_one_line_and_stops_on_sigterm() {
    let dir = tempfile::tempdir().unwrap();
    let config = write_config(dir.path(), "nats://127.0.0.1:1", 0);
    let mut child = control_plane()
        .args(["serve", "--log", "json", "--config"])
        .arg(&config)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let ready = lines.find(|line| line.contains("\"message\":\"ready\"")).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    let url = format!("http://{}/healthz", ready["address"].as_str().unwrap());
    let _ = rustls::crypto::ring::default_provider().install_default();
    assert_eq!(reqwest::get(url).await.unwrap().status(), 200);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(lines.any(|line| line.contains("\"message\":\"stopped\"")));
    assert_eq!(exit(&mut child).await, 0);
}

fn check(config: &Path) -> (bool, String) {
    let Output { status, stdout, .. } = control_plane()
        .args(["check", "--config"])
        .arg(config)
        .output()
        .unwrap();
    (status.success(), String::from_utf8(stdout).unwrap())
}

#[tokio::test]
async fn check_says_what_is_missing_and_changes_nothing() {
    let nats = Nats::start();
    nats.client().await;
    let dir = tempfile::tempdir().unwrap();
    let (good, text) = check(&write_config(dir.path(), &nats.url(), free_port()));
    assert!(!good && text.contains("run `control-plane init`"), "{text}");
    assert!(!dir.path().join("data").exists());
    give_keys(&nats.url(), &dir.path().join("data"));
    let (good, text) = check(&write_config(dir.path(), &nats.url(), free_port()));
    assert!(good, "{text}");
    assert_eq!(std::fs::read_dir(dir.path().join("data")).unwrap().count(), 1);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (good, text) = check(&write_config(
        dir.path(),
        &format!("nats://127.0.0.1:{}", free_port()),
        port,
    ));
    assert!(!good);
    assert!(
        text.contains("failed  address") && text.contains("failed  bus"),
        "{text}"
    );
}

#[test]
fn bad_starts_end_with_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let config = write_config(dir.path(), "nats://127.0.0.1:1", 0);
    let run = |key: &str, value: &str| {
        let output = control_plane()
            .args(["serve", "--config"])
            .arg(&config)
            .env(key, value)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for (key, value, sentence) in [
        ("CLOUDCAM_CONTROL__HTTP__PORT", "1", "unknown key http.port"),
        ("CLOUDCAM_CONTROL__HTTP__BIND", "nowhere", "http.bind"),
        ("CLOUDCAM_CONTROL__DATA_DIR", "/proc/nowhere", "/proc/nowhere"),
        (
            "CLOUDCAM_CONTROL__DATABASE__URL",
            "sqlite:/proc/x.sqlite",
            "/proc/x.sqlite",
        ),
    ] {
        let (code, text) = run(key, value);
        assert_eq!(code, Some(1), "{key}: {text}");
        assert!(
            text.contains(sentence) && !text.contains("panicked"),
            "{key}: {text}"
        );
    }
}
