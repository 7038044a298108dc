//! SQLite on a disk that is full: a small file system of its own, in a mount namespace of the server's.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::{assert_unavailable, body};
use crate::support::{DEADLINE, free_port};

/// The program on a disk of 4 MiB.
struct Small {
    child: Child,
    base: String,
    /// The data folder as the program sees it.
    data: PathBuf,
    http: reqwest::Client,
    dir: tempfile::TempDir,
}

impl Small {
    fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let (config, disk) = (dir.path().join("control.toml"), dir.path().join("disk"));
        std::fs::create_dir(&disk).unwrap();
        let text = format!(
            "data_dir = {:?}\n[http]\nbind = \"127.0.0.1:0\"\n[bus]\nurl = \"nats://127.0.0.1:{}\"\n",
            disk.join("data"),
            free_port()
        );
        std::fs::write(&config, text).unwrap();
        // Root of a user namespace of its own may mount, too.
        let own = if rustix::process::geteuid().is_root() {
            "--mount"
        } else {
            "--map-root-user"
        };
        let mut child = Command::new("unshare")
            .args([own, "--mount", "sh", "-c"])
            .arg("mount -t tmpfs -o size=4m none \"$1\" && exec \"$2\" serve --log json --config \"$3\"")
            .arg("sh")
            .args([&disk, Path::new(env!("CARGO_BIN_EXE_control-plane")), &config])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let ready = lines
            .find(|line| line.contains("\"message\":\"ready\""))
            .expect("unshare must be allowed to mount a tmpfs");
        // Whoever writes to a pipe must be read.
        std::thread::spawn(move || lines.for_each(drop));
        let ready: Value = serde_json::from_str(&ready).unwrap();
        let root = PathBuf::from(format!("/proc/{}/root", child.id()));
        Self {
            base: format!("http://{}", ready["address"].as_str().unwrap()),
            data: root.join(disk.strip_prefix("/").unwrap()).join("data"),
            child,
            http: reqwest::Client::new(),
            dir,
        }
    }

    async fn send(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> reqwest::Response {
        let method = method.parse().unwrap();
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        tokio::time::timeout(DEADLINE, request.send())
            .await
            .unwrap()
            .unwrap()
    }

    async fn cameras(&self, token: &str) -> usize {
        let answer = self.send("GET", "/api/v1/cameras?limit=100", token, None).await;
        assert_eq!(answer.status(), 200);
        answer.json::<Value>().await.unwrap()["items"]
            .as_array()
            .unwrap()
            .len()
    }
}

impl Small {
    /// The address of a copy of the idle database: SQLite would follow the way into the name space back.
    fn copy(&self) -> String {
        for name in ["control-plane.sqlite", "control-plane.sqlite-wal"] {
            std::fs::copy(self.data.join(name), self.dir.path().join(name)).unwrap();
        }
        format!(
            "sqlite:{}",
            self.dir.path().join("control-plane.sqlite").display()
        )
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Fills the disk to its last byte.
fn fill(folder: &Path) -> PathBuf {
    let path = folder.join("filler");
    let mut file = std::fs::File::create(&path).unwrap();
    let full = std::io::copy(&mut std::io::repeat(7), &mut file).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_changes_and_recovers() {
    let small = Small::start();
    let password = std::fs::read_to_string(small.data.join("admin-password")).unwrap();
    let login = json!({"login": "admin", "password": password.trim()});
    let session = small
        .send("POST", "/api/v1/session", "", Some(login.clone()))
        .await;
    let session: Value = session.json().await.unwrap();
    let token = session["access_token"].as_str().unwrap();
    assert_eq!(
        small
            .send("POST", "/api/v1/cameras", token, Some(body("before")))
            .await
            .status(),
        201
    );
    let filler = fill(&small.data);
    // What fits into the log's last pages may still be taken.
    let mut made = 1;
    let refused = loop {
        let answer = small
            .send("POST", "/api/v1/cameras", token, Some(body(&format!("c{made}"))))
            .await;
        if answer.status() != 201 {
            break answer;
        }
        made += 1;
    };
    assert_unavailable(refused).await;
    assert_unavailable(small.send("POST", "/api/v1/session", "", Some(login)).await).await;
    assert_eq!(small.cameras(token).await, made);
    std::fs::remove_file(filler).unwrap();
    assert_eq!(
        small
            .send("POST", "/api/v1/cameras", token, Some(body("after")))
            .await
            .status(),
        201
    );
    assert_eq!(small.cameras(token).await, made + 1);
    assert_eq!(
        super::assert_whole(&small.copy()),
        i64::try_from(made + 1).unwrap()
    );
}
