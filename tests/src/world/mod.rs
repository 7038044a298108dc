//! A whole installation in a temporary folder: bus, control plane, node, cameras, as real processes on free
//! ports. Everything ends when the world is dropped; after a failure its folder stays.

pub mod api;
mod bus;
pub mod camera;
pub mod disk;
mod install;
pub mod process;
pub mod programs;
pub mod relay;
pub mod tls;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use wire::status::{NodeStatus, StreamState};
use wire::{CameraId, UnixMs};

use crate::wait::wait_for;
use api::Api;
use camera::Cameras;
use disk::Disk;
use process::Process;
use programs::{built, free_port, nats_server};
use relay::Relay;
use tls::{Authority, Front};

/// Generous: only a broken product exceeds it.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// One installation.
pub struct World {
    /// The recorder node.
    pub node: Process,
    /// The control plane.
    pub control: Process,
    /// The message bus.
    pub bus: Process,
    /// A signed-in client.
    pub api: Api,
    /// What nodes call the control plane.
    server: String,
    folder: Folder,
}

/// The world's folder; stays when the test fails.
struct Folder(Option<tempfile::TempDir>);

impl Folder {
    fn create(name: &str) -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let prefix = format!("cloudcam-{name}-");
        Ok(Self(Some(tempfile::Builder::new().prefix(&prefix).tempdir()?)))
    }

    fn path(&self) -> PathBuf {
        self.0
            .as_ref()
            .map_or_else(std::env::temp_dir, |dir| dir.path().to_path_buf())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(dir) = self.0.take()
        {
            eprintln!("the world's folder stays at {}", dir.keep().display());
        }
    }
}

impl World {
    /// Starts bus, control plane and node, signs in.
    ///
    /// # Errors
    /// When one of them does not come up.
    pub async fn start(name: &str) -> Result<Self> {
        Self::start_with(name, "").await
    }

    /// The same with more keys of the control plane's section `bus`, in TOML.
    ///
    /// # Errors
    /// As [`World::start`].
    pub async fn start_with(name: &str, bus: &str) -> Result<Self> {
        let (folder, ports) = (Folder::create(name)?, (free_port()?, free_port()?));
        let base = format!("http://127.0.0.1:{}", ports.1);
        install::control(&folder.path(), ports.0, ports.1, ("", bus))?;
        Self::run(folder, ports.1, base).await
    }

    /// The same with TLS under a private authority: to the bus, and to a front before the control plane.
    ///
    /// # Errors
    /// As [`World::start`].
    pub async fn start_tls(name: &str) -> Result<(Self, Front)> {
        let (folder, ports) = (Folder::create(name)?, (free_port()?, free_port()?));
        let dir = folder.path();
        let authority = Authority::create(&dir.join(install::CA_FILE))?;
        authority.write(&dir.join("bus.pem"), &dir.join("bus.key"))?;
        let front = Front::start(&authority, ports.1).await?;
        let server = format!("https://127.0.0.1:{}", front.port);
        let http = format!("public_url = {server:?}\n");
        install::control(&dir, ports.0, ports.1, (&http, ""))?;
        Ok((Self::run(folder, ports.1, server).await?, front))
    }

    async fn run(folder: Folder, http_port: u16, server: String) -> Result<Self> {
        let dir = folder.path();
        let bus = Process::start(
            "nats",
            nats_server()?,
            vec!["-c".into(), dir.join("nats.conf").into()],
            &dir,
        )?;
        let config = dir.join("control.toml").into();
        let serve = vec!["serve".into(), "--config".into(), config];
        let mut control = Process::start("control-plane", built("control-plane")?, serve, &dir)?;
        let base = format!("http://127.0.0.1:{http_port}");
        let api = wait_for("the control plane signs in", DEADLINE, async || {
            control.check_alive()?;
            let password = std::fs::read_to_string(dir.join("control/admin-password"))?;
            Api::sign_in(&base, password.trim()).await.map(Some)
        })
        .await?;
        let node = install::node(&dir, "node", "test node", &server)?;
        Ok(Self {
            node,
            control,
            bus,
            api,
            server,
            folder,
        })
    }

    /// Starts another node beside the first: it joins, with a folder and a configuration of its own. `name` is
    /// also its file name: letters, digits and hyphens.
    ///
    /// # Errors
    /// When it cannot join or be started.
    pub fn add_node(&self, name: &str) -> Result<Process> {
        install::node(&self.folder(), name, name, &self.server)
    }

