//! The single trials of `check`.

use std::io::Write;
use std::time::Duration;

use futures::{StreamExt, stream};
use media_core::{Engine, EngineConfig};
use wire::plan::PlanEntry;

use super::{Grade, Verdict};
use crate::bus::access::Access;
use crate::bus::{link, plan};
use crate::config::Config;
use crate::db::{Db, settings};
use crate::https;
use crate::identity::Identity;
use crate::media::{Recorder, source_spec};
use crate::spool::space::free_bytes;

const BUS_LIMIT: Duration = Duration::from_secs(5);
const CAMERA_LIMIT: Duration = Duration::from_secs(8);
const CAMERAS_AT_ONCE: usize = 4;

/// Data folder and free space.
pub(super) fn disk(config: &Config) -> Vec<Verdict> {
    let dir = &config.data_dir;
    let name = dir.display().to_string();
    if let Err(error) = try_write(config) {
        let remedy = "make the folder and give it to the node's user, or name another one in `data_dir`";
        return vec![Verdict::bad(
            Grade::Fail,
            "data folder",
            format!("{name}: {error}"),
            remedy,
        )];
    }
    let space = match free_bytes(dir) {
        Ok(free) if free < config.spool.min_free_bytes => Verdict::bad(
            Grade::Fail,
            "free space",
            format!(
                "{} MB free, less than `spool.min_free_bytes` ({} MB)",
                mb(free),
                mb(config.spool.min_free_bytes)
            ),
            "free the disk, use a larger one, or lower `spool.min_free_bytes`",
        ),
        Ok(free) if free < 4 * config.spool.min_free_bytes => Verdict::bad(
            Grade::Warn,
            "free space",
            format!("{} MB free", mb(free)),
            "a day of one camera takes about 20 GB until it is uploaded",
        ),
        Ok(free) => Verdict::ok("free space", format!("{} MB", mb(free))),
        Err(error) => Verdict::bad(
            Grade::Warn,
            "free space",
            error.to_string(),
            "look at the disk's health",
        ),
    };
    vec![Verdict::ok("data folder", name), space]
}

fn mb(bytes: u64) -> u64 {
    bytes / 1_000_000
}

fn try_write(config: &Config) -> std::io::Result<()> {
    std::fs::create_dir_all(&config.data_dir)?;
    let path = config.data_dir.join(format!(".check-{}", std::process::id()));
    let mut file = std::fs::File::create(&path)?;
    let written = file.write_all(&[0; 4096]).and_then(|()| file.sync_all());
    std::fs::remove_file(&path)?;
    written
}

/// GStreamer and its plugins.
pub(super) fn plugins() -> Verdict {
    let missing = Engine::check();
    if missing.is_empty() {
        return Verdict::ok("GStreamer", "all plugins are there");
    }
    let mut packages: Vec<&str> = missing.iter().map(|plugin| plugin.package).collect();
    packages.sort_unstable();
    packages.dedup();
    let finding: Vec<String> = missing
        .iter()
        .map(|plugin| format!("{} (for {})", plugin.element, plugin.purpose))
        .collect();
    let needed = missing.iter().any(|plugin| plugin.purpose == "recording");
    let grade = if needed { Grade::Fail } else { Grade::Warn };
    let remedy = format!("apt-get install {}", packages.join(" "));
    Verdict::bad(
        grade,
        "GStreamer",
        format!("missing: {}", finding.join(", ")),
        &remedy,
    )
}

/// What HTTPS trusts.
pub(super) fn certificates(config: &Config) -> Verdict {
    match https::client(&config.https) {
        Ok(_) if config.https.ca_file.is_some() => {
            Verdict::ok("HTTPS", "the system's certificates and `https.ca_file`")
        }
        Ok(_) => Verdict::ok("HTTPS", "the system's certificates"),
        Err(error) => {
            let remedy =
                "mend `https.ca_file`, or leave it out; until then the node records and uploads nothing";
            Verdict::bad(Grade::Fail, "HTTPS", format!("{error:#}"), remedy)
        }
    }
}

