//! A server as a process of its own, which is killed and started again, and what it said of its leases.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use control_plane::state::now;
use serde_json::Value;
use wire::UnixMs;

use crate::support::{free_port, nats, poll};

/// A server that runs, or ran, several times.
pub(crate) struct Replica {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    config: PathBuf,
    logs: PathBuf,
    child: Option<Child>,
    /// When each run was killed.
    killed: Vec<UnixMs>,
}

/// From when to when a task ran somewhere, under which epoch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Term {
    pub(crate) from: UnixMs,
    pub(crate) to: UnixMs,
    pub(crate) epoch: i64,
    pub(crate) holder: &'static str,
}

impl Replica {
    /// One of several that share a folder.
    pub(crate) fn new(name: &'static str, dir: &Path, bus: &str, database: &str) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let config = dir.join(format!("{name}.toml"));
        // The database sees by its name who writes.
        let text = format!(
            "data_dir = {:?}\n[http]\nbind = \"{address}\"\nrequests_per_s = 100000\n[bus]\nurl = \"{bus}\"\n\
             [database]\nurl = \"{database}?application_name={name}\"\n",
            dir.join("data"),
        );
        std::fs::write(&config, text).unwrap();
        nats::give_keys(bus, &dir.join("data"));
        Self {
            name,
            address,
            config,
            logs: dir.to_path_buf(),
            child: None,
            killed: Vec::new(),
        }
    }

    fn log(&self, run: usize) -> PathBuf {
        self.logs.join(format!("{}-{run}.log", self.name))
    }

    /// Starts it and waits until it is ready.
    pub(crate) async fn start(&mut self) {
        let log = std::fs::File::create(self.log(self.killed.len())).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_control-plane"))
            .args(["serve", "--log", "json", "--config"])
            .arg(&self.config)
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        self.child = Some(child);
        let url = format!("http://{}/readyz", self.address);
        poll("the server is ready", async || {
            let answer = reqwest::get(&url).await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// Kills it as a power cut would; when.
    pub(crate) fn kill(&mut self) -> UnixMs {
        let mut child = self.child.take().unwrap();
        assert_eq!(child.try_wait().unwrap(), None, "{} ended by itself", self.name);
        child.kill().unwrap();
        child.wait().unwrap();
        let at = now();
        self.killed.push(at);
        at
    }

    /// When it did a task, by its own log; a kill ends everything.
    pub(crate) fn terms(&self, task: &str) -> Vec<Term> {
        let mut terms = Vec::new();
        for (run, killed) in self.killed.iter().enumerate() {
            let text = std::fs::read_to_string(self.log(run)).unwrap();
            let mut open: Option<(UnixMs, i64)> = None;
            let mut close = |open: &mut Option<(UnixMs, i64)>, to| {
                terms.extend(open.take().map(|(from, epoch)| Term {
                    from,
                    to,
                    epoch,
                    holder: self.name,
                }));
            };
            // A kill may cut the last line.
            for said in text
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            {
                if said["name"] != task {
                    continue;
                }
                let at = said["timestamp"]
                    .as_str()
                    .unwrap()
                    .parse::<jiff::Timestamp>()
                    .unwrap();
                let at = UnixMs(at.as_millisecond());
                match said["message"].as_str().unwrap_or_default() {
                    "took a lease" => open = Some((at, said["epoch"].as_i64().unwrap())),
                    "lost a lease: another server goes on" | "let a lease go" => close(&mut open, at),
                    _ => {}
                }
            }
            close(&mut open, *killed);
        }
        terms
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            for run in 0..=self.killed.len() {
                let text = std::fs::read_to_string(self.log(run)).unwrap_or_default();
                let lines: Vec<&str> = text
                    .lines()
                    .filter(|line| !line.contains("\"request\""))
                    .collect();
                let last = &lines[lines.len().saturating_sub(20)..];
                eprintln!("--- {} {run}\n{}", self.name, last.join("\n"));
            }
        }
    }
}