    /// Starts the node again so that its way to the bus leads through a relay.
    ///
    /// # Errors
    /// When its configuration cannot be changed, or it does not stop.
    pub fn route_node(&mut self) -> Result<Relay> {
        let dir = self.folder();
        let conf = std::fs::read_to_string(dir.join("nats.conf"))?;
        let listen = conf.lines().find_map(|line| line.trim().strip_prefix("listen:"));
        let (_, port) = listen
            .and_then(|address| address.trim().trim_matches('"').rsplit_once(':'))
            .context("the bus listens nowhere")?;
        let relay = Relay::start(port.parse()?)?;
        let file = dir.join("node.toml");
        let text = std::fs::read_to_string(&file)?;
        let routed = format!("{text}[bus]\nurl = \"nats://127.0.0.1:{}\"\n", relay.port);
        self.node.kill9()?;
        std::fs::write(&file, routed)?;
        self.node.resume()?;
        Ok(relay)
    }

    /// Starts the node again so that the disk under its data and its log can be made to fail.
    ///
    /// # Errors
    /// When there is no C compiler, or the node does not stop.
    pub fn put_node_on_disk(&mut self) -> Result<Disk> {
        let disk = Disk::create(&self.folder(), &self.folder().join("node"))?;
        self.node.kill9()?;
        for (name, value) in disk.environment() {
            self.node.set_environment(name, value);
        }
        self.node.resume()?;
        Ok(disk)
    }

    /// Where everything is.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folder.path()
    }

    /// A client of the bus that may say and hear everything.
    ///
    /// # Errors
    /// When the bus does not answer.
    pub async fn bus_client(&self) -> Result<async_nats::Client> {
        bus::client(&self.folder()).await
    }

    /// The administrator's password.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn password(&self) -> Result<String> {
        let text = std::fs::read_to_string(self.folder().join("control/admin-password"))?;
        Ok(text.trim().to_owned())
    }

    /// Starts simulated cameras.
    ///
    /// # Errors
    /// When they do not get ready.
    pub async fn simulate(&self, name: &str, args: &[&str]) -> Result<Cameras> {
        Cameras::start("camera-sim", name, args, &self.folder()).await
    }

    /// Starts a camera of gst-rtsp-server.
    ///
    /// # Errors
    /// When it does not get ready.
    pub async fn gst_camera(&self, name: &str, args: &[&str]) -> Result<Cameras> {
        Cameras::start("gst-camera", name, args, &self.folder()).await
    }

    /// Makes the file store answer 503, or no longer.
    ///
    /// # Errors
    /// When the store's folder cannot be written.
    pub fn set_store_maintenance(&self, on: bool) -> Result<()> {
        let file = self.folder().join("control/objects/maintenance");
        if on {
            std::fs::create_dir_all(file.parent().context("a folder")?)?;
            std::fs::write(file, "")?;
        } else {
            std::fs::remove_file(file)?;
        }
        Ok(())
    }

    /// Waits until a camera records.
    ///
    /// # Errors
    /// When it does not.
    pub async fn wait_recording(&self, camera: CameraId) -> Result<()> {
        wait_for("the camera is recorded", DEADLINE, async || {
            let state = self.api.camera(camera).await?.state;
            let records = matches!(state, Some(StreamState::Recording | StreamState::Degraded { .. }));
            anyhow::ensure!(records, "its state is {state:?}");
            Ok(Some(()))
        })
        .await
    }

    /// What the node last said.
    ///
    /// # Errors
    /// When the control plane does not answer, or knows of no node.
    pub async fn status(&self) -> Result<NodeStatus> {
        let nodes = self.api.nodes().await?;
        nodes
            .into_iter()
            .find_map(|node| node.status)
            .context("no node has reported")
    }

    /// Waits until everything recorded before now is indexed and stored.
    ///
    /// # Errors
    /// When the node does not get it done.
    pub async fn wait_settled(&self, deadline: Duration) -> Result<()> {
        let asked = now();
        wait_for(
            "the node has delivered all that it recorded",
            deadline,
            async || {
                let status = self.status().await?;
                anyhow::ensure!(status.at > asked.plus(1000), "the last status is old");
                let (outbox, upload) = (status.outbox_backlog, status.upload_backlog);
                anyhow::ensure!(
                    outbox == 0 && upload == 0,
                    "{outbox} events, {upload} uploads are left"
                );
                Ok(Some(()))
            },
        )
        .await
    }
}

/// The test's own clock.
#[must_use]
pub fn now() -> UnixMs {
    UnixMs((crate::sim::camera::now_us() / 1000) as i64)
}