/// Whether the node has joined, the bus, its version, and what the control plane makes on it.
pub(super) async fn bus(config: &Config) -> Vec<Verdict> {
    let enrol = "make an enrolment token in the panel, then run `recorder-node enrol`";
    let identity = match Identity::load(&config.data_dir) {
        Ok(identity) => identity,
        Err(error) => {
            return vec![Verdict::bad(
                Grade::Fail,
                "enrolment",
                format!("{error:#}"),
                enrol,
            )];
        }
    };
    let (node, server) = (identity.node, identity.server.clone());
    let joined = Verdict::ok("enrolment", format!("node {node} of {server}"));
    let access = match Access::new(
        identity,
        config.data_dir.clone(),
        (config.bus.clone(), config.https.clone()),
    ) {
        Ok(access) => access,
        Err(error) => {
            return vec![Verdict::bad(
                Grade::Fail,
                "enrolment",
                format!("{error:#}"),
                enrol,
            )];
        }
    };
    let connected = tokio::time::timeout(BUS_LIMIT, link::connect(&access, |_| {})).await;
    let urls = access.urls().join(", ");
    let client = match connected.unwrap_or_else(|_| Err(format!("no answer from {urls} within 5 s"))) {
        Ok(client) => client,
        Err(error) => {
            let remedy = "start nats-server 2.11 or newer with what `control-plane nats-config` writes, or mend \
                          `bus.url`; an old token is renewed by `run`; until then the node records by its last plan";
            return vec![joined, Verdict::bad(Grade::Fail, "bus", error, remedy)];
        }
    };
    let reached = Verdict::ok("bus", format!("nats-server {}", client.server_info().version));
    let plan = match plan::present(&client, node).await {
        Ok(Some(_)) => Verdict::ok("plan", "there is one".to_owned()),
        Ok(None) => Verdict::bad(
            Grade::Warn,
            "plan",
            "there is none yet".to_owned(),
            "the control plane makes one when the node has reported once",
        ),
        Err(error) => Verdict::bad(
            Grade::Fail,
            "plan",
            error,
            "start the control plane once: it makes the bucket of plans",
        ),
    };
    vec![joined, reached, plan]
}

/// Every camera of the last plan.
pub(super) async fn cameras(config: &Config) -> Vec<Verdict> {
    if !config.data_dir.join("node.sqlite").is_file() {
        let finding = "no plan yet: the node has not run";
        return vec![Verdict::ok("cameras", finding)];
    }
    let plan = Db::open(&config.data_dir).and_then(|db| Ok((db.with(settings::plan)?, db)));
    let (plan, db) = match plan {
        Ok((Some(plan), db)) => (plan, db),
        Ok((None, _)) => return vec![Verdict::ok("cameras", "no plan yet: add cameras in the panel")],
        Err(error) => {
            let remedy =
                "restore node.sqlite, or move it away: the spool is taken in again at the next start";
            return vec![Verdict::bad(Grade::Fail, "database", error.to_string(), remedy)];
        }
    };
    let engine = match Engine::new(EngineConfig::default()) {
        Ok(engine) => engine,
        Err(error) => {
            let remedy = "reinstall libgstreamer1.0-0";
            return vec![Verdict::bad(Grade::Fail, "GStreamer", error.to_string(), remedy)];
        }
    };
    let (engine, db) = (&engine, &db);
    stream::iter(&plan.entries)
        .map(|entry| camera(engine, db, entry))
        .buffered(CAMERAS_AT_ONCE)
        .collect()
        .await
}

async fn camera(engine: &Engine, db: &Db, entry: &PlanEntry) -> Verdict {
    let subject = format!("camera {:?} ({})", entry.name, entry.stream.as_str());
    let remedy = "look at the camera, its address and its password in the panel";
    let cached = db
        .with(|c| settings::cached_credentials(c, entry.camera))
        .ok()
        .flatten();
    let credentials = cached.and_then(|(_, credentials)| credentials);
    if entry.has_credentials && credentials.is_none() {
        return Verdict::bad(
            Grade::Warn,
            &subject,
            "its credentials are not known yet",
            "run the node once",
        );
    }
    let spec = match source_spec(&entry.source, credentials) {
        Ok(spec) => spec,
        Err(error) => return Verdict::bad(Grade::Warn, &subject, error, remedy),
    };
    let probed = tokio::time::timeout(CAMERA_LIMIT, Recorder::probe(engine, spec, CAMERA_LIMIT)).await;
    match probed {
        Ok(Ok(report)) => {
            let codecs: Vec<String> = report
                .tracks
                .iter()
                .map(|track| crate::media::wire_track(track).codec().to_owned())
                .collect();
            Verdict::ok(
                &subject,
                format!("{}, {} kbit/s", codecs.join(" + "), report.bitrate_bps / 1000),
            )
        }
        Ok(Err(failure)) => Verdict::bad(Grade::Warn, &subject, failure.to_string(), remedy),
        Err(_) => Verdict::bad(Grade::Warn, &subject, "no answer within 8 s", remedy),
    }
}
